package web

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestBrowserOrder: an order is made from a search, put right where its review says,
// placed and cancelled, and every page on the way looked at.
func TestBrowserOrder(t *testing.T) {
	t.Parallel()
	st := newSite(t, nil)
	b := st.browse()
	b.signIn(operator)
	b.open("/m/shop/orders")
	b.see("No orders yet")
	b.inspect("orders-none")
	b.open("/m/shop/orders/new")
	b.run(chromedp.SendKeys("#stock-q", "granås"), chromedp.WaitVisible("#found .found li"))
	b.inspect("new-order")
	b.run(
		chromedp.SendKeys("#add-s-0", "2"), chromedp.SendKeys("#add-s-1", "900"), chromedp.SendKeys("#add-u-1", "1"),
		chromedp.Click(`#found button[value="add"]`), chromedp.WaitVisible("#draft"),
		chromedp.SendKeys("#stock-q", "termos"), chromedp.WaitVisible("#found .found li"),
		chromedp.SendKeys("#add-s-0", "1"), chromedp.Click(`#found button[value="add"]`), chromedp.WaitVisible("#s-2"),
		chromedp.SendKeys("#address-postal_code", "12"), chromedp.Click(`button[value="review"]`),
	)
	b.see("It cannot be placed as it is")
	b.inspect("review-wrong")
	b.run(chromedp.Click(`a[href$="#address-name"]`), chromedp.WaitVisible("#address-name-wrong"))
	b.inspect("draft")
	b.run(
		chromedp.SendKeys("#address-name", "Anna Öberg"), chromedp.SendKeys("#address-line1", "Storgatan 1"), chromedp.SendKeys("#address-city", "Ystad"),
		chromedp.SetValue("#address-postal_code", "271 41"), chromedp.SetValue("#s-1", "3"),
		chromedp.SetValue("#new-id", "SPRING/1"), chromedp.Click(`button[value="review"]`),
	)
	b.see("Everything is in order")
	b.inspect("review")
	b.run(chromedp.Click(`form[action$="/draft/place"] button`))
	b.see("is placed")
	b.inspect("order")
	b.run(chromedp.Click(".reveal summary"), chromedp.Click(".reveal button"))
	b.see("Cancellation requested")
	b.inspect("order-cancelled")
	b.open("/m/shop/orders?q=SPRING")
	b.see("SPRING/1")
	b.inspect("orders")
}

// TestBrowserOrderByKeyboard: a disposal is made and placed without a mouse.
func TestBrowserOrderByKeyboard(t *testing.T) {
	t.Parallel()
	st := newSite(t, nil)
	b := st.browse()
	b.signIn(operator)
	b.open("/m/shop/orders/new")
	b.run(chromedp.Focus("#stock-q"), chromedp.KeyEvent("termos"), chromedp.WaitVisible("#found .found li"))
	// Search, then the first field of what was found; Enter adds it.
	b.run(chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent("2"), chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible("#draft"))
	b.run(chromedp.Focus(`[name="method"]:checked`), chromedp.KeyEvent(kb.ArrowDown), chromedp.KeyEvent(kb.Enter))
	b.see("Saved")
	b.run(chromedp.WaitNotVisible("#address-name"), chromedp.Focus(`button[value="review"]`), chromedp.KeyEvent(kb.Enter))
	b.see("Everything is in order")
	b.run(chromedp.Focus(`form[action$="/draft/place"] button`), chromedp.KeyEvent(" "))
	b.see("is placed")
}

// TestBrowserOrderWithoutScripts: the same by buttons alone.
func TestBrowserOrderWithoutScripts(t *testing.T) {
	t.Parallel()
	st := newSite(t, nil)
	b := st.browse()
	b.signIn(operator)
	b.withoutScripts()
	b.open("/m/shop/orders/new")
	b.run(chromedp.SendKeys("#stock-q", "termos"), chromedp.Click(`button[value="search"]`), chromedp.WaitVisible("#add-s-0"))
	b.run(chromedp.SendKeys("#add-s-0", "1"), chromedp.Click(`button[value="add"]`), chromedp.WaitVisible("#draft"))
	b.run(chromedp.SendKeys("#stock-q", "tält"), chromedp.Click(`button[value="search"]`), chromedp.WaitVisible("#add-s-0"))
	b.run(chromedp.SendKeys("#add-u-0", "1"), chromedp.Click(`button[value="add"]`), chromedp.WaitVisible("#u-1"))
	b.run(chromedp.Click(`[name="method"][value="Disposal"]`), chromedp.Click(`button[value="review"]`), chromedp.WaitVisible(`form[action$="/draft/place"] button`))
	b.run(chromedp.Click(`form[action$="/draft/place"] button`), chromedp.WaitVisible(".reveal summary"))
	b.run(chromedp.Click(".reveal summary"), chromedp.Click(".reveal button"), chromedp.WaitVisible(".badge.warn"))
}
