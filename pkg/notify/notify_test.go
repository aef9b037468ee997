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

	"github.com/google/go-cmp/cmp"

	"rensa/pkg/ledger"
	"rensa/pkg/notify/notifytest"
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

// client is how a Sender goes to a server.
func client(s *notifytest.Server, how string) *Server {
	return &Server{Host: s.Host, Port: s.Port, Security: how, TLS: s.Trust, Timeout: 10 * time.Second}
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
			s := notifytest.Start(t, how)
			s.Want("rensa", "s3cret")
			to := client(s, how)
			to.User, to.Password = "rensa", "s3cret"
			if err := to.Check(t.Context()); err != nil {
				t.Fatal(err)
			}
			p := open(t, to)
			p.queue("notice-1", "ada@acme.example", "bo@acme.example")
			p.wantSent(p.send(), Sent{Messages: 1, Accepted: 2})
			p.wantSent(p.send(), Sent{})
			mails := s.Mails()
			if len(mails) != 2 || s.Logins() != 2 { // of the check, and of both mails
				t.Fatalf("%d mails with %d logins", len(mails), s.Logins())
			}
			m := p.message("notice-1")
			if m.State != ledger.MessageSent || !m.AcceptedAt.Equal(p.now()) || m.Attempts != 1 {
				t.Errorf("recorded as %+v", m)
			}
			got := mails[0]
			if got.From != "rensa@rensa.example" || !slices.Equal(got.To, []string{"ada@acme.example"}) {
				t.Errorf("from %s to %s", got.From, got.To)
			}
			checkMail(t, got, "<notice-1.acme@rensa.example>", "<ada@acme.example>")
		})
	}
}

