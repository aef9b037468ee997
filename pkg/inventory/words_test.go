package inventory

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

const wordsHeader = "sku\tfnsku\tasin\tproduct-name\tcondition\tyour-price\tafn-fulfillable-quantity\tafn-unsellable-quantity\n"

// stockOf makes an export of lines "sku|fnsku|asin|title".
func linesOf(lines ...string) string {
	b := wordsHeader
	for _, l := range lines {
		p := strings.Split(l, "|")
		b += fmt.Sprintf("%s\t%s\t%s\t%s\tNew\t1.00\t5\t2\n", p[0], p[1], p[2], p[3])
	}
	return b
}

func findText(t *testing.T, s *Snapshot, text string, limit int) string {
	t.Helper()
	h, err := s.Find(t.Context(), text, limit)
	if err != nil {
		t.Fatal(err)
	}
	var skus []string
	for _, i := range h.Items {
		skus = append(skus, string(s.SKU(i)))
	}
	return fmt.Sprintf("%s of %d", strings.Join(skus, " "), h.Total)
}

func TestFind(t *testing.T) {
	s := read(t, linesOf(
		"MUG-1|X001|B0AAAAAAA1|Coffee mug, blue, 0.3 l",
		"MUG-10|X002|B0AAAAAAA2|Kaffeemugg i stengods, grön",
		"LAMP|X003|B0AAAAAAA3|Schreibtischlampe für Büro, weiß",
		"LAMP-2|X004|B0AAAAAAA4|Desk lamp with lampshade",
		"DESK-3|X005|B0AAAAAAA5|Desk LAMP",
		"kød|X006|B0AAAAAAA6|Café crème, Łódź, smørrebrød",
		"JP-1|X007|B0AAAAAAA7|デスクランプ 60W",
		"JP-2|X008|B0AAAAAAA8|ﾃﾞｽｸ 60W",
		"TH-1|X009|B0AAAAAAA9|โคมไฟตั้งโต๊ะ",
		"SET 5|X010|B0AAAAAAB0|1.50 m USB-C cable",
		"lamp|X011||", // differs from another in case only
	)).Snapshot
	for _, c := range []struct{ text, want string }{
		{"mug-1", "MUG-1 MUG-10 of 2"},
		{"MUG-10", "MUG-10 of 1"},
		{"x003", "LAMP of 1"},
		{"b0aaaaaaa5", "DESK-3 of 1"},
		{"B0AAAAAAA", "MUG-1 MUG-10 LAMP LAMP-2 DESK-3 kød JP-1 JP-2 TH-1 of 9"},
		{"lamp", "LAMP lamp LAMP-2 DESK-3 of 4"}, // LAMP's own title has it as a part of a word
		{"desk lamp", "LAMP-2 DESK-3 of 2"},
		{"lamp desk", "LAMP-2 DESK-3 of 2"},
		{"des lam", "LAMP-2 DESK-3 of 2"},
		{"lampe", "LAMP of 1"},
		{"buro weiss", "LAMP of 1"},
		{"BÜRO WEIẞ", "LAMP of 1"},
		{"gron", "MUG-10 of 1"},
		{"grön", "MUG-10 of 1"},
		{"gro\u0308n", "MUG-10 of 1"},
		{"cafe creme lodz", "kød of 1"},
		{"smörrebröd", "kød of 1"},
		{"kod", "kød of 1"},
		{"ランプ", "JP-1 of 1"},
		{"デスク", "JP-1 JP-2 of 2"},
		{"デ", "JP-1 JP-2 of 2"},
		{"デスク 60w", "JP-1 JP-2 of 2"},
		{"โต๊ะ", "TH-1 of 1"},
		{"set 5", "SET 5 of 1"},
		{"1.50 usb-c", "SET 5 of 1"},
		{"g", "MUG-10 of 1"},
		{"ug-1", "MUG-1 MUG-10 of 2"},
		{"mug x002", "MUG-10 of 1"},
		{"mug nothing", " of 0"},
		{"-", " of 0"},
		{"  ", " of 0"},
		{strings.Repeat("ö", 400), " of 0"},
	} {
		if got := findText(t, s, c.text, 9); got != c.want {
			t.Errorf("%q: %s, want %s", c.text, got, c.want)
		}
	}
	if got := findText(t, s, "lamp", 2); got != "LAMP lamp of 4" {
		t.Errorf("two of lamp: %s", got)
	}
}

