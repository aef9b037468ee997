package decode

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rensa/pkg/removal"
)

// TestFiles reads every sample and every real file there is, twice, and holds
// the numbers of rows and cells, up to the last one of each row that is not
// blank, against what was counted by other means.
func TestFiles(t *testing.T) {
	t.Parallel()
	type file struct {
		name, encoding      string
		rows, cells, damage int
	}
	dirs := map[string][]file{
		"samples": {
			{"processing_report_ok.txt", encUTF8, 3, 9, 0},
			{"processing_report_rejected.txt", encUTF8, 6, 24, 0},
			{"recommended_removal_16col.txt", encUTF8, 2, 32, 0},
			{"removal_order_detail_17col.txt", encUTF8, 4, 66, 0},
			{"removal_shipment_detail_10col.txt", encUTF8, 4, 40, 0},
			{"upload_A_broken.txt", encUTF8, 6, 90, 0},
			{"upload_A_excel_quoted_utf16le.txt", encUTF16LE, 6, 89, 0},
			{"upload_A_multi_order_cp1252_lf.txt", encCP1252, 6, 89, 0},
			{"upload_A_multi_order_utf8bom_crlf.txt", encUTF8BOM, 6, 89, 0},
			{"upload_B_key_value_no_blank_lf.txt", encUTF8, 14, 20, 0},
			{"upload_B_key_value_then_blank_lf.csv", encUTF8, 14, 29, 0},
			{"upload_B_mixed_cr_crlf_padded_tabs.txt", encUTF8, 14, 28, 0},
		},
		"real": {
			{"inventory_health_us_2016_utf8.tsv", encUTF8, 8, 376, 0},
			{"monthly_storage_fee_us_201803.tsv", encUTF8, 11, 220, 0},
			{"myi_ca_2018_title18_latin1.txt", encCP1252, 773, 13914, 0},
			{"myi_us_2020_kebab21_utf8_fffd.txt", encUTF8, 521, 10941, 35},
		},
	}
	for dir, files := range dirs {
		for _, want := range files {
			t.Run(want.name, func(t *testing.T) {
				t.Parallel()
				path := filepath.Join("../../../shared/data", dir, want.name)
				data, err := os.ReadFile(path)
				if os.IsNotExist(err) {
					t.Skipf("%s is not beside the tree", path)
				}
				if err != nil {
					t.Fatal(err)
				}
				f := mustOpen(t, data, 0, Options{Known: known})
				if got := f.Format(); got.Encoding != want.encoding || got.Delimiter != "tab" {
					t.Errorf("format %+v, want %s", got, want.encoding)
				}
				rows, err := readAll(f.Sheets()[0], 0)
				if err != nil {
					t.Fatal(err)
				}
				cells, damage := 0, 0
				for _, r := range rows {
					cells += len(r.Cells)
					for _, n := range r.Notes {
						if n.What == removal.NoteDamaged {
							damage++
						}
					}
				}
				if len(rows) != want.rows || cells != want.cells || damage != want.damage {
					t.Errorf("got %d rows, %d cells, %d damaged, want %+v", len(rows), cells, damage, want)
				}
				f.chunk = 100
				again, err := readAll(f.Sheets()[0], 0)
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(rows, again); d != "" {
					t.Errorf("second pass in small chunks differs: %s", d)
				}
			})
		}
	}
}

// TestQuotedSample: the same upload as Excel quotes it in UTF-16, in
// Windows-1252 and in UTF-8 gives the same cells.
func TestQuotedSample(t *testing.T) {
	t.Parallel()
	var first [][]string
	for _, name := range []string{
		"upload_A_excel_quoted_utf16le.txt", "upload_A_multi_order_cp1252_lf.txt", "upload_A_multi_order_utf8bom_crlf.txt",
	} {
		data, err := os.ReadFile(filepath.Join("../../../shared/data/samples", name))
		if os.IsNotExist(err) {
			t.Skipf("%s is not beside the tree", name)
		}
		if err != nil {
			t.Fatal(err)
		}
		got := cellsOf(mustRead(t, data, 0, Options{Known: known}))
		if first == nil {
			first = got
		}
		if d := cmp.Diff(first, got); d != "" {
			t.Errorf("%s differs: %s", name, d)
		}
	}
}
