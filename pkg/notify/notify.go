// Package notify puts the messages of the outbox into words and sends them by
// mail.
//
// A message is delivered at least once to each recipient that a mail server takes:
// it leaves the outbox only when every recipient was taken or refused. It goes to
// each recipient by itself, so that one that is refused keeps nothing from the
// others; a repeat after a crash or a lost answer has the same Message-ID. A
// refused recipient is recorded with the server's words and not tried again; what
// is refused for the moment is tried again later and later. Where no server is
// configured, messages are written as .eml files instead.
//
// It decides nothing about holds or orders. Several senders may work on one
// ledger; each message is in one hand at a time.
package notify

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net/mail"
	"path"
	"strings"
	"time"

	"github.com/rs/zerolog"
	gomail "github.com/wneessen/go-mail"

	"rensa/pkg/ledger"
	"rensa/pkg/storage"
	"rensa/templates"
)

// Options is what a Sender works with; Ledger, Now, From and Dir are required.
type Options struct {
	Ledger *ledger.Ledger
	Now    func() time.Time
	Log    zerolog.Logger
	From   *mail.Address
	// Server takes the messages; nil: they are written below Folder of Dir.
	Server *Server
	Dir    *storage.Dir
	// Wait is how long a message waits after so many attempts; default 1 minute,
	// doubled each time, at most an hour.
	Wait func(attempts int) time.Duration
	// GiveUp is after what time a recipient counts as refused who is refused for
	// the moment again and again; default 5 days.
	GiveUp time.Duration
	// Poll is how often Run looks for messages; default 10 s.
	Poll time.Duration
	// StopWithin is how long a message in hand may take once the work is to end.
	// Default 10 s.
	StopWithin time.Duration
}

// Folder is where messages are written when there is no server, by merchant.
const Folder = "outbox"

// leaseFor keeps a message from other senders; it is longer than a message with a
// few recipients can take.
const leaseFor = 15 * time.Minute

// Sender works the outbox off. It may be used by several goroutines.
type Sender struct {
	Options
	owner string
}

// New makes a Sender. It holds nothing open.
func New(opt Options) *Sender {
	if opt.Wait == nil {
		opt.Wait = func(attempts int) time.Duration { return min(time.Minute<<min(attempts-1, 6), time.Hour) }
	}
	if opt.GiveUp <= 0 {
		opt.GiveUp = 5 * 24 * time.Hour
	}
	if opt.Poll <= 0 {
		opt.Poll = 10 * time.Second
	}
	if opt.StopWithin <= 0 {
		opt.StopWithin = 10 * time.Second
	}
	return &Sender{Options: opt, owner: strings.ToLower(rand.Text()[:12])}
}

// Sent counts what came of a round.
type Sent struct {
	Messages int // tried
	Accepted int // recipients that the server took
	Refused  int // recipients that it will never take
	Waiting  int // messages that are tried again
	Written  int // messages written as files
	// Unreached: the server takes nothing at all now, and the round ended there.
	Unreached bool
}

// SendDue sends the messages of a merchant, "" for all, that are due now. A server
// that cannot be reached ends the round and is no error: what is not sent stays in
// the outbox.
func (s *Sender) SendDue(ctx context.Context, merchant string) (Sent, error) {
	var sent Sent
	due, err := s.Ledger.DueMessageKeys(ctx, merchant, s.Now())
	if err != nil || len(due) == 0 {
		return sent, err
	}
	l := &line{server: s.Server}
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(s.StopWithin, l.cut) })
	defer stop()
	defer func() {
		if err := l.hangUp(); err != nil {
			s.Log.Debug().Err(err).Msg("leaving the mail server")
		}
	}()
	for _, k := range due {
		if ctx.Err() != nil {
			return sent, ctx.Err()
		}
		reached, err := s.one(ctx, l, k, &sent)
		if err != nil {
			return sent, err
		}
		if !reached {
			sent.Unreached = true
			break
		}
	}
	return sent, nil
}