// plainFind is what Find promises, without ranks: every word in a key, or all its
// parts in words of the title.
func plainFind(s *Snapshot, text string) []int32 {
	fold := func(s string) string {
		s = norm.NFD.String(s)
		s = strings.Map(func(r rune) rune {
			if unicode.Is(unicode.Mn, r) {
				return -1
			}
			return unicode.ToLower(r)
		}, s)
		return strings.ReplaceAll(s, "ß", "ss")
	}
	cut := func(s string) []string {
		return strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	}
	inTitle := func(word string, title []string) bool {
		parts := cut(word)
		for _, p := range parts {
			if !slices.ContainsFunc(title, func(w string) bool {
				return strings.HasPrefix(w, p) || len([]rune(p)) > 2 && strings.Contains(w, p)
			}) {
				return false
			}
		}
		return len(parts) > 0
	}
	words := strings.Fields(fold(text))
	whole := strings.TrimSpace(fold(text))
	var all []int32
	for i := range int32(s.Len()) {
		it := s.Item(i)
		keys := []string{fold(string(it.SKU)), fold(string(it.FNSKU)), fold(it.ASIN)}
		title := cut(fold(it.Title))
		ok := true
		for _, w := range words {
			ok = ok && (inTitle(w, title) || len([]rune(w)) > 1 && strings.Contains(strings.Join(keys, "\n"), w))
		}
		for _, k := range keys {
			ok = ok || strings.HasPrefix(k, whole)
		}
		if ok {
			all = append(all, i)
		}
	}
	return all
}

func TestFindIsThatOfAPlainSearch(t *testing.T) {
	words := []string{"lamp", "Lampe", "lampshade", "Tisch", "Büro", "grün", "weiß", "mug", "a", "an", "12", "0.5l", "USB-C", "café"}
	rnd := rand.New(rand.NewPCG(5, 6))
	pick := func() string { return words[rnd.IntN(len(words))] }
	var lines []string
	for i := range 300 {
		var title []string
		for range rnd.IntN(6) {
			title = append(title, pick())
		}
		lines = append(lines, fmt.Sprintf("%s-%d|X%03d|B%03d|%s", strings.ToUpper(pick()[:1]), i, i, i*7%300, strings.Join(title, " ")))
	}
	s := read(t, linesOf(lines...)).Snapshot
	for range 2000 {
		var parts []string
		for range 1 + rnd.IntN(2) {
			w := []rune(pick())
			from := rnd.IntN(len(w))
			parts = append(parts, string(w[from:from+1+rnd.IntN(len(w)-from)]))
			if rnd.IntN(8) == 0 {
				parts = append(parts, fmt.Sprintf("%s%d", string("XB-"[rnd.IntN(3)]), rnd.IntN(30)))
			}
		}
		text := strings.Join(parts, " ")
		h, err := s.Find(t.Context(), text, 1000)
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(h.Items)
		if want := plainFind(s, text); !slices.Equal(h.Items, want) || h.Total != len(want) {
			t.Fatalf("%q: %v (%d), want %v", text, h.Items, h.Total, want)
		}
	}
}

// manyTitles makes an export of several segments.
func manyTitles(n int) string {
	var b strings.Builder
	b.WriteString(wordsHeader)
	for i := range n {
		fmt.Fprintf(&b, "S-%d\tX%07d\tB%09d\tLamp number %d of the series\tNew\t1.00\t5\t2\n", i, i, i*7, i)
	}
	return b.String()
}

