package web

import (
	"net/url"
	"strings"
	"time"

	"rensa/pkg/desk"
	"rensa/pkg/ledger"
	"rensa/pkg/removal"
	"rensa/templates"
)

// What the pages about orders and stock ask of their dot.

// At is the path of a page of the merchant's with names and values of its query:
// $.At "order" "id" .ID. The page may be of several parts, "draft/review".
func (d *view) At(page string, query ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(query); i += 2 {
		q.Set(query[i], query[i+1])
	}
	return d.Stay(page + "?" + q.Encode())
}

// Stay is the path of a page of the merchant's that is given with its query.
func (d *view) Stay(page string) string { return merchantPath(d.Merchant.ID) + "/" + page }

// With is the view with other data, for a block that is shared by several pages.
func (d *view) With(data any) *view {
	other := *d
	other.Data = data
	return &other
}

// Money writes an amount with its currency as the language has it.
func (d *view) Money(a removal.Amount, currency string) string {
	text := a.String()
	whole, frac, _ := strings.Cut(text, ".")
	mark, group := ".", ","
	if d.Lang != "en" {
		mark, group = ",", "\u00a0"
	}
	sign := strings.HasPrefix(whole, "-")
	whole = strings.TrimPrefix(whole, "-")
	var b strings.Builder
	if sign {
		b.WriteString("−")
	}
	for i, c := range whole {
		if left := len(whole) - i; i > 0 && left%3 == 0 && len(whole) > 4 {
			b.WriteString(group)
		}
		b.WriteRune(c)
	}
	b.WriteString(mark + frac + "\u00a0" + currency)
	return b.String()
}

// Date writes a day that has no zone.
func (d *view) Date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateOnly)
}

// unitSums are units by condition.
type unitSums struct{ Sellable, Unsellable int64 }

// DraftUnits adds up what a draft asks for.
func (d *view) DraftUnits(draft desk.Draft) (u unitSums) {
	u.Sellable, u.Unsellable = draft.Units()
	return u
}

// Happened is an event of an order's history in words; one that has none is shown as
// it is.
func (d *view) Happened(what string) string { return d.texts().Word("event", what) }

// Why tells why an event happened, in words where there are some.
func (d *view) Why(e ledger.Event) string {
	if key, facts := desk.Told(&e); key != "" {
		return d.texts().T("word.told."+key, facts...)
	}
	return e.Why
}

// StateName is what a state is called; anything else that an event has is shown as it is.
func (d *view) StateName(value string) string { return d.texts().Word("state", value) }

func (d *view) texts() *templates.Texts { return templates.Load(d.Lang) }

// Who names somebody who did something, as people know them.
func (d *view) Who(actor string) string {
	return strings.TrimPrefix(d.texts().Word("actor", actor), "user:")
}

// Sentence begins a text with a capital.
func (d *view) Sentence(text string) string { return sentence(text) }
