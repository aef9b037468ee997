package main

import (
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

// patience is how long work goes on before a progress bar appears.
const patience = time.Second

// progress shows how far one file is, on a terminal and for work that takes its
// time. It may be told from any goroutine.
type progress struct {
	app   *app
	shown bool // is standard error a terminal that wants a bar

	mu    sync.Mutex
	name  string
	since time.Time
	bar   *progressbar.ProgressBar
}

func (a *app) newProgress() *progress {
	return &progress{app: a, shown: !a.quiet && isTerminal(a.stderr)}
}

// start begins with another file.
func (p *progress) start(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.name, p.since, p.bar = name, p.app.now(), nil
}

func (p *progress) update(done, total int64) {
	if !p.shown {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar == nil {
		if p.since.IsZero() || p.app.now().Sub(p.since) < patience {
			return
		}
		p.bar = progressbar.NewOptions64(unknownAsSpinner(total),
			progressbar.OptionSetWriter(p.app.stderr),
			progressbar.OptionSetDescription(printable(p.name)),
			progressbar.OptionShowCount(),
			progressbar.OptionSetWidth(30),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionClearOnFinish(),
		)
	}
	if total > 0 && p.bar.GetMax64() != total {
		p.bar.ChangeMax64(total)
	}
	if err := p.bar.Set64(done); err != nil {
		p.shown = false // a bar that cannot be drawn is no reason to stop the work
	}
}

// stop takes the bar away.
func (p *progress) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil && p.bar.Clear() != nil {
		p.shown = false
	}
	p.bar, p.since = nil, time.Time{}
}

// unknownAsSpinner gives the bar's length; one that is not known yet makes it a
// spinner that counts.
func unknownAsSpinner(total int64) int64 {
	if total <= 0 {
		return -1
	}
	return total
}
