package web

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	cdpruntime "github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// screenshots names a folder into which tests put pictures of the pages.
var screenshots = flag.String("screenshots", "", "write pictures of the pages into this folder")

// chromium is one browser for all tests: each gets a window of its own.
var chromium = sync.OnceValues(func() (context.Context, error) {
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		return nil, exec.ErrNotFound
	}
	opts := append([]chromedp.ExecAllocatorOption{}, chromedp.DefaultExecAllocatorOptions[:]...)
	for _, name := range []string{"no-sandbox", "disable-gpu", "disable-quic", "disable-background-networking", "disable-component-update", "disable-sync"} {
		opts = append(opts, chromedp.Flag(name, true))
	}
	opts = append(opts, chromedp.ExecPath(path), chromedp.WindowSize(1280, 900), chromedp.Flag("lang", "en"))
	all, cancel := chromedp.NewExecAllocator(context.Background(), opts...)
	ctx, _ := chromedp.NewContext(all)
	if err := chromedp.Run(ctx); err != nil {
		cancel()
		return nil, err
	}
	closeBrowser = cancel
	return ctx, nil
})

var closeBrowser = func() {}

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	closeBrowser()
	os.Exit(code)
}

// browser is a window of Chromium on a site.
type browser struct {
	t    testing.TB
	site *site
	ctx  context.Context
}

// browse opens a window, in which nobody has signed in. Without Chromium the test
// is skipped, aloud.
func (st *site) browse() *browser {
	st.t.Helper()
	parent, err := chromium()
	if err != nil {
		st.t.Skipf("Chromium cannot be started, so no page is tried in a browser: %v", err)
	}
	ctx, cancel := chromedp.NewContext(parent, chromedp.WithTargetID(st.window(parent)))
	late, stop := context.WithTimeout(ctx, 90*time.Second)
	st.t.Cleanup(func() {
		stop()
		cancel()
	})
	b := &browser{t: st.t, site: st, ctx: late}
	chromedp.ListenTarget(ctx, func(ev any) {
		switch e := ev.(type) {
		case *cdpruntime.EventExceptionThrown:
			st.t.Errorf("the page's script: %s", e.ExceptionDetails.Error())
		case *network.EventRequestWillBeSent:
			if !strings.HasPrefix(e.Request.URL, st.http.URL) && !strings.HasPrefix(e.Request.URL, "data:") && !strings.HasPrefix(e.Request.URL, "about:") {
				st.t.Errorf("the page asks for %s", e.Request.URL)
			}
		}
	})
	b.run(network.Enable(), cdpruntime.Enable(), emulation.SetLocaleOverride().WithLocale("en"))
	return b
}

// window opens a window with cookies of its own.
func (st *site) window(parent context.Context) target.ID {
	st.t.Helper()
	whole := cdp.WithExecutor(parent, chromedp.FromContext(parent).Browser)
	own, err := target.CreateBrowserContext().WithDisposeOnDetach(true).Do(whole)
	if err != nil {
		st.t.Fatal(err)
	}
	id, err := target.CreateTarget("about:blank").WithBrowserContextID(own).WithNewWindow(true).Do(whole)
	if err != nil {
		st.t.Fatal(err)
	}
	st.t.Cleanup(func() {
		if err := target.DisposeBrowserContext(own).Do(whole); err != nil {
			st.t.Logf("closing the window: %v", err)
		}
	})
	return id
}

// run does things in the window, or ends the test with what the page shows.
func (b *browser) run(actions ...chromedp.Action) {
	b.t.Helper()
	if err := chromedp.Run(b.ctx, actions...); err != nil {
		var text, at string
		short, stop := context.WithTimeout(context.WithoutCancel(b.ctx), 5*time.Second)
		defer stop()
		_ = chromedp.Run(short, chromedp.Location(&at), chromedp.Text("body", &text)) // only to tell more
		b.t.Fatalf("%v\nat %s:\n%s", err, at, text)
	}
}

// open goes to a page of the site.
func (b *browser) open(path string) {
	b.t.Helper()
	b.run(chromedp.Navigate(b.site.http.URL+path), chromedp.WaitVisible("#main"))
}

// signIn signs a user in by the form.
func (b *browser) signIn(user string) {
	b.t.Helper()
	b.open("/sign-in")
	b.run(
		chromedp.SendKeys("#name", user), chromedp.SendKeys("#password", password+"\n"),
		chromedp.WaitVisible(".side"),
	)
}

