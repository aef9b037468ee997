package web

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// TestBrowserSignIn: in and out by keyboard and mouse, with nothing serious for axe.
func TestBrowserSignIn(t *testing.T) {
	t.Parallel()
	st := newSite(t, nil)
	b := st.browse()
	b.open("/")
	b.inspect("sign-in")
	b.run(chromedp.SendKeys("#name", viewer), chromedp.SendKeys("#password", "wrong\n"))
	b.see("is not right")
	b.inspect("sign-in-wrong")
	b.signIn(viewer)
	b.see("Nordic Shop")
	b.open("/me")
	b.inspect("me")
	b.run(chromedp.Click(`.side-end summary`), chromedp.Click(`form[action="/sign-out"] button`))
	b.see("forgot your password")
	b.open("/m/shop/files")
	b.see("forgot your password")
}
