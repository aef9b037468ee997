package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"rensa/pkg/inbox"
	"rensa/pkg/process"
	"rensa/pkg/schedule"
	"rensa/pkg/storage"
	"rensa/pkg/web"
)

// The roles of serve. Each may run in a process of its own on the same machine.
const (
	roleInbox = "inbox" // takes files out of the hot folders
	roleWork  = "work"  // answers them
	// has jobs done at their times, and sends what they write
	roleSchedule = "schedule"
	roleWeb      = "web" // serves page and API
)

var serveRoles = []string{roleInbox, roleWork, roleSchedule, roleWeb}

func (a *app) serveCommand() *cobra.Command {
	var roles []string
	var stop time.Duration
	c := &cobra.Command{
		Use: "serve", Short: a.t("cli.about.serve"), Long: a.t("cli.about.serve_long"), Args: a.wants(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(roles) == 0 {
				roles = []string{""}
			}
			for _, r := range roles {
				if !slices.Contains(serveRoles, r) {
					return usage("cli.err.role", "given", r).near(r, serveRoles).
						hint("cli.want.one_of", "words", strings.Join(serveRoles, ", "))
				}
			}
			return a.serve(cmd.Context(), roles, stop)
		},
	}
	c.Flags().StringSliceVar(&roles, "roles", serveRoles, a.t("cli.flag.roles"))
	c.Flags().DurationVar(&stop, "stop-within", 20*time.Second, a.t("cli.flag.stop_within"))
	return c
}

// serve watches the hot folders and works the list off until it is told to stop,
// which is its orderly end and no interruption.
func (a *app) serve(ctx context.Context, roles []string, stop time.Duration) error {
	ws, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer ws.Close()
	from, err := ws.config.sources(ws.dir, a.environ)
	if err != nil {
		return err
	}
	if _, given := from["log_level"]; !given {
		// Nobody sits in front of it: its log is what it says.
		ws.log = ws.log.Level(zerolog.InfoLevel)
	}
	p, err := ws.processor(nil)
	if err != nil {
		return err
	}
	var s *staff
	var due *schedule.Scheduler
	if slices.Contains(roles, roleSchedule) || slices.Contains(roles, roleWeb) {
		if s, err = ws.staff(p); err != nil {
			return err
		}
		if due, err = s.scheduler(ws.now, stop); err != nil {
			return err
		}
	}
	dir, err := storage.Open(ws.dir)
	if err != nil {
		return err
	}
	defer dir.Close()
	wake := make(chan struct{}, 1)
	awake := func() {
		select {
		case wake <- struct{}{}:
		default: // it is awake already
		}
	}
	var page *web.Server
	if slices.Contains(roles, roleWeb) {
		if page, err = a.page(ws, p, dir, s.planned(due), awake); err != nil {
			return err
		}
		if err := a.firstLink(ctx, ws, page); err != nil {
			return err
		}
	}
	// Nothing of it begins before all of it can.
	g, ctx := errgroup.WithContext(ctx)
	if slices.Contains(roles, roleSchedule) {
		s.tellMail(a)
		g.Go(func() error { return due.Run(ctx) })
		g.Go(func() error { return s.sender.Run(ctx) })
	}
	if slices.Contains(roles, roleWork) {
		g.Go(func() error { return p.Work(ctx, wake, process.WorkOptions{StopWithin: stop}) })
	}
	if page != nil {
		g.Go(func() error { return pageFault(page.Run(ctx, nil)) })
	}
	if slices.Contains(roles, roleInbox) {
		in := inbox.New(inbox.Options{Dir: dir, Book: p.Book(), Log: ws.log, Now: ws.now})
		g.Go(func() error { return in.Run(ctx, awake) })
	}
	a.note("cli.serve.started", "dir", a.near(ws.dir), "roles", strings.Join(roles, ", "))
	if err := g.Wait(); err != nil {
		return err
	}
	a.note("cli.serve.stopped")
	return nil
}
