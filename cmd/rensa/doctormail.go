package main

import (
	"context"
	"time"

	"rensa/pkg/ledger"
	"rensa/pkg/notify"
)

// schedule: the last run of every job ended well, and none was left behind.
func (x *examination) schedule(ctx context.Context) error {
	merchants, err := x.ws.ledger.Merchants(ctx)
	if err != nil {
		return err
	}
	for _, m := range merchants {
		for _, job := range jobNames {
			runs, err := x.ws.ledger.JobRuns(ctx, m.ID, job, 1)
			if err != nil {
				return err
			}
			if len(runs) == 0 {
				continue
			}
			args := []any{"merchant", m.ID, "job", job, "since", timeText(runs[0].Started.In(zoneOf(&m)))}
			switch r := &runs[0]; {
			case r.Status == ledger.JobFailed:
				x.found(false, "cli.doctor.job_failed", append(args, "why", r.Error)...)
			case r.Status == ledger.JobRunning && r.Open(x.ws.now()):
				x.note("cli.doctor.job_left", args...)
			case r.Status == ledger.JobRunning:
				x.note("cli.doctor.job_running", args...)
			}
		}
	}
	return nil
}

// How far back the doctor looks at messages, and how long one may wait.
const (
	mailsLookedAt = 200
	mailWaits     = time.Hour
)

// smtp: the mail server lets us in, and messages reach their recipients.
func (x *examination) smtp(ctx context.Context) error {
	server, _, err := x.ws.mailServer()
	if err != nil {
		return err
	}
	if server == nil {
		x.note("cli.mail.none", "dir", notify.Folder)
	} else {
		server.Timeout = 20 * time.Second
		if err := server.Check(ctx); err != nil {
			x.found(false, "cli.doctor.smtp_closed", "why", err.Error())
		} else {
			x.note("cli.doctor.smtp_open", "server", server.Address())
		}
	}
	merchants, err := x.ws.ledger.Merchants(ctx)
	if err != nil {
		return err
	}
	for _, m := range merchants {
		messages, err := x.ws.ledger.Messages(ctx, m.ID, mailsLookedAt)
		if err != nil {
			return err
		}
		x.messages(messages)
	}
	return nil
}

// messages tells of those that wait too long, and of each recipient that was
// refused last.
func (x *examination) messages(all []ledger.Message) {
	told := map[string]bool{}
	for i := range all { // the newest first
		m := &all[i]
		if m.State == ledger.MessageQueued && x.ws.now().Sub(m.Created) > mailWaits {
			x.found(false, "cli.doctor.mail_waits", "merchant", m.Merchant, "message", m.ID, "since", timeText(m.Created), "why", m.Reason)
		}
		for _, r := range m.Recipients {
			if told[r.Address] || r.State == ledger.RecipientQueued {
				continue
			}
			told[r.Address] = true
			if r.State == ledger.RecipientRefused {
				x.found(false, "cli.doctor.mail_refused", "merchant", m.Merchant, "address", r.Address, "message", m.ID, "why", r.Reason)
			}
		}
	}
}
