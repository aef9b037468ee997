package web

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"rensa/pkg/ledger"
)

// How often a page that is told of progress is looked after, and for how long;
// the browser asks again after that.
const (
	liveEvery = 400 * time.Millisecond
	liveFor   = 10 * time.Minute
)

// live sends what show writes whenever that changes, until show says that it is
// the last time, the client goes away or the server ends.
func (s *Server) live(w http.ResponseWriter, r *http.Request, show func() (event, body string, last bool, err error)) error {
	control := http.NewResponseController(w)
	event, body, last, err := show()
	if err != nil {
		return err // before anything was sent, so that it can be told
	}
	s.metrics.live.Inc()
	defer s.metrics.live.Dec()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // a proxy that would gather events
	w.WriteHeader(http.StatusOK)
	before, end, quiet := "", s.Now().Add(liveFor), 0
	for {
		if now := event + body; now != before {
			before, quiet = now, 0
			if err := send(w, control, event, body); err != nil {
				return nil
			}
		} else if quiet++; quiet%40 == 0 { // so that nobody on the way thinks it dead
			if _, err := fmt.Fprint(w, ": still here\n\n"); err != nil || control.Flush() != nil {
				return nil
			}
		}
		if last || s.Now().After(end) {
			return nil
		}
		select {
		case <-r.Context().Done():
			return nil
		case <-s.stopping:
			return nil
		case <-s.After(liveEvery):
		}
		if event, body, last, err = show(); err != nil {
			s.Log.Warn().Err(err).Str("path", r.URL.Path).Msg("progress cannot be told")
			return nil
		}
	}
}

func send(w http.ResponseWriter, control *http.ResponseController, event, body string) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "event: %s\n", event)
	for line := range strings.Lines(body) {
		b.WriteString("data: " + strings.TrimRight(line, "\r\n") + "\n")
	}
	b.WriteString("\n")
	if _, err := w.Write(b.Bytes()); err != nil {
		return err
	}
	return control.Flush()
}

// filesLive tells the page of files what is on its way.
func (s *Server) filesLive(w http.ResponseWriter, r *http.Request, v *visit) error {
	return s.live(w, r, func() (string, string, bool, error) {
		all, err := s.waiting(r, v)
		if err != nil {
			return "", "", false, err
		}
		var b bytes.Buffer
		err = s.execute(&b, r, v, "files.html", "waiting", &fileList{Waiting: all})
		return "waiting", b.String(), false, err
	})
}

// claim is the page of one file on its way.
type claim struct {
	File waitingFile
	// Before is how many files of the merchant come first.
	Before int
	// Done is where its answer is; "" while there is none.
	Done string
	// Rejected: it could not be used; Note is what was put beside it.
	Rejected bool
	Reason   string
	Note     string
	// Seen is the run that took the same bytes before.
	Seen *ledger.Run
}

func (s *Server) claim(r *http.Request, v *visit) (*claim, error) {
	ctx, m := r.Context(), v.merchant.ID
	w, err := s.Ledger.Work(ctx, m, r.PathValue("file"))
	if err != nil {
		return nil, err
	}
	c := &claim{File: s.waitingFile(&w)}
	switch {
	case w.State == ledger.FilePublished && w.Run != "", w.State == ledger.FileArchived && w.Run != "":
		c.Done = merchantPath(m, "runs", w.Run)
	case w.State == ledger.FileArchived && w.Target == "":
		if c.Seen, err = s.Ledger.SeenFile(ctx, m, w.SHA256); err != nil {
			return nil, err
		}
	case w.State == ledger.FileRejected && w.Target == "":
		c.Rejected, c.Reason, c.Note = true, w.Reason, s.noteOf(&w)
	case w.State == ledger.FileClosed:
		c.Rejected, c.Reason = true, w.Reason
	case w.State == ledger.FileClaimed:
		open, err := s.Ledger.Waiting(ctx, m)
		if err != nil {
			return nil, err
		}
		for i := range open {
			if open[i].Seq < w.Seq {
				c.Before++
			}
		}
	}
	return c, nil
}

func (c *claim) ended() bool { return c.Done != "" || c.Rejected || c.Seen != nil }

// claimPage shows a file on its way; once it is answered it goes on to the answer.
func (s *Server) claimPage(w http.ResponseWriter, r *http.Request, v *visit) error {
	c, err := s.claim(r, v)
	if err != nil {
		return err
	}
	if c.Done != "" {
		return see(w, r, c.Done)
	}
	return s.render(w, r, v, "claim.html", c)
}

func (s *Server) claimLive(w http.ResponseWriter, r *http.Request, v *visit) error {
	return s.live(w, r, func() (string, string, bool, error) {
		c, err := s.claim(r, v)
		if err != nil {
			return "", "", false, err
		}
		var b bytes.Buffer
		err = s.execute(&b, r, v, "claim.html", "state", c)
		return "state", b.String(), c.ended(), err
	})
}

// maxNote is how much of a note is shown.
const maxNote = 16 << 10

// noteOf reads what was put beside a rejected file; "" where it is gone.
func (s *Server) noteOf(w *ledger.Work) string {
	text, err := s.readSome(w.Place+".problems.txt", maxNote)
	if err != nil && !errors.Is(err, errNotFound) {
		s.Log.Warn().Err(err).Str("claim", w.ID).Msg("the note of a rejected file")
	}
	return strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
}