// checkMail looks at a mail as a mail program does.
func checkMail(t *testing.T, got notifytest.Mail, id, to string) {
	t.Helper()
	want, err := Compose(digest("sv"))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(got.Head.Get("Subject"))
	if err != nil || subject != want.Subject {
		t.Errorf("the subject is %q, %v", subject, err)
	}
	for name, value := range map[string]string{"Message-Id": id, "To": to, "From": `"Rensa" <rensa@rensa.example>`, "Auto-Submitted": "auto-generated", "Content-Language": "sv"} {
		if got.Head.Get(name) != value {
			t.Errorf("%s is %q, want %q", name, got.Head.Get(name), value)
		}
	}
	if date, err := got.Head.Date(); err != nil || !date.Equal(day("2026-11-23").Add(5*time.Hour)) {
		t.Errorf("the date is %s, %v", date, err)
	}
	parts := map[string]string{}
	readParts(t, got.Head.Get("Content-Type"), strings.NewReader(got.Body), parts)
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
	s := notifytest.Start(t, StartTLS)
	s.Fail(notifytest.Faults{Rcpt: func(to string) error {
		if to == "gone@acme.example" {
			return notifytest.Refusal(550, 5, 1, 1, "no such user here")
		}
		return nil
	}})
	p := open(t, client(s, StartTLS))
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
	s := notifytest.Start(t, StartTLS)
	asked := map[string]int{}
	s.Fail(notifytest.Faults{Rcpt: func(to string) error {
		asked[to]++
		if to == "grey@acme.example" && asked[to] < 4 || to == "never@acme.example" {
			return notifytest.Refusal(451, 4, 7, 1, "come back later")
		}
		return nil
	}})
	p := open(t, client(s, StartTLS))
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
	if asked["ada@acme.example"] != 1 || len(s.Mails()) != 2 {
		t.Errorf("asked %v, %d mails", asked, len(s.Mails()))
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
	s := notifytest.Start(t, NoTLS)
	drops := 2
	s.Fail(notifytest.Faults{Midway: func(cut func()) {
		if drops--; drops >= 0 {
			cut()
		}
	}})
	p := open(t, client(s, NoTLS))
	p.queue("a", "ada@acme.example")
	p.queue("b", "bo@acme.example")
	for range 2 {
		p.wantSent(p.send(), Sent{Messages: 1, Waiting: 1, Unreached: true})
	}
	if n := len(s.Mails()); n != 0 {
		t.Fatalf("%d mails came through", n)
	}
	p.pass(2 * time.Minute)
	p.wantSent(p.send(), Sent{Messages: 2, Accepted: 2})

	// The server has taken it, and nobody hears of it.
	lose := true
	s.Fail(notifytest.Faults{Data: func(_ *notifytest.Mail, cut func()) (bool, error) {
		if lose {
			lose = false
			cut()
		}
		return true, nil
	}})
	p.queue("c", "ada@acme.example")
	p.wantSent(p.send(), Sent{Messages: 1, Waiting: 1, Unreached: true})
	p.pass(2 * time.Minute)
	p.wantSent(p.send(), Sent{Messages: 1, Accepted: 1})
	times := s.Times()
	if times["<c.acme@rensa.example>"] != 2 || times["<a.acme@rensa.example>"] != 1 || times["<b.acme@rensa.example>"] != 1 || len(times) != 3 {
		t.Errorf("the server has %v", times)
	}
}

// A server that does not answer, one that is not there, one that does not let us
// in, one that we do not trust: nothing is lost, nobody is refused.
func TestUnreached(t *testing.T) {
	t.Parallel()
	silent := notifytest.Start(t, NoTLS)
	speak := make(chan struct{})
	silent.Fail(notifytest.Faults{Mail: func(string) error { <-speak; return nil }})
	slow := client(silent, NoTLS)
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
	closed := notifytest.Start(t, StartTLS)
	closed.Want("rensa", "s3cret")
	wrong := client(closed, StartTLS)
	wrong.User, wrong.Password = "rensa", "guess"
	stranger := client(closed, StartTLS)
	stranger.TLS = nil
	bare := notifytest.Start(t, NoTLS)
	us := notifytest.Start(t, NoTLS)
	us.Fail(notifytest.Faults{Mail: func(string) error { return notifytest.Refusal(553, 5, 7, 1, "you may not send as that") }})
	for name, to := range map[string]*Server{
		"silent": slow, "nobody": nobody, "wrong password": wrong, "no login": client(closed, StartTLS), "not trusted": stranger,
		"no STARTTLS": client(bare, StartTLS), "sender refused": client(us, NoTLS), "login in the open": {Host: "mail.example", Security: NoTLS, User: "x", Password: "y"},
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
	close(speak)
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
	checkMail(t, notifytest.Mail{Head: read.Header, Body: string(body)}, "<notice-1.acme@rensa.example>", "<ada@acme.example>, <bo@acme.example>")
}

// Several senders on one outbox, one of which is killed with a message in hand:
// every message arrives, and only what was in that hand arrives late.
func TestSeveralSenders(t *testing.T) {
	t.Parallel()
	s := notifytest.Start(t, NoTLS)
	p := open(t, client(s, NoTLS))
	for i := range 20 {
		p.queue(fmt.Sprintf("m%02d", i), "ada@acme.example")
	}
	if _, err := p.ledger.TakeMessage(t.Context(), "acme", "m07", "killed", p.now(), p.now().Add(leaseFor)); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			if _, err := p.another(client(s, NoTLS)).SendDue(context.Background(), "acme"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := len(s.Mails()); n != 19 {
		t.Errorf("%d mails arrived", n)
	}
	p.pass(leaseFor)
	p.wantSent(p.send(), Sent{Messages: 1, Accepted: 1})
	times := s.Times()
	if len(times) != 20 || len(s.Mails()) != 20 {
		t.Errorf("%d mails of %d messages", len(s.Mails()), len(times))
	}
}

// Run sends what comes, and stops with a message in hand that will not end.
func TestRun(t *testing.T) {
	t.Parallel()
	s := notifytest.Start(t, NoTLS)
	arrived := make(chan struct{}, 10)
	s.Fail(notifytest.Faults{Data: func(*notifytest.Mail, func()) (bool, error) { arrived <- struct{}{}; return true, nil }})
	p := open(t, client(s, NoTLS))
	p.sender.Poll, p.sender.StopWithin = time.Millisecond, time.Millisecond
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- p.sender.Run(ctx) }()
	p.queue("a", "ada@acme.example")
	<-arrived
	hang, hanging := make(chan struct{}), make(chan struct{})
	s.Fail(notifytest.Faults{Midway: func(func()) { close(hanging); <-hang }})
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
