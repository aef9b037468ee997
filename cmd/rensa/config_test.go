package main

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"rensa/pkg/decode"
	"rensa/templates"
)

func configIn(t *testing.T, text string, environ ...string) (config, error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, configName), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return readConfig(dir, environ)
}

func TestConfigDefaults(t *testing.T) {
	t.Parallel()
	c, err := configIn(t, "")
	if err != nil {
		t.Fatal(err)
	}
	if c.decodeLimits() != decode.DefaultLimits() {
		t.Errorf("limits are %+v, want %+v", c.decodeLimits(), decode.DefaultLimits())
	}
	if got, want := c.LedgerURL.in("/w"), filepath.Join("/w", "rensa.db"); got != want {
		t.Errorf("the ledger is %s, want %s", got, want)
	}
}

// Every setting has an environment variable, which goes over the file.
func TestConfigEnvironment(t *testing.T) {
	t.Parallel()
	file := "ledger_url = 'sqlite:a.db'\nlog_level = 'error'\n[limits]\nrows = 7\nbytes = '3 MiB'\n"
	c, err := configIn(t, file)
	if err != nil {
		t.Fatal(err)
	}
	if c.Limits.Rows.n != 7 || c.Limits.Bytes.n != 3<<20 || c.LedgerURL.path != "a.db" {
		t.Errorf("the file gives %+v", c)
	}
	c, err = configIn(t, file, "RENSA_LIMITS_ROWS=8", "RENSA_LIMITS_BYTES=9", "RENSA_LEDGER_URL=sqlite:///var/b.db",
		"RENSA_LIMITS_CELL=1 KiB", "RENSA_PORT=tcp://10.0.0.1:80", "RENSA_LIMITS_ROWS=10")
	if err != nil {
		t.Fatal(err)
	}
	if c.Limits.Rows.n != 10 || c.Limits.Bytes.n != 9 || c.Limits.Cell.n != 1024 || c.LedgerURL.in("/w") != "/var/b.db" {
		t.Errorf("the environment gives %+v", c)
	}
}

func TestConfigFaults(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, file, env string
		key             string // of the text
		tells           []string
		hints           string // of the first hint, with its first fact
	}{
		{"unknown key", "\nlog_levl = 'info'\n", "", "cli.err.config_key", []string{":2:1", "log_levl"}, "cli.hint.did_you_mean log_level"},
		{"unknown key in a table", "[limits]\nrow = 3\n", "", "cli.err.config_key", []string{":2:1", "limits.row"}, "cli.hint.did_you_mean limits.rows"},
		{"unknown table", "[limit]\nrows = 3\n", "", "cli.err.config_key", []string{":1:2", "limit"}, "cli.hint.config_keys"},
		{"not built yet", "blob_url = 's3://x'\n", "", "cli.err.config_key", []string{":1:1", "blob_url"}, "cli.hint.config_keys"},
		{"no number", "[limits]\nrows = 'many'\n", "", "cli.err.config_value", []string{":2:", "limits.rows"}, "cli.want.count"},
		{"below one", "[limits]\ncolumns = 0\n", "", "cli.err.config_value", []string{"rensa.toml", "limits.columns"}, "cli.want.count"},
		{"no size", "[limits]\nbytes = '3 parsecs'\n", "", "cli.err.config_value", []string{":2:", "limits.bytes"}, "cli.want.size"},
		{"overflow", "[limits]\nbytes = '9999999999 TiB'\n", "", "cli.err.config_value", []string{":2:"}, "cli.want.size"},
		{"word", "log_format = 'jsn'\n", "", "cli.err.config_value", []string{":1:", "log_format"}, "cli.hint.did_you_mean json"},
		{"database", "ledger_url = 'postgres://db/rensa'\n", "", "cli.err.config_value", []string{":1:", "ledger_url"}, "cli.want.ledger_url"},
		{"syntax", "log_level = \n", "", "cli.err.config_syntax", []string{":1:"}, ""},
		{"wrong type", "limits = 3\n", "", "cli.err.config_syntax", []string{":1:"}, ""},
		{"environment", "", "RENSA_LOG_LEVEL=loud", "cli.err.env_value", []string{"RENSA_LOG_LEVEL", "loud"}, "cli.want.one_of debug, info, warn, error"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := configIn(t, tt.file, tt.env)
			f, ok := errors.AsType[*fault](err)
			if !ok {
				t.Fatalf("the error is %v, not a fault", err)
			}
			if f.exit != exitUsage || f.say.key != tt.key {
				t.Errorf("exit %d and text %s, want %d and %s", f.exit, f.say.key, exitUsage, tt.key)
			}
			for _, want := range tt.tells {
				if !strings.Contains(f.Error(), want) {
					t.Errorf("%q does not tell %q", f.Error(), want)
				}
			}
			if got := firstHint(f); !strings.HasPrefix(got, tt.hints) {
				t.Errorf("the hint is %q, want %q", got, tt.hints)
			}
		})
	}
}

