package process

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"time"

	"rensa/pkg/decode"
	"rensa/pkg/ledger"
	"rensa/pkg/report"
)

// detail is what a run's row in the ledger keeps for us beside its own columns.
type detail struct {
	Folder string `json:"folder"` // the run's own, while it is being published
	// Original is where a claimed file lies until it is archived; "": in Folder.
	Original string `json:"original,omitempty"`
	Zone     string `json:"zone"`
	// What the profile and the configuration said at the time.
	HomeStore string            `json:"home_store"`
	Policy    map[string]string `json:"policy,omitempty"`
	ShiftJIS  bool              `json:"shift_jis,omitempty"`
	CSVBOM    bool              `json:"csv_bom,omitempty"`
	Reports   []string          `json:"reports,omitempty"`
	Limits    decode.Limits     `json:"limits"`
	Plain     bool              `json:"plain,omitempty"`
	// Problems are those of the file; of an inventory file, of its rows too.
	Problems json.RawMessage `json:"problems"`
	Changes  *report.Changes `json:"changes,omitempty"`
}

func detailOf(run *ledger.Run) (detail, error) {
	var d detail
	err := json.Unmarshal(run.Detail, &d)
	return d, err
}

// reportFolder is where the reports of a run appear.
func (d *detail) reportFolder(run *ledger.Run) (string, error) {
	zone, err := time.LoadLocation(d.Zone)
	if err != nil {
		return "", err
	}
	return path.Join("reports", run.Merchant, run.Started.In(zone).Format(time.DateOnly), run.ID), nil
}

// ErrUnpublished says that a file was decided and committed, and only its reports
// could not be put in place: Recover does that later.
var ErrUnpublished = errors.New("committed, but its files are not in place yet")

// publishNow publishes right after the commit.
func (p *Processor) publishNow(ctx context.Context, j *job, run *ledger.Run) (string, error) {
	folder, err := p.publish(ctx, run)
	if err != nil {
		return "", fmt.Errorf("run %s: %w: %w", run.ID, ErrUnpublished, err)
	}
	j.committed = false
	return folder, nil
}

// publish gives the staged files of a committed run their places and says so in
// the ledger. It may be called again after it failed half-way.
func (p *Processor) publish(ctx context.Context, run *ledger.Run) (string, error) {
	begun := p.Now()
	d, err := detailOf(run)
	if err != nil {
		return "", err
	}
	folder, err := d.reportFolder(run)
	if err != nil {
		return "", err
	}
	// What the desk decided to send out lies in the ledger until it is in its place.
	if err := p.Desk().FlushOutgoing(ctx, run.Merchant); err != nil {
		return "", err
	}
	outbound, err := p.Ledger.OutboundNames(ctx, run.Merchant, run.ID)
	if err != nil {
		return "", err
	}
	var names []string
	for _, name := range outbound {
		// The manifest goes first: who sees a file finds what it holds.
		names = append(names, manifestName(name), name)
	}
	if err := p.dir.MoveAll(path.Join(d.Folder, stagedOutbound), path.Join("outbound", run.Merchant), names); err != nil {
		return "", err
	}
	p.step("outgoing files in place")
	if err := p.dir.MoveOnce(path.Join(d.Folder, stagedReports), folder); err != nil {
		return "", err
	}
	p.step("reports in place")
	if err := p.archive(run, &d); err != nil {
		return "", err
	}
	p.step("before done")
	if err := p.Ledger.MarkArchived(ctx, run.Merchant, run.ID, run.Archive); err != nil {
		return "", err
	}
	p.step("done")
	p.Log.Info().Str("run", run.ID).Str("merchant", run.Merchant).Int("reports", len(run.Outputs)).Int("outgoing", len(outbound)).
		Dur("took", p.Now().Sub(begun)).Msg("published")
	return p.path(folder), nil
}

// path is where something of the workspace lies for other programs.
func (p *Processor) path(name string) string { return filepath.Join(p.Root, filepath.FromSlash(name)) }

// Recover publishes what was committed and not published, as after a crash, but
// for what another living process is publishing, and clears away what programs left
// that live no more.
func (p *Processor) Recover(ctx context.Context) error {
	runs, err := p.Ledger.Unpublished(ctx)
	if err != nil {
		return err
	}
	died, err := p.someDied()
	if err != nil || len(runs) == 0 && !died {
		return err
	}
	leave, err := p.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	if err := p.publishAll(ctx, runs); err != nil {
		return err
	}
	if died {
		p.clearLeftovers(ctx)
	}
	return nil
}

// publishAll publishes runs that nobody else has in hand.
func (p *Processor) publishAll(ctx context.Context, runs []ledger.Run) error {
	hand, err := p.hand(handNow)
	if err != nil {
		return err
	}
	for i := range runs {
		w, err := p.Ledger.WorkOf(ctx, runs[i].Merchant, runs[i].ID)
		if err != nil {
			return err
		}
		if !p.free(&w, hand) {
			continue
		}
		_, err = p.Ledger.Lease(ctx, w, hand, p.Now().Add(leaseFor))
		if errors.Is(err, ledger.ErrLost) {
			continue
		}
		if err == nil {
			err = p.publishAgain(ctx, &runs[i])
		}
		if err != nil {
			return err
		}
	}
	return nil
}
