package report

import (
	"io"
	"strconv"
	"time"

	"rensa/pkg/removal"
	"rensa/templates"
)

// AgeBands is how many bands of ages the Recommended Removal report shows: to 90
// days, 180, 270, 365, and older.
const AgeBands = 5

// RecommendedRow is one stock pool whose units will be charged, under its first
// MSKU. Where a number may be unknown, -1 says so.
type RecommendedRow struct {
	SKU, FNSKU, ASIN, Title string
	Sellable, Unsellable    int64
	// Ages are the sellable units by band; Mid those of 121 to 180 days.
	Ages [AgeBands]int64
	Mid  int64
	// UnsellableWeek to UnsellableTo90 are units by the days since they became
	// unsellable: to 7, to 60, to 90.
	UnsellableWeek, UnsellableTo60, UnsellableTo90 int64
	// Aged will be charged at the clean-up, as Basis tells it; AtLeast: there may
	// be more. Open are units that removals take already, Remove what is left.
	Aged, Open, Remove int64
	Basis              string
	AtLeast            bool
	// Surcharge is what removing them avoids; ReturnFee and DisposalFee what it costs.
	Surcharge, ReturnFee, DisposalFee Figure
	Expected                          int64 // units that will be sold before the clean-up
	CoverDays                         int64 // days that the stock lasts
	Cheaper                           Choice
}

// Figure is an amount, or why there is none in a word of package policy.
type Figure struct {
	Amount removal.Amount
	Known  bool
	Why    string
}

// Choice is what to do with units that will be charged.
type Choice string

// The choices.
const (
	ChoiceUnknown Choice = "unknown" // a figure is missing
	ChoiceKeep    Choice = "keep"
	ChoiceReturn  Choice = "return"
	ChoiceDispose Choice = "disposal"
)

// Ageing is the whole sellable stock by age, and of each band what will be charged.
type Ageing struct {
	Units, Charged [AgeBands]int64
	Unknown        int64
}

// Recommended is the Recommended Removal report of one day.
type Recommended struct {
	Merchant removal.Merchant
	Zone     *time.Location
	Made     time.Time
	// Snapshot is the stock's date.
	Snapshot        time.Time
	SnapshotHasTime bool
	CleanUp         time.Time // its day
	FromDays        int       // the age that is charged
	Currency        string
	Rows            []RecommendedRow
	Ageing          Ageing
	// NoUpload says why there is no ready upload file, "" where there is one:
	// "nothing" to remove, or no "address" to return to.
	NoUpload string
}

func (r *Recommended) texts() *templates.Texts { return templates.Load(r.Merchant.Profile.Language) }

// RecommendedTotals are the sums of a report's rows.
type RecommendedTotals struct {
	SKUs, Units                 int64
	Surcharge, Return, Disposal removal.Amount
	// NoSurcharge, NoReturn and NoDisposal are rows without a figure.
	NoSurcharge, NoReturn, NoDisposal int64
	AtLeast                           bool
}

// Totals sums the rows.
func (r *Recommended) Totals() (t RecommendedTotals) {
	add := func(sum *removal.Amount, none *int64, f Figure) {
		if f.Known {
			*sum += f.Amount
		} else {
			*none++
		}
	}
	for i := range r.Rows {
		row := &r.Rows[i]
		t.SKUs++
		t.Units += row.Remove
		t.AtLeast = t.AtLeast || row.AtLeast
		add(&t.Surcharge, &t.NoSurcharge, row.Surcharge)
		add(&t.Return, &t.NoReturn, row.ReturnFee)
		add(&t.Disposal, &t.NoDisposal, row.DisposalFee)
	}
	return t
}

var recommendedHeadings = []string{
	"snapshot-date", "sku", "fnsku", "asin", "product-name", "condition", "sellable-quantity", "sellable-271-365-days",
	"sellable-365+-days", "sellable-removal-quantity", "unsellable-quantity", "unsellable-0-7-days", "unsellable-8-60-days",
	"unsellable-61-90-days", "sellable-121-180-days", "sellable-181-270-days",
}

// TSV writes the report as the marketplace does, its 16 columns in its order. What
// is not known is blank; with nothing to remove there are the headings alone.
func (r *Recommended) TSV(w io.Writer) error {
	t, err := newTSV(w, recommendedHeadings)
	if err != nil {
		return err
	}
	date := stamp(r.Snapshot, r.Zone)
	values := make([]string, len(recommendedHeadings))
	for i := range r.Rows {
		row := &r.Rows[i]
		values = append(values[:0], date, row.SKU, row.FNSKU, row.ASIN, row.Title, "")
		for _, n := range [...]int64{
			row.Sellable, row.Ages[3], row.Ages[4], row.Remove, row.Unsellable,
			row.UnsellableWeek, row.UnsellableTo60, row.UnsellableTo90, row.Mid, row.Ages[2],
		} {
			values = append(values, known(n))
		}
		if err := t.row(values); err != nil {
			return err
		}
	}
	return t.flush()
}

// known writes a number, blank for one that is not known.
func known(n int64) string {
	if n < 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}
