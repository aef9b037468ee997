package schedule

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// ErrPlan says that a text does not say when something is due.
var ErrPlan = errors.New("not a schedule")

// shortest is the shortest interval that a Plan may have.
const shortest = time.Minute

// Plan says when a job is due: at fixed hours of a zone, at intervals, or never.
// The zero Plan is never.
type Plan struct {
	text string
	zone *time.Location // nil: the merchant's
	// One of these is set; of a Plan at fixed hours it is naive.
	naive  *cron.SpecSchedule // hours of a zone, evaluated on what its clocks show
	steady *cron.SpecSchedule // every hour: instants
	every  time.Duration
}

// Due is one time at which a job is due.
type Due struct {
	// Key is the same whoever works it out: the local date and time, or of work at
	// intervals the UTC instant.
	Key string
	At  time.Time
}

// Parse reads a cron expression of five fields ("10 4 * * *"), "@daily" and the
// like, "@every 5m" (a minute or more), or "never"; "CRON_TZ=Europe/Berlin " before
// it fixes the zone. ErrPlan.
func Parse(text string) (Plan, error) {
	p := Plan{text: strings.TrimSpace(text)}
	rest := p.text
	if name, after, ok := cutZone(rest); ok {
		zone, err := time.LoadLocation(name)
		if err != nil || name == "" || name == "Local" {
			return Plan{}, fmt.Errorf("%w: the zone %q is not known", ErrPlan, name)
		}
		p.zone, rest = zone, after
	}
	if rest == "never" {
		return p, nil
	}
	parsed, err := cron.ParseStandard(rest)
	if err != nil {
		return Plan{}, fmt.Errorf("%w: %w", ErrPlan, err)
	}
	switch s := parsed.(type) {
	case cron.ConstantDelaySchedule:
		if s.Delay < shortest || s.Delay%time.Second != 0 {
			return Plan{}, fmt.Errorf("%w: an interval of less than a minute", ErrPlan)
		}
		p.every = s.Delay
	case *cron.SpecSchedule:
		s.Location = time.UTC
		if s.Next(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
			return Plan{}, fmt.Errorf("%w: such a day never comes", ErrPlan)
		}
		const allHours = 1<<24 - 1
		if s.Hour&allHours == allHours {
			p.steady = s
		} else {
			p.naive = s
		}
	default:
		return Plan{}, fmt.Errorf("%w: %q", ErrPlan, rest)
	}
	return p, nil
}

// cutZone takes the zone from the beginning of an expression.
func cutZone(text string) (name, rest string, ok bool) {
	for _, mark := range []string{"CRON_TZ=", "TZ="} {
		if after, found := strings.CutPrefix(text, mark); found {
			name, rest, _ = strings.Cut(after, " ")
			return name, strings.TrimSpace(rest), true
		}
	}
	return "", text, false
}

// String is the text that the Plan was read from.
func (p Plan) String() string {
	if p.text == "" {
		return "never"
	}
	return p.text
}

// Never tells whether nothing is ever due.
func (p Plan) Never() bool { return p.naive == nil && p.steady == nil && p.every == 0 }

// Zone is the zone in which the Plan is read for a merchant whose zone is home.
func (p Plan) Zone(home *time.Location) *time.Location {
	if p.zone != nil {
		return p.zone
	}
	return home
}

// Latest gives the last time, at or before now, at which the job was due; false
// where there was none in five years.
func (p Plan) Latest(now time.Time, home *time.Location) (Due, bool) {
	if p.Never() {
		return Due{}, false
	}
	if p.every > 0 {
		step := int64(p.every / time.Second)
		return instant(time.Unix(now.Unix()-now.Unix()%step, 0)), true
	}
	const day = 24 * time.Hour
	for _, back := range []time.Duration{2 * time.Hour, 27 * time.Hour, 8 * day, 40 * day, 400 * day, 5 * 366 * day} {
		if p.naive != nil && back < day {
			continue // a time that comes twice lies up to an hour ahead of the clock
		}
		last, found := Due{}, false
		p.each(now.Add(-back), home, func(d Due) bool {
			if d.At.After(now) {
				return false
			}
			last, found = d, true
			return true
		})
		if found {
			return last, true
		}
	}
	return Due{}, false
}

// Next gives the next n times after a moment.
func (p Plan) Next(after time.Time, home *time.Location, n int) []Due {
	var all []Due
	if n <= 0 {
		return all
	}
	p.each(after, home, func(d Due) bool {
		if d.At.After(after) {
			all = append(all, d)
		}
		return len(all) < n
	})
	return all
}

// each calls visit for the times from a moment on, in their order, a few before
// it perhaps, until visit has enough or no more come.
func (p Plan) each(from time.Time, home *time.Location, visit func(Due) bool) {
	zone := p.Zone(home)
	switch {
	case p.every > 0:
		step := int64(p.every / time.Second)
		for at := from.Unix() - from.Unix()%step; visit(instant(time.Unix(at, 0))); at += step {
		}
	case p.steady != nil:
		s := *p.steady
		s.Location = zone
		for at := s.Next(from); !at.IsZero() && visit(instant(at)); at = s.Next(at) {
		}
	case p.naive != nil:
		for at := p.naive.Next(clock(from, zone).Add(-time.Second)); !at.IsZero() && visit(fixed(at, zone)); at = p.naive.Next(at) {
		}
	}
}

func instant(at time.Time) Due {
	at = at.UTC()
	return Due{Key: at.Format(time.RFC3339), At: at}
}

func fixed(naive time.Time, zone *time.Location) Due {
	return Due{Key: naive.Format("2006-01-02T15:04"), At: moment(naive, zone).UTC()}
}

// clock is what the clocks of a zone show at a moment, as a time without a zone
// (one of UTC).
func clock(at time.Time, zone *time.Location) time.Time {
	_, off := at.In(zone).Zone()
	return at.UTC().Add(time.Duration(off) * time.Second)
}

// moment is when the clocks of a zone show a time: the first time where they show
// it twice, and where they skip it, the moment at which they do.
func moment(naive time.Time, zone *time.Location) time.Time {
	near := time.Date(naive.Year(), naive.Month(), naive.Day(), naive.Hour(), naive.Minute(), naive.Second(), 0, zone)
	begin, end := near.ZoneBounds()
	around := []time.Time{near}
	if !begin.IsZero() {
		around = append(around, begin.Add(-time.Second))
	}
	if !end.IsZero() {
		around = append(around, end)
	}
	var first time.Time
	for _, at := range around {
		_, off := at.In(zone).Zone()
		shown := naive.Add(-time.Duration(off) * time.Second)
		if clock(shown, zone).Equal(naive) && (first.IsZero() || shown.Before(first)) {
			first = shown
		}
	}
	if !first.IsZero() {
		return first
	}
	for _, change := range []time.Time{begin, end} {
		if !change.IsZero() && naive.Before(clock(change, zone)) && !naive.Before(clock(change.Add(-time.Second), zone)) {
			return change
		}
	}
	return near
}
