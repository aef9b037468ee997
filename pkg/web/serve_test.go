package web

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"
)

// certificate writes a certificate of this machine and its key.
func (st *site) certificate() (cert, key string, pool *x509.CertPool) {
	st.t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		st.t.Fatal(err)
	}
	of := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "rensa"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err1 := x509.CreateCertificate(rand.Reader, of, of, &private.PublicKey, private)
	secret, err2 := x509.MarshalECPrivateKey(private)
	parsed, err3 := x509.ParseCertificate(der)
	if err := errors.Join(err1, err2, err3); err != nil {
		st.t.Fatal(err)
	}
	pool = x509.NewCertPool()
	pool.AddCert(parsed)
	return st.file("cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))),
		st.file("key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: secret}))), pool
}

// TestRunTLS: with a certificate the page is served by https, with cookies that go
// nowhere else, and ends in order when it is told to, live pages included.
func TestRunTLS(t *testing.T) {
	t.Parallel()
	st := newSite(t, nil)
	cert, key, pool := st.certificate()
	opt := st.server.Options
	opt.Listen, opt.TLSCert, opt.TLSKey = "127.0.0.1:0", cert, key
	s, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	at, ended := make(chan net.Addr, 1), make(chan error, 1)
	go func() { ended <- s.Run(ctx, func(a net.Addr) { at <- a }) }()
	base := "https://" + (<-at).String()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &http.Client{Jar: jar, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	get := func(path string) *http.Response {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := c.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	r := get("/sign-in")
	if err := r.Body.Close(); err != nil || r.StatusCode != http.StatusOK || r.Header.Get("Strict-Transport-Security") == "" {
		t.Fatalf("%d, %v", r.StatusCode, err)
	}
	form := url.Values{"name": {viewer}, "password": {password}}
	for _, k := range r.Cookies() {
		form.Set("csrf", k.Value)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/sign-in", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	in, err := c.Transport.RoundTrip(withCookies(request, r.Cookies()))
	if err != nil {
		t.Fatal(err)
	}
	if err := in.Body.Close(); err != nil {
		t.Fatal(err)
	}
	for _, k := range append(r.Cookies(), in.Cookies()...) {
		if !k.Secure || !k.HttpOnly || !strings.HasPrefix(k.Name, "__Host-") || k.SameSite == http.SameSiteNoneMode {
			t.Errorf("cookie %v", k)
		}
	}
	if len(in.Cookies()) == 0 {
		t.Fatalf("signed in without a cookie: %d", in.StatusCode)
	}
	address, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	jar.SetCookies(address, in.Cookies())
	live := get("/m/shop/files/live")
	stop()
	if err := <-ended; err != nil {
		t.Errorf("the end: %v", err)
	}
	if err := live.Body.Close(); err != nil {
		t.Error(err)
	}
}

func withCookies(r *http.Request, all []*http.Cookie) *http.Request {
	for _, k := range all {
		r.AddCookie(k)
	}
	return r
}

// TestClient: behind a proxy the address is the one that the proxy saw, and what
// the client itself says counts for nothing.
func TestClient(t *testing.T) {
	t.Parallel()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.RemoteAddr = "10.0.0.1:1234"
	r.Header.Set("X-Forwarded-For", "1.2.3.4, 5.6.7.8")
	for proxy, want := range map[bool]string{false: "10.0.0.1", true: "5.6.7.8"} {
		s := &Server{Options: Options{BehindProxy: proxy}}
		if got := s.client(r); got != want {
			t.Errorf("behind a proxy %t: %s, want %s", proxy, got, want)
		}
	}
}

// TestRunTaken: an address that another program has is a setting to be changed.
func TestRunTaken(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	opt := newSite(t, nil).server.Options
	opt.Listen = taken.Addr().String()
	s, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Run(t.Context(), nil); !errors.Is(err, ErrSetting) {
		t.Errorf("%v, want ErrSetting", err)
	}
}
