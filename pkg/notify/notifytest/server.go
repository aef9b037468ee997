// Package notifytest is a mail server for tests: a real one, on this machine, that
// keeps what it takes and has the faults that a test asks for.
package notifytest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/mail"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

// How the way to the server is protected.
const (
	StartTLS = "starttls"
	TLS      = "tls"
	NoTLS    = "none"
)

// Mail is a mail that the server took.
type Mail struct {
	From string
	To   []string
	Head mail.Header
	Body string
	Raw  []byte
}

// Faults are what a server does wrong; each may be nil. They are asked while
// connections are served, by several goroutines at once.
type Faults struct {
	Mail func(from string) error // about the sender
	Rcpt func(to string) error   // about a recipient
	// Midway is called in the middle of a body; cut breaks the connection.
	Midway func(cut func())
	// Data is asked about a mail that was read whole; cut breaks the connection
	// before the answer. The mail is kept where kept is true.
	Data func(m *Mail, cut func()) (kept bool, err error)
}

// Server is a mail server.
type Server struct {
	Host string
	Port int
	// Trust is what a client must trust, nil without TLS.
	Trust *tls.Config

	smtp   *smtp.Server
	served sync.WaitGroup
	mu     sync.Mutex
	login  string
	logins int
	faults Faults
	mails  []Mail
}

// Start starts a server that runs until the test ends.
func Start(t testing.TB, how string) *Server {
	t.Helper()
	s, err := Open(how)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Open starts a server.
func Open(how string) (*Server, error) {
	s := &Server{Host: "127.0.0.1"}
	s.smtp = smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &session{s: s, conn: c}, nil }))
	s.smtp.Domain, s.smtp.AllowInsecureAuth, s.smtp.ErrorLog = "localhost", how == NoTLS, quiet{}
	if how != NoTLS {
		certificate, pool, err := certify()
		if err != nil {
			return nil, err
		}
		s.smtp.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
		s.Trust = &tls.Config{RootCAs: pool, ServerName: s.Host, MinVersion: tls.VersionTLS12}
	}
	l, err := net.Listen("tcp", s.Host+":0")
	if err != nil {
		return nil, err
	}
	s.Port = l.Addr().(*net.TCPAddr).Port
	if how == TLS {
		l = tls.NewListener(l, s.smtp.TLSConfig)
	}
	s.served.Go(func() { _ = s.smtp.Serve(l) }) // it ends with an error when it is closed
	return s, nil
}

// Close ends the server and its connections.
func (s *Server) Close() error {
	err := s.smtp.Close()
	s.served.Wait()
	return err
}

// Want makes the server want a login.
func (s *Server) Want(user, password string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.login = user + ":" + password
}

// Logins counts those that were right.
func (s *Server) Logins() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.logins
}

// Fail gives the server faults, in place of those that it had.
func (s *Server) Fail(f Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = f
}

func (s *Server) asked() Faults {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults
}

// Mails are those that the server took.
func (s *Server) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.mails)
}

// Times counts the mails by Message-ID.
func (s *Server) Times() map[string]int {
	times := map[string]int{}
	for _, m := range s.Mails() {
		times[m.Head.Get("Message-Id")]++
	}
	return times
}

// Refusal is an answer of the server, 550 5.1.1 and its words.
func Refusal(code, class, subject, detail int, words string) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{class, subject, detail}, Message: words}
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

// certify makes a certificate for this machine, and a pool that trusts it.
func certify() (tls.Certificate, *x509.CertPool, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	form := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail of a test"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(24 * time.Hour), IPAddresses: []net.IP{net.ParseIP("127.0.0.1")}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, form, form, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool, nil
}

func readMail(c *session, raw []byte) (*Mail, error) {
	read, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("not a mail: %w", err)
	}
	body, err := io.ReadAll(read.Body)
	if err != nil {
		return nil, err
	}
	return &Mail{From: c.from, To: slices.Clone(c.to), Head: read.Header, Body: string(body), Raw: raw}, nil
}
