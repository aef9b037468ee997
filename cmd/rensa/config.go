package main

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"rensa/pkg/decode"
	"rensa/pkg/notify"
)

// configName is the file that makes a folder a workspace.
const configName = "rensa.toml"

// config is the system's settings: defaults, over them rensa.toml, over that the
// environment. Merchants' settings stand in the ledger.
type config struct {
	LedgerURL ledgerURL `toml:"ledger_url"`
	LogLevel  word      `toml:"log_level"`
	LogFormat word      `toml:"log_format"`
	pageConfig
	Limits    limits         `toml:"limits"`
	Retention retention      `toml:"retention"`
	Schedule  scheduleConfig `toml:"schedule"`
	SMTP      smtpConfig     `toml:"smtp"`
}

// retention is how long things are kept.
type retention struct {
	Archive days `toml:"archive"`
	Reports days `toml:"reports"`
}

type limits struct {
	Bytes     size  `toml:"bytes"`
	Unpacked  size  `toml:"unpacked"`
	Ratio     count `toml:"ratio"`
	RatioFrom size  `toml:"ratio_from"`
	Cell      size  `toml:"cell"`
	Rows      count `toml:"rows"`
	Columns   count `toml:"columns"`
}

func defaultConfig() config {
	d := decode.DefaultLimits()
	return config{
		LedgerURL:  ledgerURL{path: "rensa.db"},
		LogLevel:   word{text: "warn", of: &logLevels},
		LogFormat:  word{text: "auto", of: &logFormats},
		pageConfig: defaultPage(),
		Retention:  retention{Archive: days{n: 730}, Reports: days{n: 730}},
		Schedule:   defaultSchedule(),
		SMTP:       smtpConfig{Security: word{text: notify.StartTLS, of: &smtpSecurities}},
		Limits: limits{
			Bytes: size{n: d.Bytes}, Unpacked: size{n: d.Unpacked}, Ratio: count{n: int(d.Ratio)}, RatioFrom: size{n: d.RatioFrom},
			Cell: size{n: int64(d.Cell)}, Rows: count{n: d.Rows}, Columns: count{n: d.Columns},
		},
	}
}

// setting is one value that can be set: its key in rensa.toml, and where its text
// is read into.
type setting struct {
	key   string
	value interface {
		UnmarshalText([]byte) error
		String() string
		refused() error
	}
}

// settings lists every value of c. It is the one list of keys: the environment,
// the hints and the test of rensa.toml's comments come from it.
func (c *config) settings() []setting {
	return slices.Concat([]setting{
		{"ledger_url", &c.LedgerURL},
		{"log_level", &c.LogLevel},
		{"log_format", &c.LogFormat},
	}, c.pageConfig.settings(), []setting{
		{"limits.bytes", &c.Limits.Bytes},
		{"limits.unpacked", &c.Limits.Unpacked},
		{"limits.ratio", &c.Limits.Ratio},
		{"limits.ratio_from", &c.Limits.RatioFrom},
		{"limits.cell", &c.Limits.Cell},
		{"limits.rows", &c.Limits.Rows},
		{"limits.columns", &c.Limits.Columns},
		{"retention.archive", &c.Retention.Archive},
		{"retention.reports", &c.Retention.Reports},
	}, c.mailSettings())
}

// variable is the setting's name in the environment.
func (s setting) variable() string {
	return "RENSA_" + strings.ToUpper(strings.ReplaceAll(s.key, ".", "_"))
}

// decodeLimits gives the limits to the reader of files.
func (c *config) decodeLimits() decode.Limits {
	l := c.Limits
	return decode.Limits{
		Bytes: l.Bytes.n, Unpacked: l.Unpacked.n, Ratio: int64(l.Ratio.n), RatioFrom: l.RatioFrom.n,
		Cell: int(l.Cell.n), Rows: l.Rows.n, Columns: l.Columns.n,
	}
}

// readConfig reads the configuration of the workspace dir. Faults name the file
// and place, or the variable, and for an unknown key the nearest known one.
func readConfig(dir string, environ []string) (config, error) {
	c := defaultConfig()
	name := filepath.Join(dir, configName)
	text, err := os.ReadFile(name)
	if err != nil {
		return c, usage("cli.err.config_read", "file", name).because(err)
	}
	d := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return c, configFault(name, err, c.settings())
	}
	return c, c.overlay(environ)
}

// overlay sets what the environment names. Variables that are no setting are
// left alone: other programs' may begin with RENSA_ as well.
func (c *config) overlay(environ []string) error {
	for _, s := range c.settings() {
		v, ok := lookup(environ, s.variable())
		if !ok || v == "" { // no value may be empty, so that an empty one says nothing
			continue
		}
		if err := s.value.UnmarshalText([]byte(v)); err != nil {
			return valueFault(usage("cli.err.env_value", "name", s.variable(), "given", v), err)
		}
	}
	return nil
}

// lookup finds a variable; where it stands twice the last one counts.
func lookup(environ []string, name string) (string, bool) {
	for _, e := range slices.Backward(environ) {
		if v, ok := strings.CutPrefix(e, name+"="); ok {
			return v, true
		}
	}
	return "", false
}

func configFault(name string, err error, known []setting) error {
	if strict, ok := errors.AsType[*toml.StrictMissingError](err); ok && len(strict.Errors) > 0 {
		e := &strict.Errors[0]
		key := strings.Join(e.Key(), ".")
		keys := make([]string, len(known))
		for i, s := range known {
			keys[i] = s.key
		}
		return usage("cli.err.config_key", "place", placeIn(name, e), "key", key).
			near(key, keys).hint("cli.hint.config_keys", "keys", strings.Join(keys, ", "))
	}
	e, ok := errors.AsType[*toml.DecodeError](err)
	place := name
	if ok {
		place = placeIn(name, e)
	}
	for _, s := range known {
		if refused := s.value.refused(); refused != nil {
			return valueFault(usage("cli.err.config_value", "place", place, "key", s.key), refused)
		}
	}
	if !ok {
		return usage("cli.err.config_read", "file", name).because(err)
	}
	return usage("cli.err.config_syntax", "place", place, "why", strings.TrimPrefix(e.Error(), "toml: "))
}

