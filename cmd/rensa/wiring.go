package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"time"

	// Merchants' zones must be known on machines without a zone database too.
	_ "time/tzdata"

	"github.com/rs/zerolog"

	"rensa/pkg/ledger"
	"rensa/pkg/policy"
	"rensa/pkg/process"
	"rensa/pkg/removal"
	"rensa/pkg/storage"
)

// workspace is an open workspace: its configuration, policy and ledger.
type workspace struct {
	dir        string
	config     config
	policy     *policy.Set
	ledger     *ledger.Ledger
	processors []*process.Processor
	folders    []*storage.Dir
	log        zerolog.Logger
	actor      string // who is at the keyboard, for events
	now        func() time.Time
}

// open finds the workspace and opens what is in it. The caller closes it.
func (a *app) open(ctx context.Context) (*workspace, error) {
	dir, err := findWorkspace(a.workspace, a.environ, a.cwd)
	if err != nil {
		return nil, err
	}
	return a.openAt(ctx, dir)
}

func (a *app) openAt(ctx context.Context, dir string) (*workspace, error) {
	c, err := readConfig(dir, a.environ)
	if err != nil {
		return nil, err
	}
	if err := lostLedger(dir, c.LedgerURL.in(dir)); err != nil {
		return nil, err
	}
	ws := &workspace{dir: dir, config: c, actor: actor(), now: a.now, log: a.logger(c)}
	// The policy is read beside it, see ahead.
	ws.ledger, err = ledger.Open(ctx, c.LedgerURL.in(dir), ledger.Options{Now: a.now})
	if err != nil {
		return nil, fmt.Errorf("ledger %s: %w", c.LedgerURL.in(dir), err)
	}
	if ws.policy, err = loadPolicy(dir); err != nil {
		return nil, errors.Join(err, ws.ledger.Close())
	}
	return ws, nil
}

// lostLedger refuses to begin a new ledger in a workspace that has worked with one:
// it would know of no file and no order, and take all of them anew.
func lostLedger(dir, file string) error {
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		return nil // what else is wrong with it is told when it is opened
	}
	worked, err := fs.Glob(os.DirFS(dir), "snapshots/*/*.snap")
	if err != nil || len(worked) == 0 {
		return err
	}
	return usage("cli.err.ledger_lost", "file", file).hint("cli.hint.ledger_lost")
}

// Close lets the ledger go. What was committed is durable already.
func (ws *workspace) Close() {
	for _, p := range ws.processors {
		if err := p.Close(); err != nil {
			ws.log.Error().Err(err).Msg("closing the workspace's folders")
		}
	}
	for _, d := range ws.folders {
		if err := d.Close(); err != nil {
			ws.log.Error().Err(err).Msg("closing the workspace's folder")
		}
	}
	if err := ws.ledger.Close(); err != nil {
		ws.log.Error().Err(err).Msg("closing the ledger")
	}
}

// loadPolicy reads the embedded policy with the workspace's own tables over it.
func loadPolicy(dir string) (*policy.Set, error) {
	folder := filepath.Join(dir, "policy")
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		return policy.Load(nil)
	}
	set, err := policy.Load(os.DirFS(folder))
	if err != nil {
		return nil, usage("cli.err.policy_tables", "dir", folder).because(err)
	}
	return set, nil
}

func (a *app) logger(c config) zerolog.Logger {
	w := a.stderr
	if c.LogFormat.text == "text" || c.LogFormat.text == "auto" && isTerminal(a.stderr) {
		w = zerolog.ConsoleWriter{Out: a.stderr, NoColor: !a.style.on, TimeFormat: time.RFC3339}
	}
	level, err := zerolog.ParseLevel(c.LogLevel.text)
	if err != nil {
		level = zerolog.WarnLevel
	}
	return zerolog.New(w).Level(level).With().Timestamp().Logger()
}

// processor builds what happens to files in this workspace. It is closed with the
// workspace.
func (ws *workspace) processor(progress func(done, total int64)) (*process.Processor, error) {
	p, err := process.New(process.Options{
		Ledger: ws.ledger, Policy: ws.policy, Root: ws.dir, Now: ws.now,
		Limits: ws.config.decodeLimits(), Log: ws.log, Progress: progress,
	})
	if err == nil {
		ws.processors = append(ws.processors, p)
	}
	return p, err
}

// merchant finds the merchant of this id, or the only one there is where id is "".
func (ws *workspace) merchant(ctx context.Context, id string) (removal.Merchant, error) {
	if id != "" {
		m, err := ws.ledger.Merchant(ctx, id)
		if !errors.Is(err, ledger.ErrNotFound) {
			return m, err
		}
	}
	all, err := ws.ledger.Merchants(ctx)
	if err != nil {
		return removal.Merchant{}, err
	}
	ids := make([]string, len(all))
	for i, m := range all {
		ids[i] = m.ID
	}
	switch {
	case len(all) == 0:
		return removal.Merchant{}, usage("cli.err.no_merchant").hint("cli.hint.merchants_add")
	case id != "":
		return removal.Merchant{}, usage("cli.err.merchant_unknown", "id", id).near(id, ids).
			hint("cli.hint.merchants", "ids", strings.Join(ids, ", "))
	case len(all) > 1:
		return removal.Merchant{}, usage("cli.err.merchant_missing").
			hint("cli.hint.merchant_choose", "ids", strings.Join(ids, ", "))
	}
	return all[0], nil
}

// isTemporary tells whether the same call may work a moment later.
func isTemporary(err error) bool {
	return errors.Is(err, ledger.ErrConflict) || errors.Is(err, ledger.ErrBusy) || errors.Is(err, process.ErrUnpublished)
}

// actor names who works here, for the history of orders and settings.
func actor() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return "cli:" + u.Username
	}
	return "cli"
}

// timeText is how times stand in answers.
func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}
