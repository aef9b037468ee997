package main

import (
	"errors"
	"net"
	"path/filepath"
	"strconv"

	"rensa/pkg/web"
)

// pageConfig is where the page and the API are, and how they are reached.
type pageConfig struct {
	Listen      hostPort `toml:"listen"`
	PublicURL   text     `toml:"public_url"`
	TLSCert     text     `toml:"tls_cert"`
	TLSKey      text     `toml:"tls_key"`
	BehindProxy yesNo    `toml:"behind_proxy"`
}

func defaultPage() pageConfig { return pageConfig{Listen: hostPort{text: web.DefaultListen}} }

func (c *pageConfig) settings() []setting {
	return []setting{
		{"listen", &c.Listen},
		{"public_url", &c.PublicURL},
		{"tls_cert", &c.TLSCert},
		{"tls_key", &c.TLSKey},
		{"behind_proxy", &c.BehindProxy},
	}
}

// inWorkspace takes a relative path from the workspace.
func inWorkspace(dir, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, filepath.FromSlash(path))
}

// text is any text, "" for none.
type text struct {
	text string
	refusal
}

func (t *text) UnmarshalText(given []byte) error {
	t.text = string(given)
	return nil
}

func (t *text) String() string { return strconv.Quote(t.text) }

// yesNo is true or false.
type yesNo struct {
	yes bool
	refusal
}

func (y *yesNo) UnmarshalText(given []byte) error {
	yes, err := strconv.ParseBool(string(given))
	if err != nil {
		return y.refuse(&badValue{want: oneOf([]string{"true", "false"})})
	}
	y.yes = yes
	return nil
}

func (y *yesNo) String() string { return strconv.FormatBool(y.yes) }

// hostPort is HOST:PORT.
type hostPort struct {
	text string
	refusal
}

func (a *hostPort) UnmarshalText(given []byte) error {
	_, port, err := net.SplitHostPort(string(given))
	if n, e := strconv.ParseUint(port, 10, 16); err != nil || e != nil || n > 65535 {
		return a.refuse(&badValue{want: phrase{"cli.want.host_port", nil}})
	}
	a.text = string(given)
	return nil
}

func (a *hostPort) String() string { return strconv.Quote(a.text) }

// pageFault tells what is wrong with how the page is to be reached.
func pageFault(err error) error {
	if errors.Is(err, web.ErrExposed) {
		return usage("cli.err.exposed").because(err).hint("cli.hint.exposed")
	}
	if errors.Is(err, web.ErrSetting) {
		return usage("cli.err.page").because(err).hint("cli.hint.page")
	}
	return err
}
