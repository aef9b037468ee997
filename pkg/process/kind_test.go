package process_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"rensa/pkg/process"
	"rensa/pkg/removal"
)

const twoSKUs = "sku\tfnsku\tafn-fulfillable-quantity\tafn-unsellable-quantity\nA\tX1\t9\t9\nB\tX2\t9\t9\n"

// A table whose headings stand twice, or under a title that is a heading's word,
// is a table all the same, and no row of it is lost.
func TestTableIsNotKeyValue(t *testing.T) {
	t.Parallel()
	head := "MerchantRemovalOrderID\tRemovalDisposition\tMerchantSKU\tSellableQuantity\n"
	for name, c := range map[string]struct {
		text string
		rows int
	}{
		"TwoTables":  {head + "O1\tDisposal\tA\t1\n" + head + "O2\tDisposal\tB\t1\n", 3},
		"TitleBlock": {"Name\tFirma\n" + head + "O1\tDisposal\tA\t1\n", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorkspace(t, profile())
			w.drop("inventory.txt", []byte(twoSKUs), process.ExitAccepted)
			exit := process.ExitAccepted
			if c.rows > 2 {
				exit = process.ExitRejected // the second heading row is no item
			}
			r := w.drop("upload.tsv", []byte(c.text), exit)
			if rows := w.table(r, "result.csv"); len(rows) != c.rows || rows[0][2] != "O1" || rows[0][10] != "accepted" {
				t.Errorf("rows %v", rows)
			}
		})
	}
}

// The hint names the heading to rename, whatever language it is near to, and never
// one that the file needs as it stands.
func TestHeadingToRename(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ headings, nearest string }{
		"Part":        {"Order-ID|RemovalDisposition|AddressName|SKU|SellableQuantity", "MerchantSKU ~ SKU"},
		"Longer":      {"RemovalDisposition|My MerchantSKU (new)|SellableQuantity", "MerchantSKU ~ My MerchantSKU (new)"},
		"Swedish":     {"Borttagningsmetod|Säljarens SKU|Levererbart antal", "MerchantSKU ~ Säljarens SKU"},
		"German":      {"Remissionsart|Händler-SKU|Verkaufbare Mengen", "SellableQuantity / UnsellableQuantity ~ Verkaufbare Mengen"},
		"NothingLike": {"RemovalDisposition|Artikel|SellableQuantity|ContactPhoneNumber", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorkspace(t, profile())
			w.drop("inventory.txt", []byte(twoSKUs), process.ExitAccepted)
			text := strings.ReplaceAll(c.headings, "|", "\t") + "\nDisposal\tA\t1\n"
			r := w.drop("upload.tsv", []byte(text), process.ExitRefused)
			if p := r.FileProblem; p == nil || p.Code != removal.FileHeaderMissing || p.Args.Get("nearest") != c.nearest {
				t.Errorf("answer %+v", p)
			}
		})
	}
}

