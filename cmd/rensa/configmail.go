package main

import (
	"strconv"
	"strings"

	"rensa/pkg/notify"
	"rensa/pkg/schedule"
)

// smtpConfig is the mail server that takes messages. Without a host there is none,
// and messages are written as files.
type smtpConfig struct {
	Host         plain   `toml:"host"`
	Port         port    `toml:"port"`
	Security     word    `toml:"security"`
	User         plain   `toml:"user"`
	Password     secret  `toml:"password"`
	PasswordFile plain   `toml:"password_file"`
	From         address `toml:"from"`
}

var smtpSecurities = []string{notify.StartTLS, notify.TLS, notify.NoTLS}

// scheduleConfig says when each job is due.
type scheduleConfig struct {
	Recommended  cronText `toml:"recommended"`
	Notices      cronText `toml:"notices"`
	Dispose      cronText `toml:"dispose"`
	Release      cronText `toml:"release"`
	Reports      cronText `toml:"reports"`
	Housekeeping cronText `toml:"housekeeping"`
}

func defaultSchedule() scheduleConfig {
	return scheduleConfig{
		Recommended: cronText{text: "10 4 * * *"}, Notices: cronText{text: "0 5 * * *"}, Dispose: cronText{text: "30 5 * * *"},
		Release: cronText{text: "@every 5m"}, Reports: cronText{text: "0 6 * * *"}, Housekeeping: cronText{text: "40 4 * * 0"},
	}
}

// mailSettings are the settings of messages and scheduled work.
func (c *config) mailSettings() []setting {
	s, m := &c.Schedule, &c.SMTP
	return []setting{
		{"schedule.recommended", &s.Recommended},
		{"schedule.notices", &s.Notices},
		{"schedule.dispose", &s.Dispose},
		{"schedule.release", &s.Release},
		{"schedule.reports", &s.Reports},
		{"schedule.housekeeping", &s.Housekeeping},
		{"smtp.host", &m.Host},
		{"smtp.port", &m.Port},
		{"smtp.security", &m.Security},
		{"smtp.user", &m.User},
		{"smtp.password", &m.Password},
		{"smtp.password_file", &m.PasswordFile},
		{"smtp.from", &m.From},
	}
}

// plan is when a job is due; its text was read before.
func (c *scheduleConfig) plan(job string) (schedule.Plan, error) {
	return schedule.Parse(map[string]string{
		jobRecommended: c.Recommended.text, jobNotices: c.Notices.text, jobDispose: c.Dispose.text,
		jobRelease: c.Release.text, jobReports: c.Reports.text, jobHousekeeping: c.Housekeeping.text,
	}[job])
}

// plain is any text, also none.
type plain struct {
	text string
	refusal
}

func (p *plain) UnmarshalText(text []byte) error {
	p.text = strings.TrimSpace(string(text))
	return nil
}

func (p *plain) String() string { return strconv.Quote(p.text) }

// secret is a text that is never shown.
type secret struct {
	text string
	refusal
}

func (s *secret) UnmarshalText(text []byte) error {
	s.text = string(text)
	return nil
}

func (s *secret) String() string {
	if s.text == "" {
		return `""`
	}
	return `"***"`
}

// port is a port of TCP; 0 is the usual one.
type port struct {
	n int
	refusal
}

func (p *port) UnmarshalText(text []byte) error {
	n, err := strconv.ParseUint(string(text), 10, 16)
	if err != nil {
		return p.refuse(&badValue{want: phrase{"cli.want.port", nil}})
	}
	p.n = int(n)
	return nil
}

func (p *port) String() string { return strconv.Itoa(p.n) }

// address is one from which messages come, "Rensa <rensa@example.com>"; "" for none.
type address struct {
	text string
	refusal
}

func (a *address) UnmarshalText(text []byte) error {
	t := strings.TrimSpace(string(text))
	if t != "" {
		if _, err := notify.ParseFrom(t); err != nil {
			return a.refuse(&badValue{want: phrase{"cli.want.address", nil}})
		}
	}
	a.text = t
	return nil
}

func (a *address) String() string { return strconv.Quote(a.text) }

// cronText says when a job is due, as package schedule reads it.
type cronText struct {
	text string
	refusal
}

func (c *cronText) UnmarshalText(text []byte) error {
	p, err := schedule.Parse(string(text))
	if err != nil {
		return c.refuse(&badValue{want: phrase{"cli.want.cron", nil}})
	}
	c.text = p.String()
	return nil
}

func (c *cronText) String() string { return strconv.Quote(c.text) }
