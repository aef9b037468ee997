package inventory

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"rensa/pkg/removal"
)

func TestSuggest(t *testing.T) {
	s := read(t, bars(manageHead,
		"BLUE-MUG-01|X000AAAA01|B0AAAAAA01|||x|1|0",
		"BLUE-MUG-02|X000AAAA01|B0AAAAAA01||||1|0",
		"RED CUP 7|X000AAAA03|B0AAAAAA02||||1|0",
		"00123|X000AAAA04|B0AAAAAA02||||1|0",
		"KAFFE-O1I|B0AAAAAA05|B0AAAAAA05||||1|0",
		"123456789012|||||1|1|1",
		"123456789099|||||1|1|1",
		"122987654321|||||1|1|1",
		"000123499999999|||||1|1|1",
		"12E4|||||1|1|1",
		"123456789012345678|||||1|1|1",
		"MÜTZE-ROT|||||1|1|1",
		"AB|||||1|1|1",
		"MÅTA-ÖGLA-ÄNDA|||||1|1|1",
		"Same-Key|||||1|1|1",
		"SAME-KEY|||||1|1|1",
	)).Snapshot
	for _, c := range []struct {
		sku  string
		long bool
		want string
	}{
		{"X000AAAA01", false, "sku_is_fnsku BLUE-MUG-01 BLUE-MUG-02"},
		{"B0AAAAAA05", false, "sku_is_fnsku KAFFE-O1I"},
		{"B0AAAAAA01", false, "sku_is_asin BLUE-MUG-01 BLUE-MUG-02"},
		{"B0AAAAAA02", false, "sku_is_asin RED CUP 7|00123"},
		{"1.23E+11", false, "sku_damaged 000123499999999 123456789012 123456789099"},
		{"1.22988E+11", false, "sku_damaged 122987654321"},
		{"1,23457E+11", false, "sku_damaged 123456789012 123456789099"},
		{"1.23457e11", false, "sku_damaged 123456789012 123456789099"},
		{"1.20E+05", false, "sku_damaged 12E4"},
		{"9.99E+20", false, "sku_damaged"},
		{"1E-5", false, "sku_damaged 000123499999999 00123 122987654321"},
		{"123456789012345000", true, "sku_damaged 123456789012345678"},
		{"1.23456789012346E+17", true, "sku_damaged 123456789012345678"},
		{"blue-mug-01", false, "sku_unknown BLUE-MUG-01"},
		{"REDCUP7", false, "sku_unknown RED CUP 7"},
		{"123", false, "sku_unknown 00123"},
		{"0123", false, "sku_unknown 00123"},
		{"KAFFE-01l", false, "sku_unknown KAFFE-O1I"},
		{"\u0412LUE-\u041cUG-01", false, "sku_unknown BLUE-MUG-01"}, // Cyrillic В and М
		{"\u039aAFFE-\u039f1\u0399", false, "sku_unknown KAFFE-O1I"},
		{"same-key", false, "sku_unknown SAME-KEY|Same-Key"},
		{"BLUE-MUG-1", false, "sku_unknown BLUE-MUG-01|BLUE-MUG-02"},
		{"BLUE-MUG-03", false, "sku_unknown BLUE-MUG-01|BLUE-MUG-02"},
		{"BLEU-MUG-02", false, "sku_unknown BLUE-MUG-02|BLUE-MUG-01"},
		{"BLUE-MGU-2", false, "sku_unknown BLUE-MUG-02"},
		{"XBLUE-MUG-01X", false, "sku_unknown BLUE-MUG-01"},
		{"MUTZE-ROT", false, "sku_unknown MÜTZE-ROT"},
		{"ma\u030ata-\u200bo\u0308gla-a\u0308nda", false, "sku_unknown MÅTA-ÖGLA-ÄNDA"}, // accents apart, and a blank without width
		{"MÜTZE-ROTT", false, "sku_unknown MÜTZE-ROT"},
		{"XY", false, "sku_unknown"},
		{"", false, "sku_unknown"},
		{"ENTIRELY-OTHER", false, "sku_unknown"},
		{strings.Repeat("Z", 200), false, "sku_unknown"},
		{strings.Repeat("Z", 300), false, "sku_unknown"},
		{"O", false, "sku_unknown"},
		{"\xff\xfe", false, "sku_unknown"},
	} {
		got := s.Suggest([]byte(c.sku), c.long)
		want := strings.SplitN(c.want, " ", 2)
		names := strings.Join(got.Candidates, "|")
		if len(want) > 1 && !strings.Contains(want[1], "|") && got.Code != removal.SKUUnknown {
			names = strings.Join(got.Candidates, " ")
		}
		if got.Code.String() != want[0] || names != strings.Join(want[1:], "") {
			t.Errorf("%q: %s %s, want %s", c.sku, got.Code, names, c.want)
		}
		if code := s.WhyUnknown([]byte(c.sku), c.long); code != got.Code {
			t.Errorf("%q: WhyUnknown %s, Suggest %s", c.sku, code, got.Code)
		}
	}
}

