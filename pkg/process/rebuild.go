package process

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
	"rensa/pkg/report"
	"rensa/pkg/validate"
	"rensa/templates"
)

// What can stand in the way of making a report again.
var (
	ErrOriginalGone = errors.New("the original is no longer kept")
	ErrNoReport     = errors.New("the run has no such report")
)

// Rebuild makes one report of a run again, from the archived original and the
// ledger, and writes it to w: the same bytes as the first time, under the same
// version of the program's reports and tables. ledger.ErrNotFound: no such run.
func (p *Processor) Rebuild(ctx context.Context, merchant, run, file string, w io.Writer) (err error) {
	r, err := p.Ledger.Run(ctx, merchant, run)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(r.Outputs, func(o ledger.Output) bool { return o.Name == file }) {
		return fmt.Errorf("%s of run %s: %w", file, run, ErrNoReport)
	}
	again, err := p.reopen(ctx, &r)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, again.close()) }()
	dir := filepath.Join(again.j.temp, stagedReports)
	if err := os.Mkdir(dir, 0o750); err != nil {
		return err
	}
	if err := again.write(ctx, func(name string) (io.WriteCloser, error) {
		return os.Create(filepath.Join(dir, name))
	}); err != nil {
		return err
	}
	f, err := os.Open(filepath.Join(dir, file))
	if err != nil {
		return err
	}
	_, err = io.Copy(w, f)
	return errors.Join(err, f.Close())
}

// republish makes the files of a committed run again and gives them their places.
func (p *Processor) republish(ctx context.Context, run *ledger.Run) (err error) {
	again, err := p.reopen(ctx, run)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, again.close()) }()
	d, err := detailOf(run)
	if err != nil {
		return err
	}
	// What is left in the run's own folder may be half-written.
	for _, name := range []string{stagedReports, stagedOutbound} {
		if err := p.dir.Delete(path.Join(d.Folder, name)); err != nil {
			return err
		}
	}
	again.j.folder = d.Folder
	pl, err := p.stage(again.j)
	if err != nil {
		return err
	}
	if err := errors.Join(again.write(ctx, pl.reports), again.handOn(ctx, pl)); err != nil {
		return errors.Join(err, pl.discard())
	}
	if err := pl.sync(); err != nil {
		return errors.Join(err, pl.discard())
	}
	_, err = p.publish(ctx, run)
	return err
}

// rerun is a run whose reports are made again.
type rerun struct {
	p        *Processor
	j        *job
	run      *ledger.Run
	detail   detail
	problems []removal.Problem
	close    func() error
}

func (p *Processor) reopen(ctx context.Context, run *ledger.Run) (_ *rerun, err error) {
	r := &rerun{p: p, run: run}
	done := p.snapshots.use(run.Merchant)
	defer func() {
		if err != nil {
			done()
		}
	}()
	if r.detail, err = detailOf(run); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(r.detail.Problems, &r.problems); err != nil {
		return nil, err
	}
	j := &job{Request: Request{Merchant: run.Merchant, Name: run.FileName}, started: run.Started, runID: run.ID,
		sha256: run.SHA256, bytes: run.Bytes, texts: templates.Load(run.Language)}
	if j.zone, err = time.LoadLocation(r.detail.Zone); err != nil {
		return nil, err
	}
	if j.merchant, err = p.Ledger.Merchant(ctx, run.Merchant); err != nil {
		return nil, err
	}
	// What the profile said then, not what it says now.
	profile := &j.merchant.Profile
	profile.Language, profile.CSVBOM, profile.Reports = run.Language, r.detail.CSVBOM, r.detail.Reports
	profile.HomeStore, profile.Policy, profile.ShiftJIS = r.detail.HomeStore, r.detail.Policy, r.detail.ShiftJIS
	j.limits, j.plain = r.detail.Limits, r.detail.Plain
	j.changes = r.detail.Changes
	if j.original, err = p.originalOf(run, &r.detail); err != nil {
		return nil, err
	}
	if j.temp, err = os.MkdirTemp("", "rensa-again-"); err != nil {
		return nil, errors.Join(err, j.original.Close())
	}
	r.j = j
	r.close = func() error {
		done()
		return errors.Join(j.original.Close(), os.RemoveAll(j.temp))
	}
	return r, nil
}

