package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/rogpeppe/go-internal/testscript"
)

// smtpd DIR [USER PASSWORD] starts a mail server on this machine that puts each
// mail into a folder, as NUMBER.eml, its recipient in the first line. The
// environment says where it is (SMTP_PORT). Recipients called gone are refused,
// those called grey are refused for the moment.
func smtpd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 && len(args) != 3 {
		ts.Fatalf("usage: smtpd DIR [USER PASSWORD]")
	}
	b := &postOffice{dir: ts.MkAbs(args[0])}
	if len(args) == 3 {
		b.login = args[1] + ":" + args[2]
	}
	ts.Check(os.MkdirAll(b.dir, 0o755))
	server := smtp.NewServer(b)
	server.Domain, server.AllowInsecureAuth, server.ErrorLog = "localhost", true, quiet{}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	var served sync.WaitGroup
	served.Go(func() { _ = server.Serve(l) })
	ts.Defer(func() {
		_ = server.Close()
		served.Wait()
	})
	ts.Setenv("SMTP_PORT", strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

type postOffice struct {
	dir, login string
	mu         sync.Mutex
	mails      int
}

func (b *postOffice) NewSession(*smtp.Conn) (smtp.Session, error) { return &visit{b: b}, nil }

type visit struct {
	b      *postOffice
	logged bool
	to     []string
}

func (v *visit) AuthMechanisms() []string { return []string{sasl.Plain} }

func (v *visit) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user+":"+password != v.b.login {
			return &smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 8}, Message: "wrong user or password"}
		}
		v.logged = true
		return nil
	}), nil
}

func (v *visit) Reset()        { v.to = nil }
func (v *visit) Logout() error { return nil }

func (v *visit) Mail(string, *smtp.MailOptions) error {
	if v.b.login != "" && !v.logged {
		return &smtp.SMTPError{Code: 530, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "login first"}
	}
	return nil
}

func (v *visit) Rcpt(to string, _ *smtp.RcptOptions) error {
	switch {
	case strings.HasPrefix(to, "gone@"):
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user here"}
	case strings.HasPrefix(to, "grey@"):
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "come back later"}
	}
	v.to = append(v.to, to)
	return nil
}

func (v *visit) Data(r io.Reader) error {
	body, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	v.b.mu.Lock()
	defer v.b.mu.Unlock()
	v.b.mails++
	text := "X-Envelope-To: " + strings.Join(v.to, " ") + "\n" + strings.ReplaceAll(string(body), "\r\n", "\n")
	return os.WriteFile(filepath.Join(v.b.dir, fmt.Sprint(v.b.mails, ".eml")), []byte(text), 0o600)
}
