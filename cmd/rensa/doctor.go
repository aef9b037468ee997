package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"rensa/pkg/inventory"
	"rensa/pkg/ledger"
	"rensa/pkg/process"
	"rensa/pkg/removal"
)

func (a *app) doctorCommand() *cobra.Command {
	var fix bool
	c := &cobra.Command{
		Use: "doctor", Short: a.t("cli.about.doctor"), Long: a.t("cli.about.doctor_long"), Args: a.wants(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.doctor(cmd.Context(), fix) },
	}
	c.Flags().BoolVar(&fix, "fix", false, a.t("cli.flag.fix"))
	return c
}

// finding is something that the doctor found.
type finding struct {
	Text  string `json:"text"`
	Fixed bool   `json:"fixed"`
	// Note: nothing is wrong, only worth knowing.
	Note bool `json:"note"`
}

// examined is one of the doctor's checks.
type examined struct {
	Check    string    `json:"check"`
	OK       bool      `json:"ok"`
	Findings []finding `json:"findings"`
}

// examination is the doctor at work.
type examination struct {
	app       *app
	ws        *workspace
	processor *process.Processor
	fix       bool
	now       *examined
}

// found adds a finding; fixed tells that it is put right.
func (x *examination) found(fixed bool, key string, args ...any) {
	x.now.Findings = append(x.now.Findings, finding{Text: x.app.t(key, args...), Fixed: fixed})
	x.now.OK = x.now.OK && fixed
}

func (x *examination) note(key string, args ...any) {
	x.now.Findings = append(x.now.Findings, finding{Text: x.app.t(key, args...), Note: true})
}

// settingInForce is a setting as the doctor shows it.
type settingInForce struct {
	Key    string `json:"key"`
	Value  string `json:"value"`
	Source string `json:"source"` // default, rensa.toml, or the variable
}

func (a *app) doctor(ctx context.Context, fix bool) error {
	ws, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer ws.Close()
	p, err := ws.processor(nil)
	if err != nil {
		return err
	}
	from, err := ws.config.sources(ws.dir, a.environ)
	if err != nil {
		return err
	}
	var settings []settingInForce
	for _, s := range ws.config.settings() {
		source := from[s.key]
		if source == "" {
			source = "default"
		}
		settings = append(settings, settingInForce{s.key, s.value.String(), source})
	}
	x := &examination{app: a, ws: ws, processor: p, fix: fix}
	var all []examined
	for _, check := range []struct {
		name string
		run  func(context.Context) error
	}{{"folders", x.folders}, {"ledger", x.ledger}, {"clock", x.clock}, {"worklist", x.worklist}, {"leftovers", x.leftovers},
		{"schedule", x.schedule}, {"smtp", x.smtp}} {
		x.now = &examined{Check: check.name, OK: true, Findings: []finding{}}
		if err := check.run(ctx); err != nil {
			return err
		}
		all = append(all, *x.now)
	}
	sound := true
	for _, e := range all {
		sound = sound && e.OK
	}
	if a.json {
		err = a.answer(map[string]any{"workspace": ws.dir, "config": settings, "checks": all})
	} else {
		a.showExamination(settings, all)
	}
	if err == nil && !sound {
		err = ended(exitInternal)
	}
	return err
}

func (a *app) showExamination(settings []settingInForce, all []examined) {
	t := &table{}
	for _, s := range settings {
		t.add(s.Key, s.Value, s.Source)
	}
	a.show(t, "")
	a.say("")
	for _, e := range all {
		state := a.style.green(a.t("cli.doctor.ok"))
		if !e.OK {
			state = a.style.red(a.t("cli.doctor.wrong"))
		}
		a.say(fmt.Sprintf("%s: %s", e.Check, state))
		for _, f := range e.Findings {
			line := f.Text
			if f.Fixed {
				line += " — " + a.t("cli.doctor.fixed")
			}
			a.say("  " + line)
		}
	}
}

// folders: all are there, can be written to, and lie on one file system.
func (x *examination) folders(context.Context) error {
	for _, folder := range folders {
		dir := filepath.Join(x.ws.dir, folder)
		if _, err := os.Stat(dir); err != nil {
			fixed := x.fix && os.MkdirAll(dir, 0o755) == nil
			x.found(fixed, "cli.doctor.folder_missing", "folder", folder)
			continue
		}
		f, err := os.CreateTemp(dir, ".doctor-*")
		if err != nil {
			x.found(false, "cli.doctor.folder_closed", "folder", folder, "why", err.Error())
			continue
		}
		moved := filepath.Join(x.ws.dir, "work", filepath.Base(f.Name()))
		if err := os.Rename(f.Name(), moved); err != nil {
			x.found(false, "cli.doctor.folder_elsewhere", "folder", folder, "why", err.Error())
			moved = f.Name()
		}
		if err := errors.Join(f.Close(), os.Remove(moved)); err != nil {
			return err
		}
	}
	return nil
}