// originalOf opens the original in the archive, or in the run's own folder where
// it was not archived yet.
func (p *Processor) originalOf(run *ledger.Run, d *detail) (*os.File, error) {
	f, err := p.dir.Get(run.Archive)
	if errors.Is(err, fs.ErrNotExist) && run.Status != ledger.RunArchived {
		f, err = p.dir.Get(d.original())
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", run.Archive, ErrOriginalGone)
	}
	return f, err
}

// write makes all reports of the run.
func (r *rerun) write(ctx context.Context, create report.Create) (err error) {
	if !r.run.Kind.HasOutcomes() {
		outbound, err := r.p.Ledger.Sent(ctx, r.run.Merchant, r.run.ID)
		if err != nil {
			return err
		}
		_, _, err = r.p.writeOther(r.j, r.run, r.problems, outbound, create, r.detail.Reports)
		return err
	}
	u, done, err := r.upload(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	outbound, err := r.p.Ledger.Outbound(ctx, r.run.Merchant, r.run.ID)
	if err != nil {
		return err
	}
	set, err := report.NewSet(u.input(), create, r.detail.Reports)
	if err != nil {
		return err
	}
	if err := u.parts(ctx, set, nil, nil); err != nil {
		return errors.Join(err, set.Abort())
	}
	_, err = set.Finish(r.run.Finished, outbound)
	return err
}

// upload brings back a decided upload from the original and the ledger.
func (r *rerun) upload(ctx context.Context) (_ *uploadRun, done func() error, err error) {
	p, j := r.p, r.j
	f, what, err := p.open(j)
	if err != nil {
		return nil, nil, err
	}
	spool := p.spool(j)
	done = func() error { return errors.Join(spool.Close(), f.Close()) }
	fail := func(err error) (*uploadRun, func() error, error) { return nil, nil, errors.Join(err, done()) }
	up, err := readUpload(what)
	if err != nil {
		return fail(err)
	}
	row, err := p.Ledger.SnapshotByID(ctx, j.Merchant, r.run.SnapshotID)
	if err != nil {
		return fail(err)
	}
	u := &uploadRun{p: p, j: j, what: what, file: f, up: up, run: *r.run, d: &decision{problems: r.problems, batches: &sync.Pool{}}}
	snapshot, err := p.openSnapshot(row.Path)
	if err != nil {
		return fail(err)
	}
	store, err := p.Policy.Store(j.merchant.Profile.HomeStore, j.today(), j.merchant.Profile.Policy)
	if err != nil {
		return fail(err)
	}
	u.rules = &validate.Rules{Merchant: j.merchant, Policy: p.Policy, Store: store, Snapshot: snapshot, Now: j.today()}
	u.d.counts = validate.Counts{Read: r.run.Read, Accepted: r.run.Accepted, Rejected: r.run.Rejected, Seen: r.run.Seen}
	u.d.blocks = func() iter.Seq2[[]removal.Outcome, error] { return p.Ledger.Outcomes(ctx, j.Merchant, r.run.ID) }
	u.d.orders = &shelf{spool: spool}
	n := int32(0)
	for orders, err := range p.Ledger.OrderOutcomeBlocks(ctx, j.Merchant, r.run.ID) {
		if err != nil {
			return fail(err)
		}
		for i := range orders {
			if err := u.d.orders.decide(n, &orders[i]); err != nil {
				return fail(err)
			}
			n++
		}
	}
	return u, done, nil
}

// handOn writes the outgoing files of the run again from its orders, and holds
// them against the hashes that the commit fixed.
func (r *rerun) handOn(ctx context.Context, pl *place) error {
	if !r.run.Kind.HasOutcomes() {
		return nil // the ledger has the bytes of what such a run sends out
	}
	outbound, err := r.p.Ledger.Outbound(ctx, r.run.Merchant, r.run.ID)
	if err != nil {
		return err
	}
	for i := range outbound {
		orders, err := r.p.Ledger.Orders(ctx, r.run.Merchant, outbound[i].Orders)
		if err != nil {
			return err
		}
		place := make(map[string]int, len(orders))
		for k, id := range outbound[i].Orders {
			place[id] = k
		}
		slices.SortFunc(orders, func(a, b removal.Order) int { return place[a.ID] - place[b.ID] })
		o, body, err := outgoingFile(r.j, r.run, orders, i+1)
		if err != nil {
			return err
		}
		if o.SHA256 != outbound[i].SHA256 {
			return fmt.Errorf("outgoing file %s comes out different from what was committed", o.Name)
		}
		if err := pl.putOutbound(r.j, &o, body); err != nil {
			return err
		}
	}
	return nil
}
