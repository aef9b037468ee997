package notify

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
	"rensa/templates"
)

// ErrKind says that a message is of a kind that nobody can put into words.
var ErrKind = errors.New("a message of an unknown kind")

// Compose puts a message of the outbox into words, in its language.
func Compose(m *ledger.Message) (*templates.Mail, error) {
	switch removal.NoticeKind(m.Kind) {
	case removal.NoticeDigest, removal.NoticeDisposal:
	default:
		return nil, fmt.Errorf("message %s: %q: %w", m.ID, m.Kind, ErrKind)
	}
	var n removal.Notice
	if err := json.Unmarshal(m.Data, &n); err != nil {
		return nil, fmt.Errorf("message %s: %w", m.ID, err)
	}
	c := &composer{n: &n, t: templates.Load(m.Language)}
	for _, a := range m.Attachments {
		c.files = append(c.files, a.Name)
	}
	return c.mail(), nil
}

// composer makes sentences of a notice.
type composer struct {
	n     *removal.Notice
	t     *templates.Texts
	files []string // that go with it
}

func (c *composer) name() string {
	if c.n.MerchantName != "" {
		return c.n.MerchantName
	}
	return c.n.Merchant
}

func date(t time.Time) string { return t.Format(time.DateOnly) }

// money is an amount, or the words for none.
func (c *composer) money(a removal.Amount, has bool) string {
	if !has {
		return c.t.T("notice.no_figure")
	}
	return c.t.Money(a.String(), c.n.Currency)
}

// why says why there is no figure.
func (c *composer) why(reason string) string {
	key := "word.nofee." + reason
	if reason == "" || !c.t.Has(key) {
		return ""
	}
	return c.t.T(key)
}

// left says how long there is until a day.
func (c *composer) left(days int) string {
	past := ""
	if days < 0 {
		days, past = -days, "1"
	}
	return c.t.T("notice.left", "days", days, "past", past)
}

// daysTo counts the days from the notice's date to another.
func (c *composer) daysTo(day time.Time) int {
	return int(day.Sub(c.n.Date).Round(24*time.Hour) / (24 * time.Hour))
}

func (c *composer) mail() *templates.Mail {
	n, t := c.n, c.t
	digest := n.Kind == removal.NoticeDigest
	ids := c.ids(n.Orders, 5)
	facts := []any{
		"name", c.name(), "units", n.Units, "first", date(n.First), "fee", c.total(), "ids", ids, "orders", len(n.Orders),
		"days", max(c.daysTo(n.First), -c.daysTo(n.First)), "past", map[bool]string{true: "1"}[c.daysTo(n.First) < 0],
	}
	m := &templates.Mail{
		Lang:  t.Lang(),
		Brand: t.T("notice.brand"), About: t.T("notice.about", "name", c.name(), "store", n.Store, "date", date(n.Date)),
		StepsTitle: t.T("notice.steps"), FilesTitle: t.T("notice.files"),
		Footer: []string{t.T("notice.footer.why", "name", c.name()), t.T("notice.footer.fee")},
	}
	if digest {
		preview := "notice.digest.preview"
		if c.upload() == "" {
			preview = "notice.digest.preview_bare"
		}
		m.Subject, m.Preview, m.Title = t.T("notice.digest.subject", facts...), t.T(preview, facts...), t.T("notice.digest.title", facts...)
		rule := "notice.digest.hand"
		if n.AutoDispose {
			rule = "notice.digest.auto"
		}
		m.Intro = []string{t.T("notice.digest.intro"), t.T(rule)}
		m.TableTitle = t.T("notice.table")
		m.Footer = append(m.Footer, t.T("notice.footer.steps"))
	} else {
		m.Subject, m.Preview, m.Title = t.T("notice.disposal.subject", facts...), t.T("notice.disposal.preview", facts...), t.T("notice.disposal.title", facts...)
		m.Intro = []string{t.T("notice.disposal.intro", facts...), t.T("notice.disposal.final")}
		m.TableTitle = t.T("notice.table_ordered")
	}
	m.Facts, m.Steps = c.facts(digest), c.steps(digest)
	c.table(m, digest)
	for _, f := range c.files {
		m.Files = append(m.Files, templates.MailFact{Label: f, Value: t.T(fileText(f))})
	}
	return m
}

// ids lists order ids, and how many more there are.
func (c *composer) ids(all []string, most int) string {
	if len(all) <= most {
		return strings.Join(all, ", ")
	}
	return strings.Join(all[:most], ", ") + " " + c.t.T("notice.fact.more_orders", "more", len(all)-most)
}

// total is the fee of all units that have a figure.
func (c *composer) total() string { return c.money(c.n.Fee, c.n.Fee != 0 || c.n.NoFee < c.n.Units) }