func placeIn(name string, e *toml.DecodeError) string {
	line, col := e.Position()
	return fmt.Sprintf("%s:%d:%d", name, line, col)
}

// badValue says what a setting's value must be.
type badValue struct {
	want phrase
	word string   // the value, where it should be one of known
	from []string // known words
}

func (e *badValue) Error() string { return strings.TrimPrefix(e.want.key, "cli.want.") }

func valueFault(f *fault, err error) *fault {
	if bad, ok := errors.AsType[*badValue](err); ok {
		f = f.near(bad.word, bad.from)
		f.hints = append(f.hints, bad.want)
	}
	return f
}

// refusal remembers why a value was refused: the TOML decoder tells where, but
// keeps neither the key nor the cause.
type refusal struct{ err error }

func (r *refusal) refuse(err error) error {
	r.err = err
	return err
}

func (r *refusal) refused() error { return r.err }

// size is a number of bytes, "512 MiB" or plain.
type size struct {
	n int64
	refusal
}

var sizeUnits = []struct {
	name string
	size int64
}{
	{"kib", 1 << 10}, {"mib", 1 << 20}, {"gib", 1 << 30}, {"tib", 1 << 40},
	{"kb", 1e3}, {"mb", 1e6}, {"gb", 1e9}, {"tb", 1e12}, {"b", 1},
}

func (s *size) UnmarshalText(text []byte) error {
	t, factor := strings.ToLower(strings.TrimSpace(string(text))), int64(1)
	for _, u := range sizeUnits {
		if rest, ok := strings.CutSuffix(t, u.name); ok {
			t, factor = strings.TrimSpace(rest), u.size
			break
		}
	}
	n, err := strconv.ParseInt(strings.ReplaceAll(t, "_", ""), 10, 64)
	if err != nil || n <= 0 || n > math.MaxInt64/factor {
		return s.refuse(&badValue{want: phrase{"cli.want.size", nil}})
	}
	s.n = n * factor
	return nil
}

// count is a positive whole number.
type count struct {
	n int
	refusal
}

func (c *count) UnmarshalText(text []byte) error {
	n, err := strconv.ParseInt(strings.ReplaceAll(string(text), "_", ""), 10, 32)
	if err != nil || n <= 0 {
		return c.refuse(&badValue{want: phrase{"cli.want.count", nil}})
	}
	c.n = int(n)
	return nil
}

// word is one of a few.
type word struct {
	text string
	of   *[]string
	refusal
}

var (
	logLevels  = []string{"debug", "info", "warn", "error"}
	logFormats = []string{"auto", "text", "json"}
)

func (w *word) UnmarshalText(text []byte) error {
	if !slices.Contains(*w.of, string(text)) {
		return w.refuse(&badValue{want: oneOf(*w.of), word: string(text), from: *w.of})
	}
	w.text = string(text)
	return nil
}

func oneOf(words []string) phrase {
	return phrase{"cli.want.one_of", []any{"words", strings.Join(words, ", ")}}
}

// ledgerURL says where the ledger is: a SQLite file, "sqlite:PATH", its path
// taken from the workspace.
type ledgerURL struct {
	path string
	refusal
}

func (u *ledgerURL) UnmarshalText(text []byte) error {
	path, ok := strings.CutPrefix(string(text), "sqlite:")
	if rest, slashes := strings.CutPrefix(path, "//"); slashes {
		path = rest
	}
	if !ok || path == "" || strings.ContainsAny(path, "?#") {
		return u.refuse(&badValue{want: phrase{"cli.want.ledger_url", nil}})
	}
	u.path = path
	return nil
}

// in gives the ledger's file for the workspace dir.
func (u ledgerURL) in(dir string) string {
	if filepath.IsAbs(u.path) {
		return u.path
	}
	return filepath.Join(dir, filepath.FromSlash(u.path))
}

// configText is the rensa.toml of a new workspace: every setting with its
// default, commented out.
func configText(texts interface{ T(string, ...any) string }) string {
	var b strings.Builder
	line := func(text string) {
		for _, l := range strings.Split(strings.TrimSpace(text), "\n") {
			b.WriteString(strings.TrimRight("# "+l, " ") + "\n")
		}
	}
	line(texts.T("cli.config.about"))
	c, section := defaultConfig(), ""
	for _, s := range c.settings() {
		key := s.key
		if head, tail, ok := strings.Cut(s.key, "."); ok {
			if head != section {
				section = head
				b.WriteString("\n[" + head + "]\n")
			}
			key = tail
		}
		b.WriteString("\n")
		line(texts.T("cli.config." + s.key))
		fmt.Fprintf(&b, "# %s = %s\n", key, s.value)
	}
	return b.String()
}

// String is the value as rensa.toml has it.
func (s *size) String() string {
	for _, u := range slices.Backward(sizeUnits[:4]) {
		if s.n >= u.size && s.n%u.size == 0 {
			unit := strings.ToUpper(u.name[:1]) + "iB"
			return strconv.Quote(strconv.FormatInt(s.n/u.size, 10) + " " + unit)
		}
	}
	return strconv.FormatInt(s.n, 10)
}

func (c *count) String() string     { return strconv.Itoa(c.n) }
func (w *word) String() string      { return strconv.Quote(w.text) }
func (u *ledgerURL) String() string { return strconv.Quote("sqlite:" + u.path) }
