package notifytest

import (
	"bytes"
	"io"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// session is one connection.
type session struct {
	s      *Server
	conn   *smtp.Conn
	logged bool
	from   string
	to     []string
}

func (c *session) cut() { _ = c.conn.Conn().Close() }

func (c *session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (c *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		c.s.mu.Lock()
		defer c.s.mu.Unlock()
		if user+":"+password != c.s.login {
			return Refusal(535, 5, 7, 8, "wrong user or password")
		}
		c.s.logins++
		c.logged = true
		return nil
	}), nil
}

func (c *session) Reset()        { c.from, c.to = "", nil }
func (c *session) Logout() error { return nil }

func (c *session) Mail(from string, _ *smtp.MailOptions) error {
	c.s.mu.Lock()
	wanted := c.s.login != ""
	c.s.mu.Unlock()
	if wanted && !c.logged {
		return Refusal(530, 5, 7, 0, "login first")
	}
	if ask := c.s.asked().Mail; ask != nil {
		if err := ask(from); err != nil {
			return err
		}
	}
	c.from = from
	return nil
}

func (c *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if ask := c.s.asked().Rcpt; ask != nil {
		if err := ask(to); err != nil {
			return err
		}
	}
	c.to = append(c.to, to)
	return nil
}

// half is how much of a body is its middle.
const half = 500

func (c *session) Data(r io.Reader) error {
	faults := c.s.asked()
	var raw bytes.Buffer
	if faults.Midway != nil {
		if _, err := io.CopyN(&raw, r, half); err != nil {
			return err
		}
		faults.Midway(c.cut)
	}
	if _, err := io.Copy(&raw, r); err != nil {
		return err
	}
	m, err := readMail(c, raw.Bytes())
	if err != nil {
		return err
	}
	kept := true
	if faults.Data != nil {
		kept, err = faults.Data(m, c.cut)
	}
	if kept {
		c.s.mu.Lock()
		defer c.s.mu.Unlock()
		c.s.mails = append(c.s.mails, *m)
	}
	return err
}
