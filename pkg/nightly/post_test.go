package nightly_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rensa/pkg/ledger"
	"rensa/pkg/notify"
	"rensa/pkg/notify/notifytest"
	"rensa/pkg/removal"
)

// post is the mail server of the world: a real one with its moods, which keeps of a
// mail its head and who it is for. It knows no clock: what it answered is gathered
// round by round, and the world says when that was.
type post struct {
	*notifytest.Server
	mu     sync.Mutex // the server's goroutines ask
	rnd    *rand.Rand
	moods  map[string]int // by domain of the recipients
	calm   bool           // no connection breaks
	cut    bool           // the connection of the mail that comes is broken
	putOff map[string]bool
	heard  []string          // Message-IDs of the mails that were taken, with an answer that went out
	says   map[string]string // what the mails of an id say, as a hash
	unlike []string          // what is wrong with mails that came
	broken int               // connections
}

func newPost(t testing.TB, seed uint64) *post {
	t.Helper()
	p := &post{
		Server: notifytest.Start(t, notifytest.NoTLS), rnd: rand.New(rand.NewPCG(seed, 7)), moods: map[string]int{},
		putOff: map[string]bool{}, says: map[string]string{},
	}
	p.Fail(notifytest.Faults{Rcpt: p.rcpt, Midway: p.midway, Data: p.data})
	return p
}

// rcpt refuses everybody of a server that refuses, and at times those of whom one is
// enough.
func (p *post) rcpt(to string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	name, domain, _ := strings.Cut(to, "@")
	if p.moods[domain] == mailRefuses || name == "b" && p.rnd.IntN(3) == 0 {
		return notifytest.Refusal(550, 5, 1, 1, "no such user here")
	}
	return nil
}

func (p *post) midway(cut func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = p.breakOff(40, cut)
}

func (p *post) breakOff(in int, cut func()) bool {
	if p.calm || p.rnd.IntN(in) > 0 {
		return false
	}
	p.broken++
	cut()
	return true
}

// data takes a mail, puts it off, or takes it and lets nobody hear of it.
func (p *post) data(m *notifytest.Mail, cut func()) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id := strings.Trim(m.Head.Get("Message-Id"), "<>")
	p.look(id, m)
	m.Raw, m.Body = nil, ""
	for _, to := range m.To {
		if _, domain, _ := strings.Cut(to, "@"); p.moods[domain] == mailGrey && !p.putOff[id+to] {
			p.putOff[id+to] = true
			return false, notifytest.Refusal(451, 4, 7, 1, "come back later")
		}
	}
	if !p.cut && !p.breakOff(25, cut) {
		p.heard = append(p.heard, id)
	}
	return true, nil
}

// look notes a mail that came: all of an id say the same to everybody.
func (p *post) look(id string, m *notifytest.Mail) {
	_, boundary, _ := strings.Cut(m.Head.Get("Content-Type"), "boundary=")
	var attached []string
	for part := range strings.SplitSeq(m.Body, "\r\n--"+strings.Trim(boundary, "\"")) {
		if strings.Contains(part, "attachment; filename=") {
			attached = append(attached, part)
		}
	}
	if strings.HasPrefix(id, "notice-") && len(attached) != 2 {
		p.unlike = append(p.unlike, fmt.Sprintf("%s: %d attachments", id, len(attached)))
	}
	parts := append(attached, m.Head.Get("Subject"), m.Head.Get("Date"))
	mark := fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(parts, "\x00"))))
	if p.says[id] == "" {
		p.says[id] = mark
	} else if p.says[id] != mark {
		p.unlike = append(p.unlike, id+": another mail of the same id")
	}
}

// round is a round of sending; calm lets no connection break in it.
func (p *post) round(calm bool, send func() error) (heard []string, err error) {
	p.mu.Lock()
	p.calm, p.heard = calm, nil
	p.mu.Unlock()
	err = send()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.heard, err
}

func (p *post) mood(domain string, mood int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.moods[domain] = mood
}

// send is a round of the sender for a merchant. A crash may come between the
// server's answer and the note of it: then the program starts again and, as soon as
// the message is in nobody's hand, goes on.
func (w *world) send(tr *trader) {
	w.t.Helper()
	if tr.mail == mailRefuses && !w.clock.Before(w.refusingUntil()) {
		w.post.mood(tr.domain(), mailTakes)
	}
	w.deliver(tr, false)
}

