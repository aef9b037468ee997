package samples_test

import (
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"rensa/pkg/removal"
	"rensa/samples"
)

func cases(t *testing.T) []samples.Case {
	t.Helper()
	all, err := samples.Cases()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestCases(t *testing.T) {
	t.Parallel()
	all := cases(t)
	if len(all) < 14 {
		t.Errorf("%d cases, want at least 14", len(all))
	}
	demos := 0
	for i := range all {
		c := &all[i]
		if c.Demo {
			demos++
		}
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			if c.Title == "" || c.About == "" || c.Now.IsZero() || len(c.Steps) == 0 {
				t.Error("a case has a title, a text about it, a time and steps")
			}
			if c.Profile["name"] == "" || c.Profile["home_store"] == "" {
				t.Error("a case has a merchant with a name and a home store")
			}
			checkFiles(t, c)
			for k := range c.Steps {
				checkStep(t, c, k)
			}
		})
	}
	if demos == 0 {
		t.Error("no case is a demo")
	}
}

// checkFiles holds that every file of a case is used, and no other is named.
func checkFiles(t *testing.T, c *samples.Case) {
	t.Helper()
	inputs, err := c.Inputs()
	if err != nil {
		t.Fatal(err)
	}
	var dropped, expected []string
	for i := range c.Steps {
		dropped = append(dropped, c.Steps[i].File)
		expected = append(expected, c.Steps[i].Name()+".expect")
	}
	slices.Sort(dropped)
	if got := slices.Compact(dropped); !slices.Equal(got, inputs) {
		t.Errorf("steps drop %q, the folder holds %q", got, inputs)
	}
	there, err := fs.Glob(c.FS, "*.expect")
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(expected)
	if got := slices.Compact(slices.Clone(expected)); len(got) != len(expected) || !slices.Equal(got, there) {
		t.Errorf("steps expect %q, the folder holds %q", expected, there)
	}
}

var cellName = regexp.MustCompile(`^[A-Z]{1,3}([1-9][0-9]*)$`)

func checkStep(t *testing.T, c *samples.Case, k int) {
	t.Helper()
	s := &c.Steps[k]
	if n := s.Counts; n != nil && n.Read != n.Accepted+n.Rejected+n.Seen {
		t.Errorf("%s: read %d is not accepted + rejected + seen", s.Name(), n.Read)
	}
	all, err := c.Expect(s)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.IsSortedFunc(all, func(a, b samples.Expected) int { return a.Row - b.Row }) {
		t.Errorf("%s: expectations are not in the order of the rows", s.Name())
	}
	for _, e := range all {
		code, ok := removal.ParseCode(e.Code)
		if !ok {
			t.Errorf("%s: %q is no code", s.Name(), e.Code)
		}
		if (code.Scope() == removal.ScopeFile) != (e.Row == 0) {
			t.Errorf("%s: %s has the scope %s and stands on row %d", s.Name(), code, code.Scope(), e.Row)
		}
		// Problems of the headings have no row, but a cell.
		m := cellName.FindStringSubmatch(e.Cell)
		if e.Cell != "" && (m == nil || e.Row > 0 && m[1] != strconv.Itoa(e.Row)) {
			t.Errorf("%s: row %d has no cell %q", s.Name(), e.Row, e.Cell)
		}
	}
}

// elsewhere are the codes of orders that were made otherwise than by file.
var elsewhere = []removal.Code{removal.UploadRequired}

