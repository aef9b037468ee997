package notify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
	"rensa/pkg/storage"
)

// post is an outbox with a sender and a clock of its own.
type post struct {
	*testing.T
	ledger *ledger.Ledger
	dir    *storage.Dir
	mu     sync.Mutex
	at     time.Time
	sender *Sender
}

func (p *post) now() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.at
}

func (p *post) pass(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at = p.at.Add(d)
}

func open(t *testing.T, to *Server) *post {
	t.Helper()
	p := &post{T: t, at: day("2026-11-23").Add(5 * time.Hour)}
	folder := t.TempDir()
	var err error
	if p.ledger, err = ledger.Open(t.Context(), filepath.Join(folder, "rensa.db"), ledger.Options{Now: p.now}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.ledger.Close() })
	if p.dir, err = storage.Open(folder); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.dir.Close() })
	if err := p.ledger.AddMerchant(t.Context(), removal.Merchant{ID: "acme", Profile: ledger.DefaultProfile()}); err != nil {
		t.Fatal(err)
	}
	p.sender = p.another(to)
	return p
}

// another is a sender on the same outbox.
func (p *post) another(to *Server) *Sender {
	return New(Options{Ledger: p.ledger, Now: p.now, From: &mail.Address{Name: "Rensa", Address: "rensa@rensa.example"}, Server: to, Dir: p.dir})
}

// queue puts a message into the outbox.
func (p *post) queue(id string, to ...string) {
	p.Helper()
	m := digest("sv")
	m.ID, m.MessageID, m.Created = id, id+".acme@rensa.example", p.now()
	for _, address := range to {
		m.Recipients = append(m.Recipients, ledger.Recipient{Address: address})
	}
	merchant, err := p.ledger.Merchant(p.Context(), "acme")
	if err != nil {
		p.Fatal(err)
	}
	err = p.ledger.Change(p.Context(), &ledger.Change{Merchant: "acme", Revision: merchant.Revision, Messages: []ledger.Message{*m}})
	if err != nil {
		p.Fatal(err)
	}
}

func (p *post) send() Sent {
	p.Helper()
	sent, err := p.sender.SendDue(p.Context(), "")
	if err != nil {
		p.Fatal(err)
	}
	return sent
}

func (p *post) message(id string) ledger.Message {
	p.Helper()
	m, err := p.ledger.Message(p.Context(), "acme", id)
	if err != nil {
		p.Fatal(err)
	}
	return m
}

// states are the states of a message's recipients.
func states(m ledger.Message) (all []string) {
	for _, r := range m.Recipients {
		all = append(all, r.Address+" "+r.State)
	}
	return all
}

func (p *post) wantSent(got, want Sent) {
	p.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		p.Errorf("sent (-want +got):\n%s", diff)
	}
}

// A message goes whole through each kind of protection, with login.
func TestSend(t *testing.T) {
	t.Parallel()
	for _, how := range []string{StartTLS, TLS, NoTLS} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			s := startServer(t, how)
			s.login = "rensa:s3cret"
			to := s.client(how)
			to.User, to.Password = "rensa", "s3cret"
			if err := to.Check(t.Context()); err != nil {
				t.Fatal(err)
			}
			p := open(t, to)
			p.queue("notice-1", "ada@acme.example", "bo@acme.example")
			p.wantSent(p.send(), Sent{Messages: 1, Accepted: 2})
			p.wantSent(p.send(), Sent{})
			mails := s.took()
			if len(mails) != 2 || s.logins != 2 { // of the check, and of both mails
				t.Fatalf("%d mails with %d logins", len(mails), s.logins)
			}
			m := p.message("notice-1")
			if m.State != ledger.MessageSent || !m.AcceptedAt.Equal(p.now()) || m.Attempts != 1 {
				t.Errorf("recorded as %+v", m)
			}
			got := mails[0]
			if got.from != "rensa@rensa.example" || !slices.Equal(got.to, []string{"ada@acme.example"}) {
				t.Errorf("from %s to %s", got.from, got.to)
			}
			checkMail(t, got, "<notice-1.acme@rensa.example>", "<ada@acme.example>")
		})
	}
}

