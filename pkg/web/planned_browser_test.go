package web

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	cdbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// TestBrowserRecommended: of what is recommended a row is chosen, and its removal
// started, reviewed and placed.
func TestBrowserRecommended(t *testing.T) {
	t.Parallel()
	st := newSite(t, nil)
	b := st.browse()
	b.signIn(operator)
	b.open("/m/shop/recommended")
	b.see("Start removal")
	b.inspect("recommended")
	b.run(chromedp.Click(`form[action$="/recommended/start"] button:not([name])`))
	b.see("Choose at least one row")
	b.run(chromedp.Click(`input[name="sku"]`), chromedp.Click(`form[action$="/recommended/start"] button:not([name])`))
	b.see("Review of")
	b.run(chromedp.Click(`a[href*="/draft?id="].button`), chromedp.WaitVisible("#draft"),
		chromedp.Click(`[name="method"][value="Disposal"]`), chromedp.Click(`button[value="review"]`))
	b.see("Everything is in order")
	b.run(chromedp.Click(`form[action$="/draft/place"] button`))
	b.see("is placed")
}

// TestBrowserDeadlines: what is held is listed, and a removal that is started from
// there stops its deadline.
func TestBrowserDeadlines(t *testing.T) {
	t.Parallel()
	st := newSite(t, nil)
	b := st.browse()
	b.signIn(operator)
	b.open("/m/shop/deadlines")
	b.see("held")
	b.inspect("deadlines")
	b.run(chromedp.Click(`input[name="hold"]`), chromedp.Click(`form[action$="/deadlines/start"] button:not([name])`))
	b.see("Review of")
	b.run(chromedp.Click(`a[href*="/draft?id="].button`), chromedp.WaitVisible("#draft"),
		chromedp.Click(`[name="method"][value="Disposal"]`), chromedp.Click(`button[value="review"]`))
	b.see("Everything is in order")
	b.run(chromedp.Click(`form[action$="/draft/place"] button`))
	b.see("is placed")
	b.open("/m/shop/deadlines")
	b.see("stopped")
}

// TestBrowserStock: the stock is searched as one types, and a SKU looked at.
func TestBrowserStock(t *testing.T) {
	t.Parallel()
	st := newSite(t, nil)
	b := st.browse()
	b.signIn(operator)
	b.open("/m/shop/inventory")
	b.see("Sellable units by age")
	b.inspect("inventory")
	b.run(chromedp.SendKeys("#q", "sovs"))
	b.see("1 found")
	b.run(chromedp.Click("#stock a.title"))
	b.see("Available")
	b.inspect("sku")
}

// TestBrowserSchedule: a job is run by hand, and what it wrote is got.
func TestBrowserSchedule(t *testing.T) {
	t.Parallel()
	st := newSite(t, nil)
	b := st.browse()
	b.signIn(operator)
	b.open("/m/shop/schedule")
	b.see("Not run yet")
	b.run(chromedp.Click(`form:has([value="reports"]) button`))
	b.see("Reports: done.")
	b.inspect("schedule")
	b.open("/m/shop/reports")
	b.inspect("reports")
	folder := t.TempDir()
	done := b.downloads(folder)
	b.run(chromedp.Click(`a[href$="/inventory.csv"][href*="/reports/2"]`))
	select {
	case guid := <-done:
		body, err := os.ReadFile(filepath.Join(folder, guid))
		if err != nil || !strings.Contains(string(body), "SOVS-0C-200") {
			t.Errorf("%q, %v", body, err)
		}
	case <-b.ctx.Done():
		t.Error("nothing was downloaded")
	}
}

// downloads lets files be kept in a folder, and tells the name of each that is there.
func (b *browser) downloads(folder string) <-chan string {
	b.t.Helper()
	done := make(chan string, 1)
	chromedp.ListenBrowser(b.ctx, func(ev any) {
		if e, ok := ev.(*cdbrowser.EventDownloadProgress); ok && e.State == cdbrowser.DownloadProgressStateCompleted {
			done <- e.GUID
		}
	})
	b.run(chromedp.ActionFunc(func(ctx context.Context) error {
		info, err := target.GetTargetInfo().Do(ctx)
		if err != nil {
			return err
		}
		whole := cdp.WithExecutor(ctx, chromedp.FromContext(ctx).Browser)
		return cdbrowser.SetDownloadBehavior(cdbrowser.SetDownloadBehaviorBehaviorAllowAndName).
			WithBrowserContextID(info.BrowserContextID).WithDownloadPath(folder).WithEventsEnabled(true).Do(whole)
	}))
	return done
}