// see waits until the page shows a text.
func (b *browser) see(text string) {
	b.t.Helper()
	quoted, err := json.Marshal(text)
	if err != nil {
		b.t.Fatal(err)
	}
	b.until(fmt.Sprintf("document.body.innerText.includes(%s)", quoted))
}

// until waits for a condition, over pages that come and go meanwhile.
func (b *browser) until(condition string) {
	b.t.Helper()
	for {
		err := chromedp.Run(b.ctx, chromedp.Poll("document.body && "+condition, nil, chromedp.WithPollingTimeout(20*time.Second)))
		if err != nil && (strings.Contains(err.Error(), "navigated or closed") || strings.Contains(err.Error(), "context")) && b.ctx.Err() == nil {
			continue
		}
		if err != nil {
			b.t.Errorf("waited in vain for %s", condition)
			b.run(chromedp.ActionFunc(func(context.Context) error { return err }))
		}
		return
	}
}

// text is what an element shows.
func (b *browser) text(selector string) string {
	b.t.Helper()
	var s string
	b.run(chromedp.Text(selector, &s, chromedp.ByQuery))
	return s
}

// withoutScripts reloads nothing, but pages opened from now on run no JavaScript.
func (b *browser) withoutScripts() {
	b.t.Helper()
	b.run(emulation.SetScriptExecutionDisabled(true))
}

// look is one way of looking at a page.
type look struct {
	name          string
	width, height int64
	scheme        string
}

var looks = []look{
	{"wide-light", 1280, 900, "light"}, {"wide-dark", 1280, 900, "dark"},
	{"narrow-light", 390, 844, "light"}, {"narrow-dark", 390, 844, "dark"},
}

// inspect looks at the page that is open in every way: nothing may be wider than
// the window, axe may find nothing serious, and with -screenshots there are pictures.
func (b *browser) inspect(name string) {
	b.t.Helper()
	for _, l := range looks {
		b.run(
			emulation.SetDeviceMetricsOverride(l.width, l.height, 1, l.width < 600),
			emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: l.scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}),
		)
		// Colours fade into each other: two pictures later they are what they stay.
		b.run(chromedp.Evaluate(`new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => {
			for (const a of document.getAnimations()) if (!(a instanceof CSSAnimation)) a.finish();
			requestAnimationFrame(done);
		}))).then(() => 0)`, nil, awaiting))
		var wide int64
		b.run(chromedp.Evaluate(`document.documentElement.scrollWidth`, &wide))
		if wide > l.width {
			b.t.Errorf("%s, %s: the page is %d wide", name, l.name, wide)
		}
		b.axe(name + ", " + l.name)
		if *screenshots != "" {
			var png []byte
			b.run(chromedp.FullScreenshot(&png, 100))
			if err := os.MkdirAll(*screenshots, 0o755); err != nil {
				b.t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(*screenshots, name+"-"+l.name+".png"), png, 0o644); err != nil {
				b.t.Fatal(err)
			}
		}
	}
	b.run(emulation.ClearDeviceMetricsOverride(), emulation.SetEmulatedMedia())
}

func awaiting(p *cdpruntime.EvaluateParams) *cdpruntime.EvaluateParams {
	return p.WithAwaitPromise(true)
}

var axeScript = sync.OnceValues(func() ([]byte, error) { return os.ReadFile("testdata/axe.min.js") })

// axe looks for what keeps people out.
func (b *browser) axe(where string) {
	b.t.Helper()
	script, err := axeScript()
	if err != nil {
		b.t.Fatal(err)
	}
	var found []struct {
		ID, Impact, Help string
		Nodes            []struct{ HTML, FailureSummary string }
	}
	b.run(
		chromedp.Evaluate(string(script)+";0", nil),
		chromedp.Evaluate(`axe.run(document, {resultTypes: ["violations"]}).then(r => r.violations.map(v => ({
			id: v.id, impact: v.impact, help: v.help, nodes: v.nodes.map(n => ({html: n.html, failureSummary: n.failureSummary}))})))`,
			&found, awaiting),
	)
	for _, v := range found {
		if v.Impact == "minor" || v.Impact == "moderate" {
			b.t.Logf("%s: axe: %s %s", where, v.Impact, v.ID)
			continue
		}
		for _, n := range v.Nodes {
			b.t.Errorf("%s: axe: %s %s: %s\n%s\n%s", where, v.Impact, v.ID, v.Help, n.HTML, n.FailureSummary)
		}
	}
}