// checkMail looks at a mail as a mail program does.
func checkMail(t *testing.T, got received, id, to string) {
	t.Helper()
	want, err := Compose(digest("sv"))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(got.head.Get("Subject"))
	if err != nil || subject != want.Subject {
		t.Errorf("the subject is %q, %v", subject, err)
	}
	for name, value := range map[string]string{"Message-Id": id, "To": to, "From": `"Rensa" <rensa@rensa.example>`, "Auto-Submitted": "auto-generated", "Content-Language": "sv"} {
		if got.head.Get(name) != value {
			t.Errorf("%s is %q, want %q", name, got.head.Get(name), value)
		}
	}
	if date, err := got.head.Date(); err != nil || !date.Equal(day("2026-11-23").Add(5*time.Hour)) {
		t.Errorf("the date is %s, %v", date, err)
	}
	parts := map[string]string{}
	readParts(t, got.head.Get("Content-Type"), strings.NewReader(got.body), parts)
	html, err := want.HTML()
	if err != nil {
		t.Fatal(err)
	}
	if unixLines(parts["text/plain"]) != unixLines(want.Text()) || unixLines(parts["text/html"]) != unixLines(html) {
		t.Errorf("the mail says\n%s\n%s", parts["text/plain"], parts["text/html"])
	}
	if parts["upload-required.tsv"] != "Ym9keSBvZiB1cGxvYWQtcmVxdWlyZWQudHN2" || parts["deadlines-2026-11-23.xlsx"] == "" {
		t.Errorf("attached are %q", parts)
	}
}

func unixLines(s string) string { return strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n")) }

// readParts reads the parts of a mail, by media type or, if attached, by name.
func readParts(t *testing.T, contentType string, r io.Reader, parts map[string]string) {
	t.Helper()
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		t.Fatal(err)
	}
	for all := multipart.NewReader(r, params["boundary"]); ; {
		part, err := all.NextRawPart()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		kind, _, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(kind, "multipart/") {
			readParts(t, part.Header.Get("Content-Type"), part, parts)
			continue
		}
		var body io.Reader = part
		if part.Header.Get("Content-Transfer-Encoding") == "quoted-printable" {
			body = quotedprintable.NewReader(part)
		}
		b, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		if part.FileName() != "" {
			kind = part.FileName()
		}
		parts[kind] = strings.TrimSpace(string(b))
	}
}

// A recipient that is refused is recorded and left alone; the others get their mail.
func TestRefusedRecipient(t *testing.T) {
	t.Parallel()
	s := startServer(t, StartTLS)
	s.onRcpt = func(to string) error {
		if to == "gone@acme.example" {
			return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user here"}
		}
		return nil
	}
	p := open(t, s.client(StartTLS))
	p.queue("a", "gone@acme.example", "ada@acme.example", "not an address")
	p.queue("b", "gone@acme.example")
	p.wantSent(p.send(), Sent{Messages: 2, Accepted: 1, Refused: 3})
	p.pass(100 * 24 * time.Hour)
	p.wantSent(p.send(), Sent{})
	a, b := p.message("a"), p.message("b")
	if a.State != ledger.MessageSent || b.State != ledger.MessageFailed || !b.AcceptedAt.IsZero() {
		t.Errorf("a is %s, b is %s", a.State, b.State)
	}
	if diff := cmp.Diff([]string{"gone@acme.example refused", "ada@acme.example accepted", "not an address refused"}, states(a)); diff != "" {
		t.Error(diff)
	}
	if reason := a.Recipients[0].Reason; reason != "550 5.1.1 no such user here" {
		t.Errorf("the reason is %q", reason)
	}
}