// one takes a message in hand and sends it or writes it. reached is false where
// the server takes nothing at all now.
func (s *Sender) one(ctx context.Context, l *line, k ledger.MessageKey, sent *Sent) (reached bool, err error) {
	now := s.Now()
	m, err := s.Ledger.TakeMessage(ctx, k.Merchant, k.ID, s.owner, now, now.Add(leaseFor))
	if errors.Is(err, ledger.ErrLost) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	sent.Messages++
	log := s.Log.With().Str("merchant", m.Merchant).Str("mail", m.ID).Logger()
	text, err := Compose(&m)
	if err != nil {
		// A fault of the program: the message stays, for a program that knows it.
		log.Error().Err(err).Msg("message cannot be put into words")
		sent.Waiting++
		return true, s.tried(ctx, &m, ledger.Attempt{RetryAfter: now.Add(s.Wait(m.Attempts)), Reason: err.Error()})
	}
	if s.Server == nil || len(m.Recipients) == 0 {
		place, err := s.write(&m, text)
		if err != nil {
			return false, err
		}
		sent.Written++
		log.Info().Str("file", place).Msg("message written as a file")
		return true, lost(s.Ledger.MarkMessageWritten(ctx, m.Merchant, m.ID, place, s.Now()))
	}
	attempt, reached := s.deliver(ctx, l, &m, text)
	waits := false
	for _, r := range attempt.Recipients {
		switch r.State {
		case ledger.RecipientAccepted:
			sent.Accepted++
		case ledger.RecipientRefused:
			sent.Refused++
			log.Warn().Str("reason", r.Reason).Msg("a recipient is refused by the mail server")
		default:
			waits = true
		}
	}
	if waits {
		sent.Waiting++
		attempt.RetryAfter = s.Now().Add(s.Wait(m.Attempts))
		log.Warn().Str("reason", attempt.Reason).Time("again_at", attempt.RetryAfter).Msg("message waits")
	} else {
		log.Info().Int("recipients", len(attempt.Recipients)).Msg("message sent")
	}
	return reached, s.tried(ctx, &m, attempt)
}

// tried records an attempt, most of all when the work is to end.
func (s *Sender) tried(ctx context.Context, m *ledger.Message, a ledger.Attempt) error {
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	a.At = s.Now()
	return lost(s.Ledger.MarkTried(late, m.Merchant, m.ID, a))
}

// lost takes it for granted that somebody else has settled a message.
func lost(err error) error {
	if errors.Is(err, ledger.ErrLost) {
		return nil
	}
	return err
}

// deliver sends a message to each recipient that it has not reached yet.
func (s *Sender) deliver(ctx context.Context, l *line, m *ledger.Message, text *templates.Mail) (a ledger.Attempt, reached bool) {
	reached = true
	for _, r := range m.Recipients {
		if r.State != ledger.RecipientQueued {
			continue
		}
		r.At, r.Reason = s.Now(), ""
		msg, err := build(m, text, s.From, []string{r.Address})
		switch {
		case err != nil:
			r.State, r.Reason = ledger.RecipientRefused, err.Error()
		case !reached:
			r.Reason = a.Reason // it is not asked again and again
		default:
			what, words := s.send(ctx, l, msg)
			switch {
			case words == "":
				r.State = ledger.RecipientAccepted
			case what == never, what == later && s.Now().Sub(m.Created) > s.GiveUp:
				r.State, r.Reason = ledger.RecipientRefused, words
			default:
				r.Reason, a.Reason = words, words
				reached = what != nowhere
			}
		}
		a.Recipients = append(a.Recipients, r)
	}
	return a, reached
}

// send gives one mail to the server; no words: it was taken.
func (s *Sender) send(ctx context.Context, l *line, msg *gomail.Msg) (fate, string) {
	if err := l.dial(ctx); err != nil {
		return nowhere, said(err)
	}
	err := l.send(msg)
	if err == nil || msg.IsDelivered() {
		return later, "" // what went wrong after it was taken is no matter
	}
	what, words := judge(err)
	if what == nowhere {
		l.drop()
	}
	return what, words
}

// write puts a message into the outbox folder as a file. Its name is the message's,
// so that one that was written and could not be recorded is not written twice.
func (s *Sender) write(m *ledger.Message, text *templates.Mail) (string, error) {
	var to []string
	for _, r := range m.Recipients {
		to = append(to, r.Address)
	}
	msg, err := build(m, text, s.From, to)
	if err != nil {
		return "", fmt.Errorf("message %s: %w", m.ID, err)
	}
	var b bytes.Buffer
	if _, err := msg.WriteTo(&b); err != nil {
		return "", fmt.Errorf("message %s: %w", m.ID, err)
	}
	place := path.Join(Folder, m.Merchant, m.ID+".eml")
	if _, err := s.Dir.Put(place, &b); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("message %s: %w", m.ID, err)
	}
	return place, nil
}

// Run sends messages as they become due, until ctx ends. What is in hand then is
// finished or, past StopWithin, broken off and sent again later. A server that
// takes nothing is asked less and less often.
func (s *Sender) Run(ctx context.Context) error {
	again := time.NewTimer(0)
	defer again.Stop()
	for wait := s.Poll; ; {
		select {
		case <-ctx.Done():
			return nil
		case <-again.C:
		}
		sent, err := s.SendDue(ctx, "")
		if err != nil && ctx.Err() == nil {
			s.Log.Error().Err(err).Msg("the outbox cannot be worked off; it is tried again")
		}
		if wait = min(2*wait, 5*time.Minute); !sent.Unreached {
			wait = s.Poll
		}
		again.Reset(wait)
	}
}