// plainEdits counts characters more, less and other.
func plainEdits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			v := last
			if a[i] != b[j] {
				v = min(last, row[j], row[j+1]) + 1
			}
			last, row[j+1] = row[j+1], v
		}
	}
	return row[len(b)]
}

// Every edit of an MSKU finds it, and two edits find it in a set that is not all
// alike; a file of the snapshot gives the same answers, to many at once.
func TestSuggestEdits(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	letters := "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
	var keys []string
	file := strings.ReplaceAll(manageHead, "|", "\t") + "\n"
	for range 5000 {
		k := ""
		for range 6 + rnd.IntN(10) {
			k += string(letters[rnd.IntN(len(letters))])
		}
		keys = append(keys, k)
		file += k + "\t\t\t\t\t\t1\t0\n"
	}
	s := read(t, file).Snapshot
	edit := func(k string) string {
		at := rnd.IntN(len(k))
		c := string(letters[rnd.IntN(len(letters))])
		switch rnd.IntN(4) {
		case 0:
			return k[:at] + k[at+1:]
		case 1:
			return k[:at] + c + k[at:]
		case 2:
			return k[:at] + c + k[at+1:]
		}
		at = min(at, len(k)-2)
		return k[:at] + k[at+1:at+2] + k[at:at+1] + k[at+2:]
	}
	type question struct{ typed, meant string }
	var asked []question
	for _, k := range keys[:2000] {
		one := edit(k)
		asked = append(asked, question{one, k}, question{edit(one), k})
	}
	answers := map[string]string{}
	for _, q := range asked {
		if s.Lookup([]byte(q.typed)) >= 0 {
			continue
		}
		got := s.Suggest([]byte(q.typed), false)
		if got.Code == removal.SKUDamaged {
			continue
		}
		answers[q.typed] = fmt.Sprint(got.Candidates)
		// A swap and another edit may hide: they are three plain edits.
		if !slices.Contains(got.Candidates, q.meant) && plainEdits(q.typed, q.meant) <= 2 {
			t.Errorf("%s: %v, want %s", q.typed, got.Candidates, q.meant)
		}
	}
	o, err := openBytes(t, bytesOf(t, s))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for typed, want := range answers {
				if got := fmt.Sprint(o.Suggest([]byte(typed), false).Candidates); got != want {
					t.Errorf("worker %d, %s: %s, want %s", w, typed, got, want)
					return
				}
			}
		})
	}
	wg.Wait()
}

// What was let go is made again, whoever asks meanwhile.
func TestLetGo(t *testing.T) {
	made := read(t, bars(manageHead,
		"BLUE-MUG-01|X000AAAA01|B0AAAAAA01|||x|1|0",
		"BLUE-MUG-02|X000AAAA01|B0AAAAAA01||||1|0",
		"123456789012|X000AAAA02||||1|1|1",
	)).Snapshot
	opened, err := openBytes(t, bytesOf(t, made))
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]*Snapshot{"made": made, "opened": opened} {
		answers := func() string {
			all := fmt.Sprint(s.FindPool("X000AAAA02"))
			for _, sku := range []string{"X000AAAA01", "B0AAAAAA01", "1.23E+11", "BLUE-MUG-03", "blue-mug-02"} {
				all += fmt.Sprint(s.Suggest([]byte(sku), false), s.WhyUnknown([]byte(sku), false))
			}
			return all
		}
		want := answers()
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				for range 50 {
					s.LetGo()
					if got := answers(); got != want {
						t.Errorf("%s: %s, want %s", name, got, want)
					}
				}
			})
		}
		wg.Wait()
		s.LetGo()
		if s.fuzzy.made.Load() != nil || s.asins.made.Load() != nil || s.digits.made.Load() != nil || s.chain.made.Load() != nil {
			t.Errorf("%s: something was kept", name)
		}
		if !bytes.Equal(bytesOf(t, s), bytesOf(t, opened)) {
			t.Errorf("%s: written as other bytes", name)
		}
	}
}