func TestFindOverSegments(t *testing.T) {
	const n = segmentItems + 100
	s := read(t, manyTitles(n)).Snapshot
	last := n - 1
	for text, want := range map[string]string{
		fmt.Sprintf("lamp %d", last):   fmt.Sprintf("S-%d of 1", last),
		fmt.Sprintf("x%07d", last):     fmt.Sprintf("S-%d of 1", last),
		fmt.Sprintf("s-%d", last):      fmt.Sprintf("S-%d of 1", last),
		"series lamp":                  fmt.Sprintf("S-0 S-1 of %d", n),
		"S-0":                          "S-0 of 1",
		"series 65536":                 "S-65536 S-23648 of 2",
		fmt.Sprintf("lamp %d", 100000): " of 0",
	} {
		if got := findText(t, s, text, 2); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func filed(t testing.TB, text string) (*Snapshot, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "stock.snap")
	if err := os.WriteFile(path, bytesOf(t, read(t, text).Snapshot), 0o600); err != nil {
		t.Fatal(err)
	}
	return opened(t, path), path
}

func opened(t testing.TB, path string) *Snapshot {
	t.Helper()
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestFindKeepsItsIndex(t *testing.T) {
	s, path := filed(t, linesOf("A|X1|B1|lamp", "B|X2|B2|mug"))
	other := filepath.Join(filepath.Dir(path), "older.snap"+WordsSuffix)
	if err := os.WriteFile(other, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := findText(t, s, "lamp", 5); got != "A of 1" {
		t.Fatal(got)
	}
	made, err := os.Stat(path + WordsSuffix)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(other); !os.IsNotExist(err) {
		t.Errorf("the index of an older snapshot is still there: %v", err)
	}
	again := opened(t, path)
	if got := findText(t, again, "mug", 5); got != "B of 1" {
		t.Error(got)
	}
	if now, err := os.Stat(path + WordsSuffix); err != nil || !os.SameFile(made, now) {
		t.Errorf("the index was made again: %v", err)
	}
}

func TestFindRenewsADamagedIndex(t *testing.T) {
	s, path := filed(t, linesOf("A|X1|B1|lamp", "B|X2|B2|mug"))
	if err := s.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path + WordsSuffix)
	if err != nil {
		t.Fatal(err)
	}
	for at := range whole {
		damaged := slices.Clone(whole)
		damaged[at] ^= 0x40
		// Written in place, as a fault of the disk would.
		if err := os.WriteFile(path+WordsSuffix, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		if got := findText(t, opened(t, path), "lamp", 5); got != "A of 1" {
			t.Fatalf("byte %d: %s", at, got)
		}
	}
	if err := os.WriteFile(path+WordsSuffix, whole[:len(whole)-3], 0o600); err != nil {
		t.Fatal(err)
	}
	if got := findText(t, opened(t, path), "mug", 5); got != "B of 1" {
		t.Error(got)
	}
}

func TestFindWhereNothingCanBeWritten(t *testing.T) {
	if os.Geteuid() == 0 {
		// The superuser may write anywhere, so the folder is taken away instead.
		s, path := filed(t, linesOf("A|X1|B1|lamp"))
		if err := os.RemoveAll(filepath.Dir(path)); err != nil {
			t.Fatal(err)
		}
		if got := findText(t, s, "lamp", 5); got != "A of 1" {
			t.Error(got)
		}
		return
	}
	s, path := filed(t, linesOf("A|X1|B1|lamp"))
	if err := os.Chmod(filepath.Dir(path), 0o500); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.Chmod(filepath.Dir(path), 0o700); err != nil {
			t.Error(err)
		}
	})
	if got := findText(t, s, "lamp", 5); got != "A of 1" {
		t.Error(got)
	}
}

func TestFindSaysWhenTitlesCannotBeRead(t *testing.T) {
	s, path := filed(t, linesOf("A|X1|B1|lamp"))
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := strings.Index(string(body), "lamp")
	body[at] ^= 1
	if err := os.WriteFile(path, body, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Find(t.Context(), "lamp", 5); err == nil {
		t.Error("no error")
	}
	if _, err := os.Stat(path + WordsSuffix); !os.IsNotExist(err) {
		t.Errorf("an index was left: %v", err)
	}
}

// benchTitles makes n titles of a vocabulary in which some words are common and most
// are rare, in several languages.
func benchTitles(n int) string {
	rnd := rand.New(rand.NewPCG(1, 2))
	syllables := []string{"lam", "pe", "sche", "bord", "mug", "ka", "fé", "ste", "ln", "grön", "ta", "sch", "or", "in", "der", "ing", "kö", "ra", "mi", "no"}
	words := make([]string, 60_000)
	for i := range words {
		for range 2 + rnd.IntN(3) {
			words[i] += syllables[rnd.IntN(len(syllables))]
		}
	}
	common := []string{"Desk", "Lamp", "for", "with", "Set", "of", "Blue", "Black", "LED", "Home", "Kids", "Pack", "Large", "USB", "für", "och"}
	var b strings.Builder
	b.WriteString(wordsHeader)
	for i := range n {
		fmt.Fprintf(&b, "%s\tX00%06X\tB0%08d\t", benchSKU(i), i, i*7%100_000_000)
		for range 7 {
			if rnd.IntN(2) == 0 {
				b.WriteString(common[rnd.IntN(len(common))])
			} else {
				k := int(rnd.ExpFloat64() * 6000)
				b.WriteString(words[k%len(words)])
			}
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "%d cm\tNew\t1.00\t5\t2\n", rnd.IntN(300))
	}
	return b.String()
}

func BenchmarkFind(b *testing.B) {
	for _, n := range []int{100_000, 1_000_000} {
		s, path := filed(b, benchTitles(n))
		b.Run(fmt.Sprintf("make/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if x, err := s.indexWords(context.Background()); err != nil || x.close() != nil {
					b.Fatal(err)
				}
			}
		})
		if err := s.Prepare(b.Context()); err != nil {
			b.Fatal(err)
		}
		if info, err := os.Stat(path + WordsSuffix); err == nil {
			b.Logf("%d MSKUs: index of %.1f MB", n, float64(info.Size())/1e6)
		}
		for _, text := range []string{"d", "de", "desk", "desk lamp", "desk lamp blue 120 cm", "x00", "X000F0F", "b0", "-XL", "kafé", "schor lamp", "nothing at all"} {
			b.Run(fmt.Sprintf("%d/%s", n, text), func(b *testing.B) {
				b.ReportAllocs()
				var most time.Duration
				for b.Loop() {
					begin := time.Now()
					if _, err := s.Find(b.Context(), text, 20); err != nil {
						b.Fatal(err)
					}
					most = max(most, time.Since(begin))
				}
				b.ReportMetric(float64(most.Microseconds())/1000, "ms-most")
			})
		}
	}
}
