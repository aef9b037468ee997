package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// days is how long something is kept, "730 days" or "never", which is for ever.
type days struct {
	n int // 0: never deleted
	refusal
}

// maxDays is a hundred years and more.
const maxDays = 40_000

func (d *days) UnmarshalText(text []byte) error {
	t := strings.ToLower(strings.TrimSpace(string(text)))
	if t == "never" {
		d.n = 0
		return nil
	}
	t = strings.TrimSpace(strings.TrimSuffix(strings.TrimSuffix(t, "s"), "day"))
	n, err := strconv.Atoi(t)
	if err != nil || n <= 0 || n > maxDays {
		return d.refuse(&badValue{want: phrase{"cli.want.days", nil}})
	}
	d.n = n
	return nil
}

func (d *days) String() string {
	if d.n == 0 {
		return strconv.Quote("never")
	}
	return strconv.Quote(fmt.Sprintf("%d days", d.n))
}

func (d *days) duration() time.Duration { return time.Duration(d.n) * 24 * time.Hour }

// sources tells for each setting whether its value is the default, from
// rensa.toml or from the environment.
func (c *config) sources(dir string, environ []string) (map[string]string, error) {
	text, err := os.ReadFile(filepath.Join(dir, configName))
	if err != nil {
		return nil, usage("cli.err.config_read", "file", configName).because(err)
	}
	var written map[string]any
	if err := toml.NewDecoder(bytes.NewReader(text)).Decode(&written); err != nil {
		return nil, usage("cli.err.config_read", "file", configName).because(err)
	}
	from := map[string]string{}
	for _, s := range c.settings() {
		if v, ok := lookup(environ, s.variable()); ok && v != "" {
			from[s.key] = s.variable()
			continue
		}
		at, rest := any(written), s.key
		for rest != "" && at != nil {
			var key string
			key, rest, _ = strings.Cut(rest, ".")
			table, _ := at.(map[string]any)
			at = table[key]
		}
		if at != nil {
			from[s.key] = configName
		}
	}
	return from, nil
}
