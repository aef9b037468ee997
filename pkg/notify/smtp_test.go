package notify

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// received is a mail that the test's server took.
type received struct {
	from string
	to   []string
	head mail.Header
	body string
}

// server is a mail server of the test's own, on this machine, with faults that a
// test asks for.
type server struct {
	smtp *smtp.Server
	host string
	port int
	tls  *tls.Config // what a client trusts

	mu       sync.Mutex
	mails    []received
	logins   int
	login    string                // user:password that is wanted; "" for none
	onMail   func(string) error    // of the sender
	onRcpt   func(string) error    // of a recipient
	onData   func(n int) error     // asked after the n-th body was read
	midway   func(conn *smtp.Conn) // called in the middle of a body
	silent   chan struct{}         // nobody answers until it is closed
	inFlight int
}

// startServer starts a server; how is StartTLS, TLS or NoTLS.
func startServer(t *testing.T, how string) *server {
	t.Helper()
	s := &server{}
	certificate, pool := certify(t)
	s.smtp = smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &session{s: s, conn: c}, nil
	}))
	s.smtp.Domain = "localhost"
	s.smtp.AllowInsecureAuth = how == NoTLS
	s.smtp.ErrorLog = quiet{}
	if how != NoTLS {
		s.smtp.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().(*net.TCPAddr)
	s.host, s.port = "127.0.0.1", at.Port
	s.tls = &tls.Config{RootCAs: pool, ServerName: "127.0.0.1"}
	if how == TLS {
		l = tls.NewListener(l, s.smtp.TLSConfig)
	}
	var served sync.WaitGroup
	served.Go(func() { _ = s.smtp.Serve(l) })
	t.Cleanup(func() {
		if err := s.smtp.Close(); err != nil {
			t.Error(err)
		}
		served.Wait()
	})
	return s
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

// certify makes a certificate for this machine, and a pool that trusts it.
func certify(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail of a test"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.ParseIP("127.0.0.1")}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, form, form, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// client is how a Sender goes to the server.
func (s *server) client(how string) *Server {
	return &Server{Host: s.host, Port: s.port, Security: how, TLS: s.tls, Timeout: 10 * time.Second}
}

func (s *server) took() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]received(nil), s.mails...)
}

type session struct {
	s      *server
	conn   *smtp.Conn
	logged bool
	from   string
	to     []string
}

var loginWanted = &smtp.SMTPError{Code: 530, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "login first"}

func (c *session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (c *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		c.s.mu.Lock()
		defer c.s.mu.Unlock()
		c.s.logins++
		if user+":"+password != c.s.login {
			return &smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 8}, Message: "wrong user or password"}
		}
		c.logged = true
		return nil
	}), nil
}

func (c *session) Reset()        { c.from, c.to = "", nil }
func (c *session) Logout() error { return nil }

func (c *session) Mail(from string, _ *smtp.MailOptions) error {
	c.s.mu.Lock()
	silent, on, wanted := c.s.silent, c.s.onMail, c.s.login
	c.s.mu.Unlock()
	if silent != nil {
		<-silent
	}
	if wanted != "" && !c.logged {
		return loginWanted
	}
	if on != nil {
		if err := on(from); err != nil {
			return err
		}
	}
	c.from = from
	return nil
}

func (c *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	c.s.mu.Lock()
	on := c.s.onRcpt
	c.s.mu.Unlock()
	if on != nil {
		if err := on(to); err != nil {
			return err
		}
	}
	c.to = append(c.to, to)
	return nil
}

func (c *session) Data(r io.Reader) error {
	c.s.mu.Lock()
	midway, on := c.s.midway, c.s.onData
	c.s.inFlight++
	n := c.s.inFlight
	c.s.mu.Unlock()
	var begun bytes.Buffer
	if midway != nil {
		if _, err := io.CopyN(&begun, r, 500); err != nil {
			return err
		}
		midway(c.conn)
	}
	b, err := io.ReadAll(io.MultiReader(&begun, r))
	if err != nil {
		return err
	}
	m, err := mail.ReadMessage(strings.NewReader(string(b)))
	if err != nil {
		return err
	}
	body, err := io.ReadAll(m.Body)
	if err != nil {
		return err
	}
	if on != nil {
		if err := on(n); err != nil {
			return err
		}
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.s.mails = append(c.s.mails, received{c.from, c.to, m.Header, string(body)})
	return nil
}