// edited is a workbook with some of its parts changed; nil drops a part.
func edited(t *testing.T, book []byte, edit func(name string, part []byte) []byte) []byte {
	t.Helper()
	from, err := zip.NewReader(bytes.NewReader(book), int64(len(book)))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	to := zip.NewWriter(&b)
	for _, f := range from.File {
		part := edit(f.Name, partOf(t, f))
		if part == nil {
			continue
		}
		w, err := to.Create(f.Name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(part); err != nil {
			t.Fatal(err)
		}
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// What is shown is what is meant: a hidden copy with a column more is not read in its place.
func TestHiddenSheetComesLast(t *testing.T) {
	t.Parallel()
	f := excelize.NewFile()
	set := func(sheet, cell string, row ...any) {
		if err := f.SetSheetRow(sheet, cell, &row); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.NewSheet("Last year"); err != nil {
		t.Fatal(err)
	}
	set("Sheet1", "A1", "RemovalDisposition", "MerchantSKU", "SellableQuantity")
	set("Sheet1", "A2", "Disposal", "A", 1)
	set("Last year", "A1", "MerchantRemovalOrderID", "RemovalDisposition", "MerchantSKU", "SellableQuantity")
	set("Last year", "A2", "O1", "Disposal", "B", 2)
	if err := f.SetSheetVisible("Last year", false); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := errors.Join(f.Write(&b), f.Close()); err != nil {
		t.Fatal(err)
	}
	w := newWorkspace(t, profile())
	w.drop("inventory.txt", []byte(twoSKUs), process.ExitAccepted)
	r := w.drop("book.xlsx", b.Bytes(), process.ExitAccepted)
	if r.Summary.Sheet != "Sheet1" || len(r.Problems) > 0 {
		t.Errorf("sheet %q was read; problems %v", r.Summary.Sheet, r.Problems)
	}
}

// A report carries nobody's programs, and what is called .xlsx may hold none.
func TestMacrosAreLeftOut(t *testing.T) {
	t.Parallel()
	rows := [][]string{{"RemovalDisposition", "MerchantSKU", "SellableQuantity"}, {"Disposal", "A", "1"}, {"", "NONE", "1"}}
	declare := declared("ms-excel.sheet.macroEnabled")
	book := edited(t, workbook(t, rows), func(name string, part []byte) []byte {
		part = declare(name, part)
		switch name {
		case "xl/_rels/workbook.xml.rels":
			part = bytes.Replace(part, []byte("</Relationships>"), []byte(`<Relationship Id="rIdM" Target="vbaProject.bin"`+
				` Type="http://schemas.microsoft.com/office/2006/relationships/vbaProject"/></Relationships>`), 1)
		case "[Content_Types].xml":
			part = bytes.Replace(part, []byte("</Types>"), []byte(`<Override PartName="/xl/vbaProject.bin"`+
				` ContentType="application/vnd.ms-office.vbaProject"/></Types>`), 1)
		case "xl/worksheets/sheet1.xml":
			part = bytes.Replace(part, []byte(`defaultRowHeight="15"`), []byte(`defaultRowHeight="23"`), 1)
		}
		return part
	})
	from, err := zip.NewReader(bytes.NewReader(book), int64(len(book)))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	to := zip.NewWriter(&b)
	for _, f := range from.File {
		if err := to.Copy(f); err != nil {
			t.Fatal(err)
		}
	}
	if _, err = to.Create("xl/vbaProject.bin"); err == nil {
		err = to.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	w := newWorkspace(t, profile())
	w.drop("inventory.txt", []byte(twoSKUs), process.ExitAccepted)
	r := w.drop("book.xlsm", b.Bytes(), process.ExitRejected)
	z, err := zip.OpenReader(filepath.Join(r.ReportDir, "annotated.xlsx"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range z.File {
		part := partOf(t, f)
		if strings.Contains(f.Name, "vbaProject") || bytes.Contains(part, []byte("vbaProject.bin")) {
			t.Errorf("%s speaks of macros", f.Name)
		}
		if f.Name == "xl/worksheets/sheet1.xml" && !bytes.Contains(part, []byte(`defaultRowHeight="23"`)) {
			t.Error("it is not the workbook that was dropped")
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
}

func partOf(t *testing.T, f *zip.File) []byte {
	t.Helper()
	r, err := f.Open()
	if err != nil {
		t.Fatal(err)
	}
	part, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	return part
}

// declared makes a workbook another kind of one.
func declared(kind string) func(name string, part []byte) []byte {
	return func(_ string, part []byte) []byte {
		return bytes.ReplaceAll(part, []byte("openxmlformats-officedocument.spreadsheetml.sheet.main+xml"), []byte(kind+".main+xml"))
	}
}

// Workbooks as other programs save them are annotated, or, where that cannot be,
// made of their rows; none is refused for what is odd about it.
func TestOddWorkbooks(t *testing.T) {
	t.Parallel()
	rows := [][]string{
		{"MerchantRemovalOrderID", "RemovalDisposition", "MerchantSKU", "SellableQuantity"},
		{"O1", "Disposal", "A", "1"}, {"O1", "", "NONE", "1"},
	}
	styles := regexp.MustCompile(`<(Relationship|Override) [^>]*styles[^>]*(/>|></(Relationship|Override)>)`)
	for name, edit := range map[string]func(name string, part []byte) []byte{
		"SelectedAsTrue": func(name string, part []byte) []byte {
			return bytes.ReplaceAll(part, []byte(`tabSelected="1"`), []byte(`tabSelected="true"`))
		},
		"WithoutStyles": func(name string, part []byte) []byte {
			if strings.HasSuffix(name, "styles.xml") {
				return nil
			}
			return styles.ReplaceAll(part, nil)
		},
		// Spreadsheets refuse to open a workbook that says it is another kind than its name.
		"Template": declared("openxmlformats-officedocument.spreadsheetml.template"),
		"Macros":   declared("ms-excel.sheet.macroEnabled"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorkspace(t, profile())
			w.drop("inventory.txt", []byte(twoSKUs), process.ExitAccepted)
			r := w.drop("book.xlsx", edited(t, workbook(t, rows), edit), process.ExitRejected)
			path := filepath.Join(r.ReportDir, "annotated.xlsx")
			z, err := zip.OpenReader(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range z.File {
				part := partOf(t, f)
				if n := bytes.Count(part, []byte("tabSelected=")); n > 1 {
					t.Errorf("%s has the attribute tabSelected %d times", f.Name, n)
				}
				if f.Name == "[Content_Types].xml" && !bytes.Contains(part, []byte("spreadsheetml.sheet.main+xml")) {
					t.Errorf("it is declared as another kind of workbook: %s", part)
				}
			}
			if err := z.Close(); err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var again bytes.Buffer
			if err := w.Rebuild(t.Context(), merchantID, r.RunID, "annotated.xlsx", &again); err != nil || !bytes.Equal(want, again.Bytes()) {
				t.Errorf("made again it is %d bytes instead of %d: %v", again.Len(), len(want), err)
			}
		})
	}
}