// deliver sends what is due; calm: without broken connections.
func (w *world) deliver(tr *trader, calm bool) {
	w.t.Helper()
	crashed := false
	w.again(func() error {
		if crashed {
			w.clock = w.clock.Add(20 * time.Minute)
		}
		opt := notify.Options{Ledger: w.ledger, Now: w.now, From: &mail.Address{Address: "rensa@rensa.example"}, Dir: w.dir}
		if tr.mail != mailNone {
			opt.Server = &notify.Server{Host: w.post.Host, Port: w.post.Port, Security: notify.NoTLS, Timeout: 5 * time.Minute}
		}
		if tr.mail == mailGrey {
			opt.Wait = func(int) time.Duration { return 20 * time.Hour }
		}
		heard, err := w.post.round(calm || crashed, func() error {
			_, err := notify.New(opt).SendDue(context.Background(), tr.id)
			return err
		})
		for _, id := range heard {
			w.heard[id] = append(w.heard[id], w.clock)
		}
		crashed = errors.Is(err, errFault)
		return err
	})
}

// refusingUntil is when the servers that refuse begin to take.
func (w *world) refusingUntil() time.Time { return w.first.AddDate(0, 0, 40) }

func (tr *trader) domain() string { return tr.id + ".example" }

// letters looks at the outbox after all: the server holds every message at least
// once for each address that it took, under one id however often, and nothing else;
// no two messages share an id. It answers how many mails came again.
func (w *world) letters(sum *counts) (repeats int) {
	w.t.Helper()
	for range 4 { // one for each way in which a mail can be held up
		w.clock = w.clock.Add(24 * time.Hour)
		for _, tr := range w.traders { // what waits is sent
			w.deliver(tr, true)
		}
	}
	holds := map[string]map[string]int{}
	for _, m := range w.post.Mails() {
		id := strings.Trim(m.Head.Get("Message-Id"), "<>")
		if holds[id] == nil {
			holds[id] = map[string]int{}
		}
		for _, to := range m.To {
			if holds[id][to]++; holds[id][to] > 1 {
				repeats++
			}
		}
	}
	for _, s := range w.post.unlike {
		w.t.Error(s)
	}
	var digests int64
	seen := map[string]bool{}
	for _, tr := range w.traders {
		all, err := w.ledger.Messages(context.Background(), tr.id, 1_000_000)
		must(w.t, err)
		for i := range all {
			m := &all[i]
			if seen[m.MessageID] {
				w.t.Errorf("%s is the id of two messages", m.MessageID)
			}
			seen[m.MessageID] = true
			if m.Kind == string(removal.NoticeDigest) {
				digests++
			}
			w.arrived(tr, m, holds[m.MessageID])
		}
	}
	for id := range holds {
		if !seen[id] {
			w.t.Errorf("the server holds %s, and the outbox does not know it", id)
		}
	}
	if digests != sum.digests {
		w.t.Errorf("%d digests in the outbox, %d were seen", digests, sum.digests)
	}
	return repeats
}

// arrived holds a message against what the server has of it: it has it for every
// address that the outbox says it took, and the others it refused; and the outbox
// notes when it said so first.
func (w *world) arrived(tr *trader, m *ledger.Message, has map[string]int) {
	w.t.Helper()
	heard := w.heard[m.MessageID]
	if tr.mail == mailNone {
		place, err := w.dir.Stat(m.Place)
		if m.State != ledger.MessageWritten || !m.AcceptedAt.IsZero() || len(has) > 0 || err != nil || place.Bytes == 0 {
			w.t.Errorf("%s of %s without a server: %+v, %v", m.ID, tr.id, m, err)
		}
		return
	}
	taken := 0
	for _, r := range m.Recipients {
		switch {
		case r.State == ledger.RecipientAccepted:
			taken++
			if has[r.Address] == 0 {
				w.t.Errorf("%s of %s never came to %s", m.ID, tr.id, r.Address)
			}
		case r.State != ledger.RecipientRefused || !strings.HasPrefix(r.Reason, "550"):
			w.t.Errorf("%s of %s to %s is %s: %s", m.ID, tr.id, r.Address, r.State, r.Reason)
		}
	}
	refused := tr.mail == mailRefuses && m.Created.Before(w.refusingUntil())
	if want := map[bool]string{true: ledger.MessageSent, false: ledger.MessageFailed}[taken > 0]; m.State != want || refused == (taken > 0) {
		w.t.Errorf("%s of %s is %s, taken for %d addresses", m.ID, tr.id, m.State, taken)
	}
	if taken == 0 {
		if !m.AcceptedAt.IsZero() || len(heard) > 0 {
			w.t.Errorf("%s of %s: accepted %s, heard %s", m.ID, tr.id, m.AcceptedAt, heard)
		}
	} else if len(heard) == 0 || !slices.ContainsFunc(heard, m.AcceptedAt.Equal) || dayIn(heard[0], tr.zone) != dayIn(m.AcceptedAt, tr.zone) {
		w.t.Errorf("%s of %s: accepted %s, heard %s", m.ID, tr.id, m.AcceptedAt, heard)
	}
}
