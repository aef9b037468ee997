package main

import (
	"context"
	"io"
	"strings"
	"time"

	"rensa/pkg/nightly"
	"rensa/pkg/removal"
	"rensa/pkg/report"
)

// holdDocument is one hold in the answer of inventory show.
type holdDocument struct {
	ID        int64              `json:"id"`
	Condition string             `json:"condition"`
	Reason    removal.HoldReason `json:"reason"`
	Units     int64              `json:"units"`
	Since     string             `json:"since"`
	Deadline  string             `json:"deadline"`
	DaysLeft  int                `json:"days_left"`
	Covered   int64              `json:"covered"`
	CoveredBy []string           `json:"covered_by"`
	Notices   []noticeDocument   `json:"notices"`
}

// noticeDocument is one step that the merchant was told of.
type noticeDocument struct {
	Step     string `json:"step"`
	Day      string `json:"day"`
	Message  string `json:"message"`
	Accepted string `json:"accepted"` // by the mail server; "" while it has not
}

// deadlines writes what is held, and until when, as it is now.
func (k *maker) deadlines(w io.Writer, workbook bool) error {
	list, err := k.ws.deadlines(k.ctx, k.m.ID)
	if err != nil {
		return err
	}
	if k.app.langGiven {
		list.Language = k.app.texts.Lang()
	}
	if workbook {
		return list.XLSX(w)
	}
	return list.CSV(w)
}

func (ws *workspace) deadlines(ctx context.Context, merchant string) (*report.Deadlines, error) {
	jobs, err := ws.jobs()
	if err != nil {
		return nil, err
	}
	return jobs.Deadlines(ctx, merchant, ws.now())
}

// jobs are those of the night, to be asked.
func (ws *workspace) jobs() (*nightly.Jobs, error) {
	p, err := ws.processor(nil)
	if err != nil {
		return nil, err
	}
	s, err := ws.staff(p)
	if err != nil {
		return nil, err
	}
	return s.jobs, nil
}

// holdsOf gives the holds of one pool of the current snapshot, by its key, as they
// are now.
func (ws *workspace) holdsOf(ctx context.Context, merchant, pool string) ([]holdDocument, error) {
	jobs, err := ws.jobs()
	if err != nil {
		return nil, err
	}
	list, err := jobs.DeadlinesOf(ctx, merchant, pool, ws.now())
	if err != nil {
		return nil, err
	}
	all := []holdDocument{}
	for i := range list.Rows {
		r := &list.Rows[i]
		v := holdDocument{
			ID: r.Hold, Condition: r.Condition, Reason: r.Reason, Units: r.Units, Covered: r.Covered, CoveredBy: orEmpty(r.CoveredBy),
			Since: r.Since.Format(time.DateOnly), Deadline: r.Deadline.Format(time.DateOnly), DaysLeft: r.DaysLeft, Notices: []noticeDocument{},
		}
		for _, s := range r.Steps {
			v.Notices = append(v.Notices, noticeDocument{s.Step, s.Day.Format(time.DateOnly), s.Message, timeText(s.AcceptedAt)})
		}
		all = append(all, v)
	}
	return all, nil
}

// showHolds is what is held of a pool, for people.
func (a *app) showHolds(holds []holdDocument) {
	if len(holds) == 0 {
		return
	}
	a.say("")
	t := &table{}
	t.add(a.t("cli.hold.title"), ">"+a.t("cli.hold.col.units"), a.t("cli.hold.col.reason"), a.t("cli.hold.col.since"), a.t("cli.hold.col.deadline"),
		">"+a.t("cli.hold.col.days"), a.t("cli.hold.col.covered"))
	for _, h := range holds {
		t.add(a.t("word.condition."+h.Condition), number(h.Units), a.t("word.hold."+string(h.Reason)), h.Since, h.Deadline,
			number(int64(h.DaysLeft)), printable(strings.Join(h.CoveredBy, " ")))
	}
	a.show(t, "  ")
}
