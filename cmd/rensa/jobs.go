package main

import (
	"context"
	"fmt"
	"net"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"time"

	"rensa/pkg/nightly"
	"rensa/pkg/notify"
	"rensa/pkg/process"
	"rensa/pkg/schedule"
	"rensa/pkg/storage"
)

// The kinds of scheduled work.
const (
	jobRelease      = "release"      // hands on the orders whose delay is over
	jobRecommended  = "recommended"  // the Recommended Removal report
	jobNotices      = "notices"      // tells merchants what is held
	jobDispose      = "dispose"      // orders the disposal of what is past its deadline
	jobReports      = "reports"      // the other reports
	jobHousekeeping = "housekeeping" // deletes what is past its retention, folds movements
)

// jobNames in the order in which those that are due at one moment are done.
var jobNames = []string{jobRelease, jobRecommended, jobNotices, jobDispose, jobReports, jobHousekeeping}

// sends tells whether a job writes messages, which it sends before it ends.
func sends(job string) bool { return job == jobNotices || job == jobDispose }

// staff is who does scheduled work in a workspace.
type staff struct {
	ws     *workspace
	p      *process.Processor
	jobs   *nightly.Jobs
	sender *notify.Sender
}

// staff builds who does scheduled work. It is good until the workspace is closed.
func (ws *workspace) staff(p *process.Processor) (*staff, error) {
	dir, err := storage.Open(ws.dir)
	if err != nil {
		return nil, err
	}
	ws.folders = append(ws.folders, dir)
	server, from, err := ws.mailServer()
	if err != nil {
		return nil, err
	}
	keep := ws.config.Retention
	return &staff{
		ws: ws, p: p,
		jobs: nightly.New(nightly.Options{
			Ledger: ws.ledger, Policy: ws.policy, Desk: p.Desk(), Storage: dir, Current: p.Current, Deleting: p.Deleting,
			Retention: nightly.Retention{Archive: keep.Archive.duration(), Reports: keep.Reports.duration()},
		}),
		sender: notify.New(notify.Options{Ledger: ws.ledger, Now: ws.now, Log: ws.log, From: from, Server: server, Dir: dir}),
	}, nil
}

// scheduler has the staff's jobs done at their times.
func (s *staff) scheduler(now func() time.Time, stop time.Duration) (*schedule.Scheduler, error) {
	var jobs []schedule.Job
	for _, name := range jobNames {
		plan, err := s.ws.config.Schedule.plan(name)
		if err != nil {
			return nil, fmt.Errorf("schedule.%s: %w", name, err)
		}
		jobs = append(jobs, schedule.Job{Name: name, Plan: plan, Do: func(ctx context.Context, merchant string, at time.Time) (schedule.Result, error) {
			out, err := s.do(ctx, name, merchant, at, false)
			return schedule.Result{ReportDir: out.ReportDir, Counts: out.Counts}, err
		}})
	}
	return schedule.New(schedule.Options{Ledger: s.ws.ledger, Jobs: jobs, Now: now, Log: s.ws.log, StopWithin: stop}), nil
}

// do does a job for a merchant and sends what it wrote.
func (s *staff) do(ctx context.Context, job, merchant string, at time.Time, rehearse bool) (nightly.Outcome, error) {
	defer s.p.Using(merchant)()
	work := map[string]func(context.Context, string, time.Time, bool) (nightly.Outcome, error){
		jobRelease: s.jobs.Release, jobRecommended: s.jobs.Recommended, jobNotices: s.jobs.Notices, jobDispose: s.jobs.Dispose,
		jobReports: s.jobs.Reports, jobHousekeeping: s.jobs.Housekeeping,
	}[job]
	out, err := work(ctx, merchant, at, rehearse)
	if err != nil || rehearse || !sends(job) {
		return out, err
	}
	sent, err := s.sender.SendDue(ctx, merchant)
	for name, n := range map[string]int{
		"mail_accepted": sent.Accepted, "mail_refused": sent.Refused, "mail_waiting": sent.Waiting, "mail_written": sent.Written,
	} {
		out.Counts[name] = int64(n)
	}
	return out, err
}

// mailServer is the server that takes messages, nil where none is configured, and
// the address from which they come.
func (ws *workspace) mailServer() (*notify.Server, *mail.Address, error) {
	c := &ws.config.SMTP
	from := &mail.Address{Name: "Rensa", Address: "rensa@localhost"}
	if c.From.text != "" {
		var err error
		if from, err = notify.ParseFrom(c.From.text); err != nil {
			return nil, nil, err
		}
	}
	if c.Host.text == "" {
		return nil, from, nil
	}
	s := &notify.Server{Host: c.Host.text, Port: c.Port.n, Security: c.Security.text, User: c.User.text, Password: c.Password.text}
	switch {
	case c.From.text == "":
		return nil, nil, usage("cli.err.smtp_from").hint("cli.hint.smtp_from")
	case c.Password.text != "" && c.PasswordFile.text != "":
		return nil, nil, usage("cli.err.smtp_passwords")
	case s.User == "" && (c.Password.text != "" || c.PasswordFile.text != ""):
		return nil, nil, usage("cli.err.smtp_user")
	case s.User != "" && s.Security == notify.NoTLS && !loopback(s.Host):
		return nil, nil, usage("cli.err.smtp_open").hint("cli.hint.smtp_open")
	}
	if file := c.PasswordFile.text; file != "" {
		if !filepath.IsAbs(file) {
			file = filepath.Join(ws.dir, file)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, nil, usage("cli.err.smtp_password_file", "file", c.PasswordFile.text).because(err)
		}
		s.Password = strings.TrimRight(string(text), "\r\n")
	}
	if s.User != "" && s.Password == "" {
		return nil, nil, usage("cli.err.smtp_password")
	}
	return s, from, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// tellMail says where messages go when they are not sent.
func (s *staff) tellMail(a *app) {
	if s.sender.Server == nil {
		a.note("cli.mail.none", "dir", a.near(filepath.Join(s.ws.dir, notify.Folder)))
	}
}
