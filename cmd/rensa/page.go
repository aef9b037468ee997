package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"rensa/pkg/ledger"
	"rensa/pkg/process"
	"rensa/pkg/storage"
	"rensa/pkg/web"
	"rensa/templates"
)

// Explain is how the page tells a fault: in the user's language.
func (f *fault) Explain(t *templates.Texts) (message string, hints []string) {
	message = t.T(f.say.key, f.say.args...)
	if f.err != nil {
		message += ": " + f.err.Error()
	}
	for _, h := range f.hints {
		hints = append(hints, t.T(h.key, h.args...))
	}
	return message, hints
}

// page builds the page and the API of a workspace. wake tells the work, where it is
// in this process, that a file has come; planned is what it shows of scheduled work.
func (a *app) page(ws *workspace, p *process.Processor, dir *storage.Dir, planned web.Planned, wake func()) (*web.Server, error) {
	c := &ws.config.pageConfig
	s, err := web.New(web.Options{
		Ledger: ws.ledger, Policy: ws.policy, Desk: p.Desk(), Dir: dir, Book: p.Book(), Wake: wake, Snapshot: p.Snapshot, Planned: planned,
		Settle: func(ctx context.Context, actor, merchant string, assignments []string) ([]ledger.Event, error) {
			events, _, err := ws.by(actor).setMerchant(ctx, merchant, assignments)
			return events, err
		},
		AddMerchant: func(ctx context.Context, actor, id, store string, assignments []string) error {
			_, err := ws.by(actor).newMerchant(ctx, id, store, assignments)
			return err
		},
		Rebuild: func(ctx context.Context, merchant, run, file string, w io.Writer) error {
			err := p.Rebuild(ctx, merchant, run, file, w)
			if errors.Is(err, process.ErrOriginalGone) || errors.Is(err, process.ErrNoReport) {
				return errors.Join(web.ErrGone, err)
			}
			return err
		},
		Listen: c.Listen.text, PublicURL: c.PublicURL.text, BehindProxy: c.BehindProxy.yes,
		TLSCert: inWorkspace(ws.dir, c.TLSCert.text), TLSKey: inWorkspace(ws.dir, c.TLSKey.text),
		MaxUpload: ws.config.Limits.Bytes.n, Now: ws.now, Log: ws.log, Version: version,
	})
	if err != nil {
		return nil, pageFault(err)
	}
	return s, nil
}

// by is the workspace with somebody else as the one who changes it.
func (ws *workspace) by(actor string) *workspace {
	as := *ws
	as.actor, as.processors = actor, slices.Clone(ws.processors)
	return &as
}

// firstLink tells how to sign in for the first time, as long as nobody has.
func (a *app) firstLink(ctx context.Context, ws *workspace, s *web.Server) error {
	path, err := web.FirstLink(ctx, ws.ledger, ws.now())
	if err != nil || path == "" {
		return err
	}
	// Said even with -q: without it nobody gets in.
	fmt.Fprintln(a.stderr, a.t("cli.serve.first_link", "link", s.Address()+path))
	return nil
}

// plain writes a line of data, whatever -q says.
func (a *app) plain(line string) { fmt.Fprintln(a.out, line) }