// Refused for the moment, as greylisting does: tried again, later and later.
func TestGreylisting(t *testing.T) {
	t.Parallel()
	s := startServer(t, StartTLS)
	asked := map[string]int{}
	s.onRcpt = func(to string) error {
		asked[to]++
		if to == "grey@acme.example" && asked[to] < 4 || to == "never@acme.example" {
			return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "come back later"}
		}
		return nil
	}
	p := open(t, s.client(StartTLS))
	p.queue("a", "grey@acme.example", "ada@acme.example")
	for i, wait := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute} {
		p.send()
		m := p.message("a")
		if m.State != ledger.MessageQueued || m.RetryAfter.Sub(p.now()) != wait || !strings.HasPrefix(m.Reason, "451 ") || m.Attempts != i+1 {
			t.Errorf("attempt %d is recorded as %+v", i, m)
		}
		p.pass(wait - time.Second)
		p.wantSent(p.send(), Sent{})
		p.pass(time.Second)
	}
	p.wantSent(p.send(), Sent{Messages: 1, Accepted: 1})
	if m := p.message("a"); m.State != ledger.MessageSent || !m.AcceptedAt.Equal(day("2026-11-23").Add(5*time.Hour)) {
		t.Errorf("recorded as %+v", m)
	}
	if asked["ada@acme.example"] != 1 || len(s.took()) != 2 {
		t.Errorf("asked %v, %d mails", asked, len(s.took()))
	}
	// Not for ever.
	p.queue("b", "never@acme.example")
	for range 200 {
		p.send()
		p.pass(time.Hour)
	}
	if m := p.message("b"); m.State != ledger.MessageFailed || m.Recipients[0].State != ledger.RecipientRefused || m.Attempts < 100 || m.Attempts > 140 {
		t.Errorf("recorded as %+v", m)
	}
}

// A connection that drops in the middle of a body, and one whose last answer is
// lost: sent again with the same Message-ID, and nothing of the half mail counts.
func TestDropped(t *testing.T) {
	t.Parallel()
	s := startServer(t, NoTLS)
	drops := 2
	s.midway = func(c *smtp.Conn) {
		if drops--; drops >= 0 {
			c.Conn().Close()
		}
	}
	var last *smtp.Conn
	p := open(t, s.client(NoTLS))
	p.queue("a", "ada@acme.example")
	p.queue("b", "bo@acme.example")
	for range 2 {
		p.wantSent(p.send(), Sent{Messages: 1, Waiting: 1, Unreached: true})
	}
	if n := len(s.took()); n != 0 {
		t.Fatalf("%d mails came through", n)
	}
	p.pass(2 * time.Minute)
	p.wantSent(p.send(), Sent{Messages: 2, Accepted: 2})

	// The server has taken it, and nobody hears of it.
	s.mu.Lock()
	s.midway = func(c *smtp.Conn) { last = c }
	lose := true
	s.onData = func(int) error {
		if lose {
			lose = false
			// What is read is kept before the connection goes.
			s.mu.Lock()
			s.mails = append(s.mails, received{head: mail.Header{"Message-Id": {"<c.acme@rensa.example>"}}})
			s.mu.Unlock()
			last.Conn().Close()
		}
		return nil
	}
	s.mu.Unlock()
	p.queue("c", "ada@acme.example")
	p.wantSent(p.send(), Sent{Messages: 1, Waiting: 1, Unreached: true})
	p.pass(2 * time.Minute)
	p.wantSent(p.send(), Sent{Messages: 1, Accepted: 1})
	times := map[string]int{}
	for _, m := range s.took() {
		times[m.head.Get("Message-Id")]++
	}
	if times["<c.acme@rensa.example>"] < 2 || times["<a.acme@rensa.example>"] != 1 || times["<b.acme@rensa.example>"] != 1 || len(times) != 3 {
		t.Errorf("the server has %v", times)
	}
}

