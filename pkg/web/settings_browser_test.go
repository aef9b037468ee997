package web

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestBrowserUsers: an administrator adds a user, who chooses a password by the link
// in another browser, in Swedish and in the dark.
func TestBrowserUsers(t *testing.T) {
	t.Parallel()
	st := newSite(t, func(o *Options) { o.PublicURL = "http://rensa.example.com" })
	b := st.browse()
	b.signIn(boss)
	b.inspect("home")
	b.open("/users")
	b.run(
		chromedp.SendKeys(`form[action="/users"] #name`, "anna"), chromedp.SetValue("#user-role", "operator"),
		chromedp.Click(`form[action="/users"] input[name="merchants"][value="shop"]`), chromedp.Click(`form[action="/users"] button`),
	)
	b.see("Send this link to anna")
	b.inspect("users")
	link := strings.TrimSpace(b.text(".notice .mono"))
	if !strings.HasPrefix(link, "http://rensa.example.com/welcome?") {
		t.Fatalf("the link is %q", link)
	}
	b.run(
		chromedp.SendKeys(`#token-name`, "connector"), chromedp.Click(`form[action="/tokens"] input[name="merchants"][value="shop"]`),
		chromedp.Click(`form[action="/tokens"] button`),
	)
	b.see("It is shown this once")
	b.open("/users/anna")
	b.inspect("user")
	b.open("/audit")
	b.see("token added")
	b.inspect("audit")

	a := st.browse()
	a.open(strings.TrimPrefix(link, "http://rensa.example.com"))
	a.inspect("welcome")
	a.run(chromedp.SendKeys("#password", password), chromedp.SendKeys("#again", password+"\n"))
	a.until(`location.pathname == "/m/shop/files"`)
	a.open("/me")
	a.run(chromedp.SetValue("#language", "sv"), chromedp.SetValue("#theme", "dark"), chromedp.Click(`form[action="/me"] button`))
	a.see("Sparat.")
	a.open("/m/shop/files")
	a.see("Släpp filer här")
	a.until(`getComputedStyle(document.body).backgroundColor == "rgb(16, 20, 19)"`)
}

// TestBrowserSettings: a profile is changed, and what is wrong is said.
func TestBrowserSettings(t *testing.T) {
	t.Parallel()
	var asked []string
	st := newSite(t, func(o *Options) { o.Settle = recordSettings(&asked) })
	b := st.browse()
	b.signIn(admin)
	b.open("/m/shop/settings")
	b.inspect("settings")
	b.run(chromedp.SetValue("#acceptance", "order"), chromedp.Click(`input[name="partial"]`), chromedp.Click(`main button[type="submit"]`))
	b.see("Saved.")
	if got := strings.Join(asked, " "); got != "acceptance=order partial=true" {
		t.Errorf("asked for %q", got)
	}
	b.run(chromedp.SetValue("#time_zone", "Mars/Olympus"), chromedp.Click(`main button[type="submit"]`))
	b.see("no such time zone")
	b.inspect("settings-wrong")
}
