package decode

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rensa/pkg/removal"
)

func gzipped(tb testing.TB, data []byte) []byte {
	tb.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(data); err != nil {
		tb.Fatal(err)
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// zipped packs names and contents, given in turn.
func zipped(tb testing.TB, entries ...string) []byte {
	tb.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i+1 < len(entries); i += 2 {
		w, err := z.Create(entries[i])
		if err == nil {
			_, err = w.Write([]byte(entries[i+1]))
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

const small = "sku\tasin\nS-1\tB0\n"

func TestContainers(t *testing.T) {
	t.Parallel()
	book := string(xlsx(t, map[string]string{"xl/worksheets/sheet1.xml": sheetXML(inlineRow(1, "sku", "asin") + inlineRow(2, "S-1", "B0"))}))
	for _, tc := range []struct {
		name, container string
		data            []byte
	}{
		{"plain", "", []byte(small)},
		{"gzip", "gzip", gzipped(t, []byte(small))},
		{"gzip of UTF-16", "gzip", gzipped(t, utf16Bytes(small, true))},
		{"gzip in members", "gzip", append(gzipped(t, []byte(small[:7])), gzipped(t, []byte(small[7:]))...)},
		{"gzip padded with zeros", "gzip", append(gzipped(t, []byte(small)), make([]byte, 512)...)},
		{"zip", "zip", zipped(t, "a.txt", small)},
		{"zip with companions", "zip", zipped(t, "x/", "", "x/a.txt", small, "__MACOSX/x/._a.txt", "junk", "x/.DS_Store", "junk")},
		{"workbook", "", []byte(book)},
		{"workbook in gzip", "gzip", gzipped(t, []byte(book))},
		{"workbook in zip", "zip", zipped(t, "book.xlsx", book)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			f, err := open(tc.data, 0, Options{TempDir: dir})
			if err != nil {
				t.Fatal(err)
			}
			if f.Format().Container != tc.container {
				t.Errorf("container %q, want %q", f.Format().Container, tc.container)
			}
			rows, err := readAll(f.Sheets()[0], 0)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff([][]string{{"sku", "asin"}, {"S-1", "B0"}}, cellsOf(rows)); d != "" {
				t.Error(d)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			wantNothingLeft(t, dir)
		})
	}
}

func wantNothingLeft(t *testing.T, dir string) {
	t.Helper()
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestRefusedFormats(t *testing.T) {
	t.Parallel()
	ole := "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + strings.Repeat("\x00", 100000)
	random := make([]byte, 3000)
	for i := range random {
		random[i] = byte(i*i*7 + i>>3)
	}
	long := gzipped(t, bytes.Repeat([]byte("some\trows\n"), 5000))
	for _, tc := range []struct {
		name  string
		data  []byte
		code  removal.Code
		facts []string
	}{
		{"empty", nil, removal.FileEmpty, nil},
		{"mark only", []byte("\ufeff"), removal.FileEmpty, nil},
		{"UTF-16 mark only", []byte("\xff\xfe"), removal.FileEmpty, nil},
		{"blank lines", []byte("\r\n\t\t\n , ;\n"), removal.FileEmpty, nil},
		{"packed nothing", gzipped(t, nil), removal.FileEmpty, nil},
		{"packed nothing in zip", zipped(t, "a", ""), removal.FileEmpty, nil},
		{"xls", []byte(ole), removal.FileFormatUnsupported, []string{"format", "xls"}},
		{"encrypted", []byte(ole + "E\x00n\x00c\x00r\x00y\x00p\x00t\x00e\x00d\x00P\x00a\x00c\x00k\x00a\x00g\x00e\x00" + ole),
			removal.FileFormatUnsupported, []string{"format", "encrypted"}},
		{"xlsb", zipped(t, "[Content_Types].xml", "x", "xl/workbook.bin", "x"), removal.FileFormatUnsupported, []string{"format", "xlsb"}},
		{"ods", zipped(t, "mimetype", "application/vnd.oasis.opendocument.spreadsheet", "content.xml", "<x/>"),
			removal.FileFormatUnsupported, []string{"format", "ods"}},
		{"document", zipped(t, "[Content_Types].xml", "x", "_rels/.rels", `<Relationships><Relationship Id="a" Type="x/officeDocument" Target="word/document.xml"/></Relationships>`,
			"word/document.xml", "<document/>"), removal.FileFormatUnsupported, []string{"format", "archive"}},
		{"several files", zipped(t, "a", small, "b", small), removal.FileFormatUnsupported, []string{"format", "archive", "files", "2"}},
		{"no file", zipped(t, "a/", ""), removal.FileFormatUnsupported, []string{"format", "archive", "files", "0"}},
		{"zip in zip", zipped(t, "a.zip", string(zipped(t, "a", small))), removal.FileFormatUnsupported, []string{"format", "archive"}},
		{"zip in gzip", gzipped(t, zipped(t, "a", small)), removal.FileFormatUnsupported, []string{"format", "archive"}},
		{"gzip in gzip", gzipped(t, gzipped(t, []byte(small))), removal.FileFormatUnsupported, []string{"format", "archive"}},
		{"tar in gzip", gzipped(t, []byte("a.txt"+strings.Repeat("\x00", 252)+"ustar\x0000")), removal.FileFormatUnsupported, []string{"format", "archive"}},
		{"PDF", []byte("%PDF-1.7\nsku\tasin\n"), removal.FileFormatUnsupported, []string{"format", "binary"}},
		{"image", []byte("\x89PNG\r\n\x1a\n...."), removal.FileFormatUnsupported, []string{"format", "binary"}},
		{"rubbish", random, removal.FileFormatUnsupported, []string{"format", "binary"}},
		{"late NUL", append(bytes.Repeat([]byte("a\tb\n"), 200000), "x\x00y"...), removal.FileFormatUnsupported, []string{"format", "binary"}},
		{"NUL in UTF-16", utf16Bytes("a\tb\x00", false), removal.FileFormatUnsupported, []string{"format", "binary"}},
		{"gzip cut off", long[:len(long)/2], removal.FileSheetTruncated, nil},
		{"gzip without its sum", long[:len(long)-4], removal.FileSheetTruncated, nil},
		{"gzip with rubbish behind", append(gzipped(t, []byte(small)), "\x00rubbish"...), removal.FileSheetTruncated, nil},
		{"gzip head only", []byte("\x1f\x8b"), removal.FileSheetTruncated, nil},
		{"zip cut off", zipped(t, "a", strings.Repeat(small, 1000))[:60], removal.FileSheetTruncated, nil},
		{"zip head only", []byte("PK\x03\x04"), removal.FileSheetTruncated, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			wantFault(t, fault(tc.data, 0, Options{TempDir: dir}), tc.code, tc.facts...)
			wantNothingLeft(t, dir)
		})
	}
}

// TestEncryptedEntry: a ZIP with a password is told from a broken one.
func TestEncryptedEntry(t *testing.T) {
	t.Parallel()
	data := zipped(t, "a.txt", small)
	at := bytes.Index(data, []byte("PK\x01\x02"))
	data[at+8] |= 1
	wantFault(t, fault(data, 0, Options{}), removal.FileFormatUnsupported, "format", "encrypted")
}
