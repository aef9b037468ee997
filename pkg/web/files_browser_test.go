package web

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// faulty is an upload with one good row, two SKUs that are nearly right, and others
// that are not.
func faulty() string {
	rows := []string{
		"MerchantRemovalOrderID|RemovalDisposition|AddressName|AddressFieldOne|AddressCity|AddressCountryCode|AddressPostalCode|MerchantSKU|SellableQuantity|UnsellableQuantity|Colour",
		"WEB-1|Return|Åsa Öberg|Storgatan 1|Växjö|SE|352 30|" + goodSKU + "|1||red",
		"WEB-1|||||||" + strings.ToLower(goodSKU2) + "|1||",
		"WEB-2|Disposal||||||" + strings.ToLower(goodSKU3) + "|1||",
		"WEB-3|Disposal||||||NO-SUCH-THING-AT-ALL|1||",
		"WEB-4|Return|Åsa Öberg|Storgatan 1|Växjö|SE|3523|" + goodSKU + "|ten||",
	}
	return strings.ReplaceAll(strings.Join(rows, "\n"), "|", "\t") + "\n"
}

// dropFile drops a file onto the page as a hand would.
func (b *browser) dropFile(name, content string) {
	b.t.Helper()
	file, err := json.Marshal([]string{name, content})
	if err != nil {
		b.t.Fatal(err)
	}
	b.run(chromedp.Evaluate(fmt.Sprintf(`(([name, content]) => {
		const files = new DataTransfer();
		files.items.add(new File([content], name));
		for (const type of ["dragenter", "dragover", "drop"])
			document.querySelector("#drop").dispatchEvent(new DragEvent(type, {dataTransfer: files, bubbles: true, cancelable: true}));
	})(%s)`, file), nil))
}

// TestBrowserFiles: drop, progress, problems, fix, drop again.
func TestBrowserFiles(t *testing.T) {
	t.Parallel()
	st := newSite(t, nil)
	st.live()
	b := st.browse()
	b.signIn(operator)
	b.open("/m/shop/files")
	b.inspect("files")
	b.dropFile("week 47.tsv", faulty())
	b.until(`location.pathname.includes("/runs/")`)
	b.see("What to put right")
	b.see("Use this instead")
	b.see("The SKU is not in the inventory")
	b.inspect("run")
	run := b.path()

	// by code, and back
	b.run(chromedp.SetValue("#code", "sku_unknown"), chromedp.Evaluate(`document.querySelector("#code").dispatchEvent(new Event("change", {bubbles: true}))`, nil))
	b.until(`document.querySelectorAll(".problem").length == 3`)
	b.open(run + "?severity=warning")
	b.until(`document.querySelectorAll(".problem").length == 1`)
	b.see("Colour")

	// both suggestions at once
	b.open(run)
	b.run(chromedp.Click(`button[name="all"]`))
	b.see("Corrected file")
	b.see(goodSKU2)
	b.inspect("fix")
	b.run(chromedp.Click(`main button[type="submit"]`))
	b.until(`location.pathname.includes("/runs/") && location.pathname != "` + run + `"`)
	b.see("week 47 corrected.tsv")
	b.see("partly accepted")
	b.open("/m/shop/files")
	b.see("week 47 corrected.tsv")

	// the same once more is no second order
	b.dropFile("again.tsv", faulty())
	b.see("The same file was taken before")
	b.inspect("claim-seen")
	b.open("/m/shop/files")
	b.dropFile("letter.txt", "Dear Sirs,\nplease remove everything.\n")
	b.see("Nothing of it was taken")
	b.inspect("claim-refused")
	b.open("/m/shop/files")
	b.see("file refused")
	b.inspect("files-many")
}

// TestBrowserNoScript: the same without JavaScript.
func TestBrowserNoScript(t *testing.T) {
	t.Parallel()
	st := newSite(t, nil)
	st.live()
	b := st.browse()
	b.withoutScripts()
	b.signIn(operator)
	b.open("/m/shop/files")
	b.run(chromedp.SetUploadFiles("#file", []string{st.file("plain.tsv", faulty())}), chromedp.Click(`#drop button`))
	b.run(chromedp.WaitVisible(".problem")) // the page asks again by itself
	b.run(chromedp.Click(`.problem .instead a`), chromedp.WaitVisible("ins"))
	b.run(chromedp.Click(`main button[type="submit"]`), chromedp.WaitVisible(".figures"))
	if got := b.text("h1"); got != "plain corrected.tsv" {
		t.Errorf("the page is of %q", got)
	}
}

// TestBrowserKeyboard: from signing in to the corrected file with keys alone.
func TestBrowserKeyboard(t *testing.T) {
	t.Parallel()
	st := newSite(t, nil)
	r := st.drop("week 47.tsv", []byte(faulty()))
	b := st.browse()
	b.open("/")
	b.tabTo("#name")
	b.keys(operator)
	b.keys(kb.Tab)
	b.keys(password)
	b.keys(kb.Enter)
	b.run(chromedp.WaitVisible(".side"))
	b.tabTo(".skip")
	b.tabTo(`a[href="/m/shop/runs/` + r.RunID + `"]`)
	b.keys(kb.Enter)
	b.see("What to put right")
	b.tabTo(`button[name="all"]`)
	b.keys(kb.Enter)
	b.see("Corrected file")
	b.tabTo(`main button[type="submit"]`)
	b.tabTo(".side-end summary")
	b.keys(kb.Enter)
	b.tabTo(`form[action="/sign-out"] button`)
	b.keys(kb.Enter)
	b.see("forgot your password")
}

// tabTo presses Tab until an element has the focus, which it has to show.
func (b *browser) tabTo(selector string) {
	b.t.Helper()
	quoted, err := json.Marshal(selector)
	if err != nil {
		b.t.Fatal(err)
	}
	for range 200 {
		var here, shown bool
		b.run(
			chromedp.Evaluate(fmt.Sprintf(`document.activeElement.matches(%s)`, quoted), &here),
			chromedp.Evaluate(`getComputedStyle(document.activeElement).boxShadow != "none" || getComputedStyle(document.activeElement).outlineStyle != "none" || document.activeElement === document.body || document.activeElement.tagName == "MAIN"`, &shown),
		)
		if !shown {
			b.t.Errorf("the focus does not show on the way to %s", selector)
		}
		if here {
			return
		}
		b.keys(kb.Tab)
	}
	b.t.Fatalf("%s cannot be reached by keyboard", selector)
}

func (b *browser) keys(text string) {
	b.t.Helper()
	b.run(chromedp.KeyEvent(text), input.SetIgnoreInputEvents(false))
}

// path is that of the page that is open.
func (b *browser) path() string {
	b.t.Helper()
	var at string
	b.run(chromedp.Location(&at))
	return strings.TrimPrefix(at, b.site.http.URL)
}