// A server that does not answer, one that is not there, one that does not let us
// in, one that we do not trust: nothing is lost, nobody is refused.
func TestUnreached(t *testing.T) {
	t.Parallel()
	silent := startServer(t, NoTLS)
	silent.silent = make(chan struct{})
	slow := silent.client(NoTLS)
	slow.Timeout = 300 * time.Millisecond
	// The port of a listener that is closed again is nobody's.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := &Server{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, Security: NoTLS}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	closed := startServer(t, StartTLS)
	closed.login = "rensa:s3cret"
	wrong := closed.client(StartTLS)
	wrong.User, wrong.Password = "rensa", "guess"
	stranger := closed.client(StartTLS)
	stranger.TLS = nil
	bare := startServer(t, NoTLS)
	us := startServer(t, NoTLS)
	us.onMail = func(string) error {
		return &smtp.SMTPError{Code: 553, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "you may not send as that"}
	}
	for name, to := range map[string]*Server{
		"silent": slow, "nobody": nobody, "wrong password": wrong, "no login": closed.client(StartTLS), "not trusted": stranger,
		"no STARTTLS": bare.client(StartTLS), "sender refused": us.client(NoTLS), "login in the open": {Host: "mail.example", Security: NoTLS, User: "x", Password: "y"},
	} {
		t.Run(name, func(t *testing.T) {
			p := open(t, to)
			p.queue("a", "ada@acme.example", "bo@acme.example")
			p.queue("b", "ada@acme.example")
			p.wantSent(p.send(), Sent{Messages: 1, Waiting: 1, Unreached: true})
			a, b := p.message("a"), p.message("b")
			if a.State != ledger.MessageQueued || a.Reason == "" || !a.RetryAfter.Equal(p.now().Add(time.Minute)) || b.Attempts != 0 {
				t.Errorf("recorded as %+v and %+v", a, b)
			}
			if strings.Contains(a.Reason, "guess") {
				t.Errorf("the reason tells the password: %s", a.Reason)
			}
			if diff := cmp.Diff([]string{"ada@acme.example queued", "bo@acme.example queued"}, states(a)); diff != "" {
				t.Error(diff)
			}
			if name != "silent" && name != "sender refused" && name != "no login" {
				if err := to.Check(t.Context()); err == nil {
					t.Error("the check finds nothing")
				}
			}
		})
	}
	close(silent.silent)
}

// Without a server messages become files, whole and once.
func TestWritten(t *testing.T) {
	t.Parallel()
	p := open(t, nil)
	p.queue("notice-1", "ada@acme.example", "bo@acme.example")
	p.queue("notice-2") // a merchant without addresses
	p.wantSent(p.send(), Sent{Messages: 2, Written: 2})
	p.wantSent(p.send(), Sent{})
	m := p.message("notice-1")
	if m.State != ledger.MessageWritten || m.Place != "outbox/acme/notice-1.eml" || !m.AcceptedAt.IsZero() {
		t.Errorf("recorded as %+v", m)
	}
	f, err := p.dir.Get(m.Place)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	read, err := mail.ReadMessage(f)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(read.Body)
	if err != nil {
		t.Fatal(err)
	}
	checkMail(t, received{head: read.Header, body: string(body)}, "<notice-1.acme@rensa.example>", "<ada@acme.example>, <bo@acme.example>")
}

// Several senders on one outbox, one of which is killed with a message in hand:
// every message arrives, and only what was in that hand arrives late.
func TestSeveralSenders(t *testing.T) {
	t.Parallel()
	s := startServer(t, NoTLS)
	p := open(t, s.client(NoTLS))
	for i := range 20 {
		p.queue(fmt.Sprintf("m%02d", i), "ada@acme.example")
	}
	if _, err := p.ledger.TakeMessage(t.Context(), "acme", "m07", "killed", p.now(), p.now().Add(leaseFor)); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			if _, err := p.another(s.client(NoTLS)).SendDue(context.Background(), "acme"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := len(s.took()); n != 19 {
		t.Errorf("%d mails arrived", n)
	}
	p.pass(leaseFor)
	p.wantSent(p.send(), Sent{Messages: 1, Accepted: 1})
	times := map[string]int{}
	for _, m := range s.took() {
		times[m.head.Get("Message-Id")]++
	}
	if len(times) != 20 || len(s.took()) != 20 {
		t.Errorf("%d mails of %d messages", len(s.took()), len(times))
	}
}

// Run sends what comes, and stops with a message in hand that will not end.
func TestRun(t *testing.T) {
	t.Parallel()
	s := startServer(t, NoTLS)
	arrived := make(chan struct{}, 10)
	s.onData = func(int) error { arrived <- struct{}{}; return nil }
	p := open(t, s.client(NoTLS))
	p.sender.Poll, p.sender.StopWithin = time.Millisecond, time.Millisecond
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- p.sender.Run(ctx) }()
	p.queue("a", "ada@acme.example")
	<-arrived
	hang, hanging := make(chan struct{}), make(chan struct{})
	s.mu.Lock()
	s.midway = func(*smtp.Conn) { close(hanging); <-hang }
	s.mu.Unlock()
	p.queue("b", "ada@acme.example")
	<-hanging
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	close(hang)
	if m := p.message("b"); m.State != ledger.MessageQueued || m.Reason == "" {
		t.Errorf("recorded as %+v", m)
	}
}
