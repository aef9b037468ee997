package notify

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
	"rensa/templates"
)

var update = flag.Bool("update", false, "write the expected messages anew")

func day(s string) time.Time {
	d, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return d
}

// digest is a message of a store in Sweden: a unit whose deadline is near, one
// without a figure, one without a title that an order takes in part.
func digest(lang string) *ledger.Message {
	return message(lang, removal.Notice{
		Kind: removal.NoticeDigest, Merchant: "acme", MerchantName: "Åkes Möbler & Co", Store: "SE", Language: lang, Date: day("2026-11-23"),
		Rows: []removal.NoticeRow{
			{Hold: 1, FNSKU: "X000A1B2C3", SKU: "MUG-BLÅ-1", Title: "Kaffemugg, blå, 35 cl – handgjord i stengods", Condition: "unsellable", Units: 4,
				Reason: removal.HoldUnsellable, Since: day("2026-10-25"), Deadline: day("2026-11-24"), DaysLeft: 1, Step: "1", Fee: 312000, HasFee: true},
			{Hold: 2, FNSKU: "X000A1B2C4", SKU: "LAMP-2", Title: "Desk lamp <LED>", Condition: "sellable", Units: 12_345,
				Reason: removal.HoldRecalled, Since: day("2026-11-07"), Deadline: day("2026-12-07"), DaysLeft: 14, Step: "14", NoFeeReason: "weight_unknown"},
			{Hold: 3, SKU: "A-VERY-LONG-SELLER-SKU-OF-FORTY-BYTES-01", Condition: "unsellable", Units: 1, Covered: 2, CoveredBy: []string{"R261120-ABCDEFGH"},
				Reason: removal.HoldExpiry, Since: day("2026-11-23"), Deadline: day("2026-11-30"), DaysLeft: 7, Step: removal.StepOpening, Fee: 78000, HasFee: true},
			{Hold: 4, FNSKU: "X000A1B2C6", SKU: "VAS-3", Title: "Vas", Condition: "sellable", Units: 30,
				Reason: removal.HoldStranded, Since: day("2026-11-23"), Deadline: day("2026-12-23"), DaysLeft: 30, Step: removal.StepOpening, Fee: 2340000, HasFee: true},
		},
		More: 118, Holds: 122, Units: 14_120, Fee: 12_345_500, Currency: "SEK", NoFee: 12_345, NoFeeReason: "weight_unknown",
		First: day("2026-11-24"), Method: "Return",
	}, "deadlines-2026-11-23.xlsx", "upload-required.tsv")
}

func disposal(lang string) *ledger.Message {
	return message(lang, removal.Notice{
		Kind: removal.NoticeDisposal, Merchant: "acme", Store: "DE", Language: lang, Date: day("2026-12-25"),
		Rows: []removal.NoticeRow{{Hold: 4, FNSKU: "X000A1B2C6", SKU: "VAS-3", Title: "Vas", Condition: "sellable", Units: 1,
			Reason: removal.HoldStranded, Since: day("2026-11-23"), Deadline: day("2026-12-23"), DaysLeft: -2, Step: removal.StepDisposal, NoFeeReason: "disposal_rate_unknown", Order: "R261225-7K3M9QXA"}},
		Holds: 1, Units: 1, Currency: "EUR", NoFee: 1, NoFeeReason: "disposal_rate_unknown", First: day("2026-12-23"), AutoDispose: true, Orders: []string{"R261225-7K3M9QXA"},
	})
}

func message(lang string, n removal.Notice, files ...string) *ledger.Message {
	data, err := json.Marshal(n)
	if err != nil {
		panic(err)
	}
	m := &ledger.Message{
		Merchant: n.Merchant, ID: string(n.Kind) + "-" + n.Date.Format(time.DateOnly), MessageID: "one.two@rensa.example", Kind: string(n.Kind), Language: lang,
		Created: n.Date.Add(4 * time.Hour), Data: data,
	}
	for _, f := range files {
		m.Attachments = append(m.Attachments, ledger.Attachment{Name: f, MediaType: "application/octet-stream", Body: []byte("body of " + f)})
	}
	return m
}

// What the messages say in each language stands in testdata; the HTML beside it can
// be looked at in a browser.
func TestCompose(t *testing.T) {
	t.Parallel()
	for _, lang := range templates.Languages() {
		for kind, m := range map[string]*ledger.Message{"notice": digest(lang), "disposal": disposal(lang)} {
			mail, err := Compose(m)
			if err != nil {
				t.Fatal(err)
			}
			html, err := mail.HTML()
			if err != nil {
				t.Fatal(err)
			}
			golden(t, kind+"."+lang+".html", html)
			golden(t, kind+"."+lang+".txt", "Subject: "+mail.Subject+"\n"+"Preview: "+mail.Preview+"\n\n"+mail.Text())
			sameInBoth(t, mail, html)
		}
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

var broken = regexp.MustCompile(`\{\{|no value|%!|notice\.[a-z]|word\.[a-z]`)

// sameInBoth checks that text and HTML both say everything, that no text is
// missing, and that the HTML fetches nothing.
func sameInBoth(t *testing.T, m *templates.Mail, html string) {
	t.Helper()
	text := strings.Join(strings.Fields(m.Text()), " ")
	visible := strings.Join(strings.Fields(strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">", "&#39;", "'", "&#34;", `"`).Replace(html)), " ")
	says := append(append([]string{m.Title, m.TableTitle, m.More, m.About}, m.Intro...), append(m.Steps, m.Footer...)...)
	for _, row := range m.Rows {
		for _, c := range row {
			says = append(append(says, c.Text), c.Notes...)
		}
	}
	for _, f := range append(m.Facts, m.Files...) {
		says = append(says, f.Label, f.Value, f.Note)
	}
	for _, s := range says {
		s = strings.Join(strings.Fields(s), " ")
		if !strings.Contains(text, s) {
			t.Errorf("the text does not say %q", s)
		}
		if !strings.Contains(visible, s) {
			t.Errorf("the HTML does not say %q", s)
		}
	}
	for _, all := range []string{m.Subject, text, html} {
		if found := broken.FindString(all); found != "" {
			t.Errorf("%q stands in it", found)
		}
	}
	for _, never := range []string{"http:", "https:", "src=", "url(", "<script", "<style", "class="} {
		if strings.Contains(html, never) {
			t.Errorf("%q stands in the HTML", never)
		}
	}
}

func TestComposeFaults(t *testing.T) {
	t.Parallel()
	m := digest("sv")
	m.Kind = "song"
	if _, err := Compose(m); !errors.Is(err, ErrKind) {
		t.Errorf("the error is %v", err)
	}
	m = digest("sv")
	m.Data = []byte(`{"rows": 3}`)
	if _, err := Compose(m); err == nil {
		t.Error("damaged data are composed")
	}
}