// In a snapshot whose MSKUs are all alike, so that thousands share each third, those
// that one edit or swap leads to are named as a look at every MSKU finds them.
func TestSuggestOneEditAmongMany(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 8))
	var file strings.Builder
	file.WriteString(strings.ReplaceAll(manageHead, "|", "\t") + "\n")
	families := []func(n int) string{
		func(n int) string { return fmt.Sprintf("SHOE-%03d-XL", n) },
		func(n int) string { return fmt.Sprintf("B%d", n) },
		func(n int) string { return fmt.Sprintf("ALLEQUALPREFIX-%03d", n) },
		func(n int) string { return fmt.Sprintf("%d%s", n, strings.Repeat("É", 62)) },
	}
	const members = 500
	for _, name := range families {
		for n := range members {
			fmt.Fprintf(&file, "%s\t\t\t\t\t\t1\t0\n", name(n))
		}
	}
	s := read(t, file.String()).Snapshot
	var forms [][]rune
	for i := range int32(s.Len()) {
		forms = append(forms, soft(nil, s.SKU(i)))
	}
	alphabet := []rune("0123456789-XLSHOEMÉ ")
	searched := 0
	ask := func(key []rune) {
		if len(key) > maxRunes {
			return
		}
		typed := string(key)
		want, equal := oneEditAway(s, forms, typed)
		got := s.Suggest([]byte(typed), false)
		if equal || got.Code != removal.SKUUnknown {
			return
		}
		searched++
		if n := min(len(want), maxCandidates); len(got.Candidates) < n || !slices.Equal(got.Candidates[:n], want[:n]) {
			t.Errorf("%s: %q, want first of %q", typed, got.Candidates, want)
		}
	}
	for f := range families {
		for range 3 {
			key := []rune(string(s.SKU(int32(f*members + rnd.IntN(members)))))
			for at := range len(key) - 1 {
				c := alphabet[rnd.IntN(len(alphabet))]
				ask(slices.Delete(slices.Clone(key), at, at+1))
				ask(slices.Insert(slices.Clone(key), at, c))
				ask(slices.Replace(slices.Clone(key), at, at+1, c))
				ask(slices.Replace(slices.Clone(key), at, at+2, key[at+1], key[at]))
			}
		}
	}
	if searched < 500 {
		t.Errorf("%d searches", searched)
	}
}

// oneEditAway looks at every MSKU, and tells also whether one is equal but for case,
// blanks, leading zeros or look-alikes.
func oneEditAway(s *Snapshot, forms [][]rune, key string) (near []string, equal bool) {
	form, raw := soft(nil, []byte(key)), []rune(key)
	plain := bare(slices.Clone(form))
	var all []match
	for i, f := range forms {
		sku := s.SKU(int32(i))
		if n := distance(form, f, 1); n <= 1 && n < min(len(form), len(f)) {
			all = append(all, match{item: int32(i), near: n, raw: distance(raw, []rune(string(sku)), maxRunes), sku: sku})
		}
		equal = equal || slices.Equal(bare(f), plain)
	}
	slices.SortFunc(all, func(a, b match) int {
		if a.before(&b) {
			return -1
		}
		return 1
	})
	for _, m := range all {
		near = append(near, string(m.sku))
	}
	return near, equal
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b  string
		limit int
		want  int
	}{
		{"", "", 2, 0}, {"A", "", 2, 1}, {"ABC", "ABC", 2, 0}, {"ABC", "ACB", 2, 1}, {"ABCD", "BADC", 2, 2},
		{"ABC", "XBZ", 2, 2}, {"ABC", "XYZ", 2, 3}, {"KITTEN", "SITTING", 3, 3}, {"KITTEN", "SITTING", 2, 3},
		{"CA", "ABC", 3, 3}, {"ABCDEF", "A", 2, 3}, {strings.Repeat("A", 70) + "B", strings.Repeat("C", 70), 2, 3},
	} {
		for _, got := range []int{distance([]rune(c.a), []rune(c.b), c.limit), distance([]rune(c.b), []rune(c.a), c.limit)} {
			if got != c.want {
				t.Errorf("%s and %s: %d, want %d", c.a, c.b, got, c.want)
			}
		}
	}
}

// The band of distance changes nothing: it agrees with the whole table.
func TestDistanceIsThatOfTheTable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`[ABC]{0,12}`)
		a, b := []rune(word.Draw(t, "a")), []rune(word.Draw(t, "b"))
		limit := rapid.IntRange(0, 5).Draw(t, "limit")
		at := make([][]int, len(a)+1)
		for i := range at {
			at[i] = make([]int, len(b)+1)
			for j := range at[i] {
				switch {
				case i == 0 || j == 0:
					at[i][j] = i + j
					continue
				case a[i-1] == b[j-1]:
					at[i][j] = at[i-1][j-1]
				default:
					at[i][j] = min(at[i-1][j-1], at[i-1][j], at[i][j-1]) + 1
				}
				if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
					at[i][j] = min(at[i][j], at[i-2][j-2]+1)
				}
			}
		}
		if got, want := distance(a, b, limit), min(at[len(a)][len(b)], limit+1); got != want {
			t.Fatalf("%q and %q within %d: %d, want %d", string(a), string(b), limit, got, want)
		}
	})
}