// ledger: the database is sound, orders and movements of stock agree, and the
// snapshots in use are there.
func (x *examination) ledger(ctx context.Context) error {
	damage, err := x.ws.ledger.Damage(ctx)
	if err != nil {
		return err
	}
	for _, d := range damage {
		x.found(false, "cli.doctor.damage", "detail", d)
	}
	merchants, err := x.ws.ledger.Merchants(ctx)
	if err != nil {
		return err
	}
	for _, m := range merchants {
		wrong, err := x.ws.ledger.Imbalances(ctx, m.ID)
		if err != nil {
			return err
		}
		for _, i := range wrong {
			x.found(false, "cli.doctor.imbalance", "merchant", i.Merchant, "order", i.Order,
				"ordered", i.Ordered, "opened", i.Opened, "left", i.Left, "gone", i.Gone)
		}
		s, err := x.ws.ledger.Snapshot(ctx, m.ID)
		if err != nil {
			return err
		}
		if s == nil {
			x.note("cli.doctor.no_snapshot", "merchant", m.ID)
			continue
		}
		if err := x.snapshot(&m, s); err != nil {
			return err
		}
	}
	return nil
}

// snapshot: a merchant's current one can be read.
func (x *examination) snapshot(m *removal.Merchant, row *ledger.Snapshot) error {
	s, err := inventory.Open(filepath.Join(x.ws.dir, filepath.FromSlash(row.Path)))
	switch {
	case err == nil:
		return s.Close()
	case errors.Is(err, fs.ErrNotExist):
		x.found(false, "cli.doctor.snapshot_gone", "merchant", m.ID, "file", row.Path)
	default:
		x.found(false, "cli.doctor.snapshot_damaged", "merchant", m.ID, "file", row.Path, "why", err.Error())
	}
	return nil
}

// clock: it does not run behind what was committed, and agrees with the disk's.
func (x *examination) clock(ctx context.Context) error {
	now := x.ws.now()
	merchants, err := x.ws.ledger.Merchants(ctx)
	if err != nil {
		return err
	}
	for _, m := range merchants {
		runs, _, err := x.ws.ledger.Runs(ctx, ledger.RunFilter{Merchant: m.ID, Limit: 1})
		if err != nil {
			return err
		}
		if len(runs) > 0 && runs[0].Committed.After(now.Add(time.Second)) {
			x.found(false, "cli.doctor.clock_behind", "now", timeText(now), "time", timeText(runs[0].Committed))
		}
	}
	for _, folder := range []string{"work", "inbox"} {
		f, err := os.CreateTemp(filepath.Join(x.ws.dir, folder), ".doctor-*")
		if err != nil {
			continue // told among the folders
		}
		info, err := f.Stat()
		if err = errors.Join(err, f.Close(), os.Remove(f.Name())); err != nil {
			return err
		}
		if off := info.ModTime().Sub(now).Abs(); off > 5*time.Second {
			x.found(false, "cli.doctor.clock_disk", "folder", folder, "seconds", int(off.Seconds()))
		}
	}
	return nil
}

// worklist: nothing waits that nobody works on.
func (x *examination) worklist(ctx context.Context) error {
	if x.fix {
		if err := x.processor.Recover(ctx); err != nil {
			x.found(false, "cli.doctor.publish", "why", err.Error())
		}
	}
	open, err := x.ws.ledger.Unfinished(ctx)
	if err != nil {
		return err
	}
	for i := range open {
		w := &open[i]
		args := []any{"merchant", w.Merchant, "file", w.Name, "id", w.ID, "state", w.State, "since", timeText(w.Claimed.Local())}
		switch {
		case w.Failures > 0 || w.Reason != "" && w.Target == "":
			x.found(false, "cli.doctor.work_failed", append(args, "failures", w.Failures, "reason", w.Reason)...)
		case x.ws.now().Sub(w.Claimed) > 10*time.Minute:
			x.found(false, "cli.doctor.work_waits", args...)
		default:
			x.note("cli.doctor.work_open", args...)
		}
	}
	return nil
}

// leftovers: what a crash left in the work folder. serve clears it away by itself.
func (x *examination) leftovers(ctx context.Context) error {
	left, err := x.processor.Leftovers(ctx)
	if err != nil {
		return err
	}
	for _, l := range left {
		fixed := false
		if x.fix {
			if err := x.processor.Clear(l); err != nil {
				x.found(false, "cli.doctor.leftover_stays", "path", l.Path, "why", err.Error())
				continue
			}
			fixed = true
		}
		key := "cli.doctor.leftover"
		if l.Name != "" {
			key = "cli.doctor.leftover_file"
		}
		x.found(fixed, key, "path", l.Path, "file", l.Name)
	}
	return nil
}