func firstHint(f *fault) string {
	if len(f.hints) == 0 {
		return ""
	}
	h := f.hints[0]
	if len(h.args) > 1 {
		return h.key + " " + h.args[1].(string)
	}
	return h.key
}

// The file of a new workspace shows the defaults: with its comment signs taken
// away it says what no file says.
func TestConfigText(t *testing.T) {
	t.Parallel()
	for _, lang := range templates.Languages() {
		text := configText(templates.Load(lang))
		if _, err := configIn(t, text); err != nil {
			t.Errorf("%s: as it is: %v", lang, err)
		}
		var active []string
		for _, line := range strings.Split(text, "\n") {
			if bare := strings.TrimPrefix(line, "# "); strings.Contains(bare, " = ") || strings.HasPrefix(line, "[") {
				active = append(active, bare)
			}
		}
		c, err := configIn(t, strings.Join(active, "\n"))
		if err != nil {
			t.Fatalf("%s: %v\n%s", lang, err, strings.Join(active, "\n"))
		}
		if c != defaultConfig() {
			t.Errorf("%s: the file says %+v, the defaults are %+v", lang, c, defaultConfig())
		}
	}
}

// Every field of the structure is a setting, so that none is without a variable.
func TestSettingsAreAll(t *testing.T) {
	t.Parallel()
	c := config{}
	var known []string
	for _, s := range c.settings() {
		known = append(known, s.key)
	}
	if keys := tomlKeys(reflect.TypeOf(c), ""); !slices.Equal(keys, known) {
		t.Errorf("fields %v, settings %v", keys, known)
	}
}

func tomlKeys(structure reflect.Type, prefix string) []string {
	var keys []string
	for i := range structure.NumField() {
		f := structure.Field(i)
		if f.Anonymous {
			keys = append(keys, tomlKeys(f.Type, "")...)
			continue
		}
		if f.Type.Kind() == reflect.Struct && f.Type.Field(0).Tag.Get("toml") != "" { // a table
			keys = append(keys, tomlKeys(f.Type, f.Tag.Get("toml")+".")...)
			continue
		}
		keys = append(keys, prefix+f.Tag.Get("toml"))
	}
	return keys
}

func TestFindWorkspace(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	inner := filepath.Join(root, "a", "b")
	other := filepath.Join(root, "other")
	for _, dir := range []string{inner, other} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{filepath.Join(root, "a"), other} {
		if err := os.WriteFile(filepath.Join(dir, configName), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name, flag, env, cwd, want string
		fault                      string
	}{
		{"upwards", "", "", inner, filepath.Join(root, "a"), ""},
		{"here", "", "", other, other, ""},
		{"environment before upwards", "", other, inner, other, ""},
		{"flag before environment", filepath.Join(root, "a"), other, root, filepath.Join(root, "a"), ""},
		{"relative flag", "../../other", "", inner, other, ""},
		{"nowhere", "", "", root, "", "cli.err.no_workspace"},
		{"flag is none", root, other, other, "", "cli.err.not_a_workspace"},
		{"environment is none", "", root, other, "", "cli.err.not_a_workspace"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var environ []string
			if tt.env != "" {
				environ = append(environ, "RENSA_WORKSPACE="+tt.env)
			}
			got, err := findWorkspace(tt.flag, environ, tt.cwd)
			if tt.fault == "" {
				if err != nil || got != tt.want {
					t.Errorf("got %s, %v; want %s", got, err, tt.want)
				}
				return
			}
			if f, ok := errors.AsType[*fault](err); !ok || f.say.key != tt.fault || f.exit != exitUsage {
				t.Errorf("got %v, want %s", err, tt.fault)
			}
		})
	}
}
