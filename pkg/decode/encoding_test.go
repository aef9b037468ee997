package decode

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"

	"rensa/pkg/removal"
)

func utf16Bytes(s string, big bool) []byte {
	b := []byte{0xff, 0xfe}
	if big {
		b = []byte{0xfe, 0xff}
	}
	for _, u := range utf16.Encode([]rune(s)) {
		if big {
			b = append(b, byte(u>>8), byte(u))
		} else {
			b = append(b, byte(u), byte(u>>8))
		}
	}
	return b
}

// TestEncodings: one text in every encoding gives the same rows, wherever the
// borders of the pieces fall.
func TestEncodings(t *testing.T) {
	t.Parallel()
	text := "sku\tasin\n" + strings.Repeat("Åland €5 “x”\tß\n\tö\n", 5000)
	cp, err := charmap.Windows1252.NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	kana := "sku\tasin\n" + strings.Repeat("商品|表\tﾃｽﾄ\n", 5000)
	sjis, err := japanese.ShiftJIS.NewEncoder().String(kana)
	if err != nil {
		t.Fatal(err)
	}
	smile := strings.ReplaceAll(text, "x", "😀")
	for _, tc := range []struct {
		encoding string
		data     []byte
		same     string
		opt      Options
	}{
		{encUTF8, []byte(text), text, Options{}},
		{encUTF8, []byte(text), text, Options{ShiftJIS: true}},
		{encUTF8BOM, []byte("\ufeff" + text), text, Options{}},
		{encCP1252, []byte(cp), text, Options{}},
		{encUTF16LE, utf16Bytes(text, false), text, Options{}},
		{encUTF16BE, utf16Bytes(smile, true), smile, Options{}},
		{encUTF16LE, utf16Bytes(smile, false), smile, Options{}},
		{encShiftJIS, []byte(sjis), kana, Options{ShiftJIS: true}},
	} {
		want := mustRead(t, []byte(tc.same), 0, Options{})
		for _, chunk := range []int{0, 1001} {
			f := mustOpen(t, tc.data, chunk, tc.opt)
			if got := f.Format().Encoding; got != tc.encoding {
				t.Errorf("encoding %s, want %s", got, tc.encoding)
			}
			got, err := readAll(f.Sheets()[0], 0)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s, chunk %d: %s", tc.encoding, chunk, d)
			}
		}
	}
}

// TestCP1252Pair: two letters that could be one of UTF-8 make no UTF-8 of a text.
func TestCP1252Pair(t *testing.T) {
	t.Parallel()
	f := mustOpen(t, []byte("sku\tasin\n\xc3\xb6\t\xe5\xe4\xf6\n"), 0, Options{})
	if got := f.Format().Encoding; got != encCP1252 {
		t.Errorf("encoding %s", got)
	}
}

// TestCP1252Table holds the table against the one of x/text.
func TestCP1252Table(t *testing.T) {
	t.Parallel()
	for i, r := range cp1252 {
		want := charmap.Windows1252.DecodeByte(byte(0x80 + i))
		if r == 0 {
			r = '\uFFFD'
		}
		if r != want {
			t.Errorf("byte %#x is %q, want %q", 0x80+i, r, want)
		}
	}
}

// TestEncodingInvalid: ∑ stands before the first byte that fits nowhere.
func TestEncodingInvalid(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a\tb\n", 100000)
	for _, tc := range []struct {
		name, input, encoding string
		opt                   Options
	}{
		{"undefined in Windows-1252", "sku\tasin\n\xe5\t∑\x81\n", encCP1252, Options{}},
		{"late", long + "\xe5\t∑\x9d\n", encCP1252, Options{}},
		{"meant to be UTF-8", "sku\tasin\nå\t∑\xe5\n\x81", encUTF8, Options{}},
		{"UTF-8 with a byte of Windows-1252", "sku\tasin\nMalmö\tÅhus\nMalm∑\xf6\tx\n", encUTF8, Options{}},
		{"the same, the byte first", "sku\tasin\nMalm∑\xf6\tx\n" + strings.Repeat("Malmö\tÅhus\n", 20000), encUTF8, Options{}},
		{"UTF-8 by its mark", "\ufeffsku\n∑\xe5\n", encUTF8, Options{}},
		{"UTF-8 cut off", "\ufeffsku\n∑\xe2\x82", encUTF8, Options{}},
		{"lone high half", "\xff\xfea\x00∑\x00\xd8b\x00", encUTF16LE, Options{}},
		{"lone low half", "\xfe\xff\x00a∑\xdc\x00\x00b", encUTF16BE, Options{}},
		{"high half at the end", "\xff\xfea\x00∑\x3d\xd8", encUTF16LE, Options{}},
		{"odd length", "\xff\xfea\x00∑b", encUTF16LE, Options{}},
		{"UTF-32", "∑\xff\xfe\x00\x00a\x00\x00\x00", "utf-32le", Options{}},
		{"Shift-JIS", "sku\n\x8f\xa4∑\xfd\x41", encShiftJIS, Options{ShiftJIS: true}},
		{"Shift-JIS cut off", "sku\n\x8f\xa4∑\x8f", encShiftJIS, Options{ShiftJIS: true}},
	} {
		at := strings.Index(tc.input, "∑")
		data := strings.ReplaceAll(tc.input, "∑", "")
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			want := []string{"encoding", tc.encoding, "offset", fmt.Sprint(at)}
			if !strings.HasPrefix(tc.encoding, "utf-16") && tc.encoding != "utf-32le" {
				want = append(want, "line", fmt.Sprint(1+strings.Count(tc.input[:at], "\n")))
			}
			wantFault(t, fault([]byte(data), 0, tc.opt), removal.FileEncodingInvalid, want...)
		})
	}
}

// TestUnreadableDisk: a failure to read is no fault of the file.
func TestUnreadableDisk(t *testing.T) {
	t.Parallel()
	for _, head := range []string{"sku\tasin\n", "PK\x03\x04", "\x1f\x8b\x08\x00", "\xff\xfea\x00"} {
		_, err := Open(brokenDisk{head}, 1<<20, Options{})
		var refused *removal.FileError
		if !errors.Is(err, errDisk) || errors.As(err, &refused) {
			t.Errorf("%q: got %v, want the disk's error", head, err)
		}
	}
}

var errDisk = errors.New("disk on fire")

type brokenDisk struct{ head string }

func (d brokenDisk) ReadAt(p []byte, off int64) (int, error) {
	if off > 0 || len(p) > 4096 {
		return 0, errDisk
	}
	n := copy(p, d.head)
	clear(p[n:])
	for i := n; i < len(p); i++ {
		p[i] = 'x'
	}
	return len(p), nil
}