// shownBy says which case shows a code best; it is a reader's index, held
// against the expectations here.
var shownBy = map[string]string{
	"file_empty": "broken-files", "file_too_large": "size-limits", "file_format_unsupported": "broken-files",
	"file_encoding_invalid": "broken-files", "file_kind_unknown": "broken-files", "file_header_missing": "broken-files",
	"file_header_twice": "broken-files", "file_quote_open": "broken-files", "file_sheet_truncated": "broken-files",
	"file_seen": "corrected-file", "file_refused": "whole-file", "snapshot_missing": "upload-before-inventory",
	"snapshot_older": "nightly-inventory", "snapshot_shrunk": "nightly-inventory", "snapshot_bad": "nightly-inventory",
	"snapshot_stale": "nightly-inventory", "column_ignored": "spreadsheets", "sheet_ignored": "spreadsheets", "column_count": "faulty-rows",
	"cell_formula": "spreadsheets", "cell_error": "spreadsheets", "text_damaged": "damaged-text",
	"placeholder_ignored": "damaged-text", "order_id_too_long": "faulty-rows", "order_id_used": "corrected-file",
	"row_seen": "corrected-file", "order_continued": "corrected-file", "order_conflict": "faulty-rows",
	"order_scattered": "whole-orders", "order_refused": "whole-orders", "order_header_missing": "faulty-rows",
	"order_split": "split-orders", "order_too_many_skus": "no-splitting", "method_unknown": "faulty-rows",
	"method_not_allowed": "faulty-rows", "address_field_missing": "addresses-in-europe", "address_too_long": "addresses-in-europe",
	"address_country_unknown": "addresses-in-europe", "address_country_alias": "addresses-in-europe",
	"address_postal_invalid": "demo", "address_state_unknown": "addresses-in-america",
	"address_phone_invalid": "addresses-in-europe", "address_po_box": "addresses-in-america",
	"address_fulfilment_center": "return-to-a-centre", "address_outside_store": "addresses-in-america",
	"address_ignored": "addresses-in-europe", "customer_fulfilment_suspected": "customer-orders",
	"sku_missing": "faulty-rows", "sku_too_long": "faulty-rows", "sku_unknown": "demo", "sku_is_fnsku": "faulty-rows",
	"sku_is_asin": "faulty-rows", "sku_damaged": "spreadsheets", "quantity_missing": "faulty-rows",
	"quantity_negative": "demo", "quantity_not_whole": "demo", "quantity_too_large": "faulty-rows",
	"quantity_over_stock": "shared-pool", "quantity_reduced": "partial", "row_duplicate": "faulty-rows",
	"not_returnable": "recalled-units", "pool_disagrees": "shared-pool", "snapshot_row_bad": "nightly-inventory",
	"order_matched": "unnamed-orders", "input_row_bad": "return-to-a-centre",
	"cancel_forbidden": "what-became-of-it", "cancel_too_late": "what-became-of-it", "report_unmatched": "feed-answers",
	"status_external_order": "what-became-of-it", "status_unbalanced": "what-became-of-it",
}

func TestEveryCodeIsShown(t *testing.T) {
	t.Parallel()
	shown := map[string]bool{} // "case code"
	all := cases(t)
	for i := range all {
		for k := range all[i].Steps {
			expected, err := all[i].Expect(&all[i].Steps[k])
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range expected {
				shown[all[i].Name+" "+e.Code] = true
			}
		}
	}
	for _, code := range removal.Codes() {
		where, listed := shownBy[code.String()]
		switch {
		case slices.Contains(elsewhere, code):
			if listed {
				t.Errorf("%s cannot be shown by a sample, but %s is to show it", code, where)
			}
		case !listed:
			t.Errorf("no sample is named for %s", code)
		case !shown[where+" "+code.String()]:
			t.Errorf("%s is to show %s and does not", where, code)
		}
	}
	if want := len(removal.Codes()) - len(elsewhere); len(shownBy) != want {
		t.Errorf("%d codes are listed, want %d", len(shownBy), want)
	}
}

// TestFiles holds that the inputs are listed without what is expected of them.
func TestFiles(t *testing.T) {
	t.Parallel()
	err := fs.WalkDir(samples.Files, ".", func(name string, e fs.DirEntry, err error) error {
		if err == nil && (strings.HasSuffix(name, ".expect") || e.Name() == "case.toml" || e.Name() == "out") {
			t.Errorf("%s is listed as an input", name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
