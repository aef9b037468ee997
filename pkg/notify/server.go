package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"regexp"
	"strings"
	"sync"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// How the way to the mail server is protected.
const (
	StartTLS = "starttls" // required, not only tried
	TLS      = "tls"      // from the first byte
	NoTLS    = "none"
)

// ErrOpenLogin says that a password would cross a network in the open.
var ErrOpenLogin = errors.New("a login without TLS shows the password to the network")

// Server is a mail server that takes messages.
type Server struct {
	Host string
	// Port; 0: 465 for TLS, 587 otherwise.
	Port     int
	Security string // StartTLS, TLS or NoTLS
	// User and Password log in; "" for no login.
	User, Password string
	// TLS is what is trusted; nil: the system's certificates, for Host.
	TLS *tls.Config
	// Timeout of the way there and of each message; default 2 minutes.
	Timeout time.Duration
}

func (s *Server) port() int {
	switch {
	case s.Port != 0:
		return s.Port
	case s.Security == TLS:
		return 465
	}
	return 587
}

// Address is the server's host and port.
func (s *Server) Address() string { return net.JoinHostPort(s.Host, fmt.Sprint(s.port())) }

// loopback tells whether the server is on this machine.
func (s *Server) loopback() bool {
	ip := net.ParseIP(s.Host)
	return s.Host == "localhost" || ip != nil && ip.IsLoopback()
}

// client goes to the server by dial, so that the connection can be cut.
func (s *Server) client(dial gomail.DialContextFunc) (*gomail.Client, error) {
	timeout := s.Timeout
	if timeout <= 0 {
		timeout = 2 * time.Minute
	}
	options := []gomail.Option{gomail.WithPort(s.port()), gomail.WithTimeout(timeout), gomail.WithDialContextFunc(dial)}
	switch s.Security {
	case TLS:
		options = append(options, gomail.WithSSL())
	case NoTLS:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if s.TLS != nil {
		options = append(options, gomail.WithTLSConfig(s.TLS))
	}
	switch {
	case s.User == "":
	case s.Security == TLS:
		// The library does not know that the way is protected from its first byte.
		options = append(options, gomail.WithUsername(s.User), gomail.WithPassword(s.Password),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthPlain, gomail.SMTPAuthLogin, gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthCramMD5))
	case s.Security == NoTLS && !s.loopback():
		return nil, ErrOpenLogin
	case s.Security == NoTLS:
		options = append(options, gomail.WithUsername(s.User), gomail.WithPassword(s.Password),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthPlain, gomail.SMTPAuthLogin))
	default:
		options = append(options, gomail.WithUsername(s.User), gomail.WithPassword(s.Password), gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover))
	}
	return gomail.NewClient(s.Host, options...)
}

// Check goes to the server and logs in, and sends nothing.
func (s *Server) Check(ctx context.Context) error {
	l := &line{server: s}
	return errors.Join(l.dial(ctx), l.hangUp())
}

// line is a connection to a server, made when it is needed first.
type line struct {
	server *Server
	client *gomail.Client
	open   *smtp.Client
	mu     sync.Mutex
	conn   net.Conn // below it; may be cut by another goroutine
	ended  bool     // by cut
}

// connect makes the connection below, and remembers it.
func (l *line) connect(ctx context.Context, network, address string) (conn net.Conn, err error) {
	if l.server.Security == TLS {
		config := l.server.TLS
		if config == nil {
			config = &tls.Config{ServerName: l.server.Host, MinVersion: tls.VersionTLS12}
		}
		conn, err = (&tls.Dialer{Config: config}).DialContext(ctx, network, address)
	} else {
		conn, err = new(net.Dialer).DialContext(ctx, network, address)
	}
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return nil, errors.Join(context.Canceled, conn.Close())
	}
	l.conn = conn
	return conn, nil
}

func (l *line) dial(ctx context.Context) (err error) {
	if l.open != nil {
		return nil
	}
	if l.client, err = l.server.client(l.connect); err != nil {
		return fmt.Errorf("mail server %s: %w", l.server.Address(), err)
	}
	if l.open, err = l.client.DialToSMTPClientWithContext(ctx); err != nil {
		l.drop()
		return fmt.Errorf("mail server %s: %w", l.server.Address(), err)
	}
	return nil
}

func (l *line) send(m *gomail.Msg) error { return l.client.SendWithSMTPClient(l.open, m) }

// hangUp ends the connection in order.
func (l *line) hangUp() (err error) {
	if l.open != nil {
		err = l.client.CloseWithSMTPClient(l.open)
	}
	l.drop()
	return err
}

// drop ends a connection of which nothing is expected any more: its error is the
// one that led here.
func (l *line) drop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn != nil {
		_ = l.conn.Close()
	}
	l.open, l.conn = nil, nil
}

// cut ends the connection under whoever uses it, and lets no other be made. The
// library's own way waits for the answer that does not come.
func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	if l.conn != nil {
		_ = l.conn.Close()
	}
}

// fate is what a failed sending means for a recipient.
type fate int

const (
	later   fate = iota // this recipient may be taken another time
	never               // it is refused for good
	nowhere             // the server takes nothing from us now, whoever it is for
)

// judge tells what the answer of the server means, and its words.
func judge(err error) (fate, string) {
	words := said(err)
	var e *gomail.SendError
	if !errors.As(err, &e) {
		return nowhere, words
	}
	code := e.ErrorCode()
	switch {
	case code == 421 || code < 400:
		return nowhere, words // the connection broke, or is about to
	case code == 503 || code == 530 || code == 534 || code == 535 || code == 538:
		return nowhere, words // login wanted
	case e.Reason == gomail.ErrSMTPMailFrom:
		return nowhere, words // we are refused, not the recipient
	case code < 500:
		return later, words
	}
	return never, words
}

var (
	answer   = regexp.MustCompile(`\b([45]\d\d)[ -](.*)`)
	affected = regexp.MustCompile(`, affected (recipient|message).*`)
)

// said takes the server's words out of an error.
func said(err error) string {
	text := strings.Join(strings.Fields(affected.ReplaceAllString(err.Error(), "")), " ")
	if a := answer.FindStringSubmatch(text); a != nil {
		text = a[1] + " " + strings.Trim(a[2], `" `)
	}
	if r := []rune(text); len(r) > 300 {
		text = string(r[:300]) + "…"
	}
	return text
}

// ParseFrom reads the address from which messages come, with a name or without.
func ParseFrom(s string) (*mail.Address, error) {
	a, err := mail.ParseAddress(s)
	if err != nil {
		return nil, fmt.Errorf("sender %q: %w", s, err)
	}
	if a.Name == "" {
		a.Name = "Rensa"
	}
	return a, nil
}