func (c *composer) facts(digest bool) []templates.MailFact {
	n, t := c.n, c.t
	units := templates.MailFact{Label: t.T("notice.fact.units"), Value: t.Number(n.Units), Note: t.T("notice.fact.holds", "holds", n.Holds)}
	fee := templates.MailFact{Label: t.T("notice.fact.fee"), Value: c.total()}
	if n.NoFee > 0 {
		fee.Note = t.T("notice.without", "units", n.NoFee, "why", c.why(n.NoFeeReason))
	}
	if digest {
		days := c.daysTo(n.First)
		first := templates.MailFact{Label: t.T("notice.fact.deadline"), Value: date(n.First), Note: c.left(days), Urgent: days <= urgentDays}
		return []templates.MailFact{units, first, fee}
	}
	units.Label, fee.Label = t.T("notice.fact.disposed"), t.T("notice.fact.fee_ordered")
	orders := templates.MailFact{Label: t.T("notice.fact.orders", "orders", len(n.Orders)), Value: c.ids(n.Orders, 1)}
	return []templates.MailFact{units, orders, fee}
}

// urgentDays is from how few days on a deadline is shown in red.
const urgentDays = 3

func (c *composer) steps(digest bool) []string {
	t := c.t
	if !digest {
		var steps []string
		if len(c.n.Orders) > 0 {
			steps = append(steps, t.T("notice.step.see", "id", c.n.Orders[0]))
		}
		if c.has("deadlines") {
			steps = append(steps, t.T("notice.step.avoid"))
		}
		return steps
	}
	before := t.T("notice.step.before")
	if file := c.upload(); file != "" {
		return []string{t.T("notice.step.upload", "file", file, "method", c.n.Method), t.T("notice.step.drop"), before}
	}
	if c.n.NoUpload == removal.NoUploadAddress {
		return []string{t.T("notice.step.no_address"), before}
	}
	return []string{t.T("notice.step.no_upload"), before}
}

// upload is the attached file that can be uploaded, "" where there is none.
func (c *composer) upload() string {
	for _, f := range c.files {
		if fileText(f) == "notice.file.upload" {
			return f
		}
	}
	return ""
}

func (c *composer) has(word string) bool {
	for _, f := range c.files {
		if strings.Contains(f, word) {
			return true
		}
	}
	return false
}

// fileText is the text that says what an attached file is.
func fileText(name string) string {
	switch {
	case strings.HasPrefix(name, "upload") && path.Ext(name) == ".tsv":
		return "notice.file.upload"
	case strings.Contains(name, "deadlines"):
		return "notice.file.deadlines"
	}
	return "notice.file.other"
}

func (c *composer) table(m *templates.Mail, digest bool) {
	t := c.t
	m.Head = []templates.MailColumn{
		{Text: t.T("notice.col.product")}, {Text: t.T("notice.col.units"), Right: true, Whole: true}, {Text: t.T("notice.col.reason")},
		{Text: t.T("notice.col.deadline"), Whole: true}, {Text: t.T("notice.col.fee"), Right: true},
	}
	if !digest {
		m.Head[3] = templates.MailColumn{Text: t.T("notice.col.order")}
	}
	for i := range c.n.Rows {
		m.Rows = append(m.Rows, c.row(&c.n.Rows[i], digest))
	}
	if c.n.More > 0 {
		key := "notice.more"
		if !c.has("deadlines") {
			key = "notice.more_bare"
		}
		m.More = t.T(key, "more", c.n.More)
	}
}

func (c *composer) row(r *removal.NoticeRow, digest bool) []templates.MailCell {
	t := c.t
	product := templates.MailCell{Text: r.Title}
	keys := r.SKU
	if r.FNSKU != "" && r.FNSKU != r.SKU {
		keys += " · " + r.FNSKU
	}
	if product.Text == "" {
		product.Text = keys
	} else {
		product.Notes = []string{keys}
	}
	if r.Covered > 0 {
		product.Notes = append(product.Notes, t.T("notice.covered", "units", r.Covered, "count", len(r.CoveredBy), "ids", c.ids(r.CoveredBy, 3)))
	}
	reason := templates.MailCell{Text: t.T("word.noticereason." + string(r.Reason)), Notes: []string{t.T("notice.since", "date", date(r.Since))}}
	fee := templates.MailCell{Text: c.money(r.Fee, r.HasFee)}
	if !r.HasFee {
		if why := c.why(r.NoFeeReason); why != "" {
			fee.Notes = []string{why}
		}
	}
	deadline := templates.MailCell{Text: date(r.Deadline), Notes: []string{c.left(r.DaysLeft)}, Urgent: r.DaysLeft <= urgentDays}
	if !digest {
		deadline = templates.MailCell{Text: r.Order}
	}
	return []templates.MailCell{product, {Text: t.Number(r.Units)}, reason, deadline, fee}
}
