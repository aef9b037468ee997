package nightly_test

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"rensa/pkg/decode"
	"rensa/pkg/desk"
	"rensa/pkg/ledger"
	"rensa/pkg/nightly"
	"rensa/pkg/policy"
	"rensa/pkg/process"
	"rensa/pkg/removal"
	"rensa/pkg/storage"
)

// A shop is one merchant whose files are dropped day by day; what is to be
// recommended is worked out unit by unit from what the files said, by nothing of
// the product's.
type shop struct {
	t         *testing.T
	rnd       *rand.Rand
	store     string
	zone      *time.Location
	from      int // days that are charged
	clock     time.Time
	ledger    *ledger.Ledger
	processor *process.Processor
	dir       *storage.Dir
	jobs      *nightly.Jobs
	shelves   []*shelf
	from0     int            // the first day
	bases     map[string]int // recommendations by what they are known from
}

// shelf is a pool as it really is, and what files said of it.
type shelf struct {
	sku, fnsku string
	units      []int // the day on which each unit came, rising
	shown      int   // units that the last full file showed
	open       int   // units in removals
	said       []saying
	sides      [3]int // millimetres; 0: nobody said
}

// saying is what one file said of a shelf's ages.
type saying struct {
	day         int
	base        int
	lots        map[int]int // units by the day they came; nil: a report
	bands       [][3]int    // from, to, units
	charge, old int         // -1: not said
}

const forever = 1 << 20

func newShop(t *testing.T, seed uint64, store, zone string, from, shelves int) *shop {
	t.Helper()
	set, err := policy.Load(nil)
	must(t, err)
	s := &shop{t: t, rnd: rand.New(rand.NewPCG(seed, 61)), store: store, from: from, bases: map[string]int{}}
	s.zone, err = time.LoadLocation(zone)
	must(t, err)
	s.from0 = dayIn(time.Date(2025, 3, 10, 12, 0, 0, 0, time.UTC), s.zone)
	root := t.TempDir()
	now := func() time.Time { return s.clock }
	s.ledger, err = ledger.Open(t.Context(), filepath.Join(root, "rensa.db"), ledger.Options{Now: now})
	must(t, err)
	s.processor, err = process.New(process.Options{Ledger: s.ledger, Policy: set, Root: root, Now: now, Limits: decode.DefaultLimits(), Log: zerolog.Nop()})
	must(t, err)
	s.dir, err = storage.Open(root)
	must(t, err)
	t.Cleanup(func() {
		must(t, errors.Join(s.processor.Close(), s.dir.Close(), s.ledger.Close()))
	})
	s.jobs = nightly.New(nightly.Options{Ledger: s.ledger, Policy: set, Desk: s.processor.Desk(), Storage: s.dir, Current: s.processor.Current})
	p := removal.Profile{
		HomeStore: store, Language: "en", TimeZone: zone, DefaultMethod: removal.Disposal, Acceptance: removal.AcceptRow, Split: true,
		Resubmit: removal.ResubmitContinue, Reports: []string{"summary"},
	}
	s.at(0)
	must(t, s.ledger.AddMerchant(t.Context(), removal.Merchant{ID: "m", Profile: p}))
	for k := range shelves {
		x := &shelf{sku: fmt.Sprintf("S-%03d", k), fnsku: fmt.Sprintf("X%03d", k)}
		if k%3 > 0 {
			x.sides = [3]int{280, 202, 50 + k}
		}
		s.shelves = append(s.shelves, x)
	}
	return s
}

// at sets the clock to a moment of the n-th day.
func (s *shop) at(n int) {
	s.clock = time.Unix(int64(s.from0+n)*86400, 0).UTC().Add(12 * time.Hour)
}

func (s *shop) today() int { return dayIn(s.clock, s.zone) }

// trade lets units come and go on the days up to one: the oldest are sold.
func (s *shop) trade(from, to int) {
	for n := from; n < to; n++ {
		for _, x := range s.shelves {
			if s.rnd.IntN(25) == 0 {
				for range 1 + s.rnd.IntN(30) {
					x.units = append(x.units, s.from0+n)
				}
			}
			if len(x.units) > 0 && s.rnd.IntN(20) == 0 {
				x.units = x.units[min(len(x.units), s.rnd.IntN(12)):]
			}
		}
	}
}

func (s *shop) drop(text string) {
	s.t.Helper()
	name := filepath.Join(s.t.TempDir(), "file.tsv")
	must(s.t, os.WriteFile(name, []byte(strings.ReplaceAll(text, "|", "\t")), 0o600))
	r, err := s.processor.Process(context.Background(), process.Request{Merchant: "m", Path: name, Name: "file.tsv", AsOf: s.clock, Actor: "test", Force: true})
	must(s.t, err)
	if r.ExitCode != 0 {
		s.t.Fatalf("exit code %d: %+v", r.ExitCode, r.Problems)
	}
}

// counts drops a full file that knows no ages.
func (s *shop) counts() {
	b := &strings.Builder{}
	b.WriteString("sku|fnsku|asin|product-name|afn-fulfillable-quantity|afn-unsellable-quantity\n")
	for _, x := range s.shelves {
		fmt.Fprintf(b, "%s|%s|B|A product|%d|0\n", x.sku, x.fnsku, len(x.units))
		x.shown = len(x.units)
	}
	s.drop(b.String())
}

// lots drops Rensa's own format: lots with dates, of some shelves without, of a few
// some lots only.
func (s *shop) lots() {
	b := &strings.Builder{}
	b.WriteString("sku|fnsku|disposition|quantity|received-date|longest-side-cm|median-side-cm|shortest-side-cm\n")
	for k, x := range s.shelves {
		x.shown = len(x.units)
		size := "||"
		if x.sides[0] > 0 {
			size = fmt.Sprintf("%d.%d|%d.%d|%d.%d", x.sides[0]/10, x.sides[0]%10, x.sides[1]/10, x.sides[1]%10, x.sides[2]/10, x.sides[2]%10)
		}
		if len(x.units) == 0 {
			fmt.Fprintf(b, "%s|%s|sellable|0||%s\n", x.sku, x.fnsku, size)
			continue
		}
		said := saying{day: s.today(), base: len(x.units), lots: map[int]int{}, charge: -1}
		came := map[int]int{}
		for _, day := range x.units {
			came[day]++
		}
		for _, day := range slices.Sorted(mapKeys(came)) {
			date := dayText(day)
			if k%7 == 3 || k%7 == 5 && s.rnd.IntN(3) == 0 {
				date = ""
			} else {
				said.lots[day] = came[day]
			}
			fmt.Fprintf(b, "%s|%s|sellable|%d|%s|%s\n", x.sku, x.fnsku, came[day], date, size)
		}
		if len(said.lots) > 0 {
			x.said = slices.DeleteFunc(x.said, func(o saying) bool { return o.lots != nil })
			x.said = append(x.said, said)
		}
	}
	s.drop(b.String())
}

func mapKeys(m map[int]int) func(func(int) bool) {
	return func(yield func(int) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// The bands of the two layouts that reports come in.
var (
	coarse = [][2]int{{0, 90}, {91, 180}, {181, 270}, {271, 365}, {366, forever}}
	fine   = [][2]int{{0, 30}, {31, 60}, {61, 90}, {91, 180}, {181, 270}, {271, 330}, {331, 365}, {366, 455}, {456, forever}}
)

// report drops a report about a part of the shelves. Reports of the finer layout
// say what each day's clean-up will charge, if column.
func (s *shop) report(isFine, column bool) {
	b := &strings.Builder{}
	b.WriteString("snapshot-date|sku|fnsku|available|inv-age-0-to-90-days|inv-age-91-to-180-days|inv-age-181-to-270-days|inv-age-271-to-365-days")
	if isFine {
		b.WriteString("|inv-age-0-to-30-days|Inv Age 31 to 60 days|inv-age-61-to-90-days|inv-age-331-to-365-days|inv-age-366-to-455-days|inv-age-456-plus-days")
	} else {
		b.WriteString("|inv-age-365-plus-days")
	}
	if column {
		b.WriteString("|quantity-to-be-charged-ais-366-455-days|quantity-to-be-charged-ais-456-plus-days")
	}
	b.WriteString("\n")
	for _, x := range s.shelves {
		if s.rnd.IntN(5) == 0 {
			continue
		}
		said := saying{day: s.today(), base: len(x.units), charge: -1}
		layout := coarse
		if isFine {
			layout = fine
		}
		count := func(from, to int) (n int) {
			for _, day := range x.units {
				if age := s.today() - day; age >= from && age <= to {
					n++
				}
			}
			return n
		}
		for _, band := range layout {
			said.bands = append(said.bands, [3]int{band[0], band[1], count(band[0], band[1])})
		}
		fmt.Fprintf(b, "%s|%s|%s|%d|%d|%d|%d|%d", dayText(s.today()), x.sku, x.fnsku, len(x.units), count(0, 90), count(91, 180), count(181, 270), count(271, 365))
		if isFine {
			fmt.Fprintf(b, "|%d|%d|%d|%d|%d|%d", count(0, 30), count(31, 60), count(61, 90), count(331, 365), count(366, 455), count(456, forever))
		} else {
			fmt.Fprintf(b, "|%d", count(366, forever))
		}
		if column {
			ahead := s.cleanUp(s.today()) - s.today()
			said.charge, said.old = count(365-ahead, forever), count(456-ahead, forever)
			fmt.Fprintf(b, "|%d|%d", said.charge-said.old, said.old)
		}
		b.WriteString("\n")
		x.said = append(x.said, said)
	}
	s.drop(b.String())
}

// cleanUp is the first 15th after a day.
func (s *shop) cleanUp(day int) int {
	for day++; time.Unix(int64(day)*86400, 0).UTC().Day() != 15; day++ {
	}
	return day
}

// order takes units of some shelves away, which no file shows yet.
func (s *shop) order() {
	ctx := context.Background()
	for k, x := range s.shelves {
		if x.shown == 0 || s.rnd.IntN(4) > 0 {
			continue
		}
		x.open = 1 + s.rnd.IntN(min(x.shown, 25))
		id := fmt.Sprintf("O-%d", k)
		_, err := s.processor.Desk().Create(ctx, desk.Draft{Merchant: "m", ID: id, Items: []desk.Item{{SKU: x.sku, Sellable: int64(x.open)}}})
		must(s.t, err)
		_, err = s.processor.Desk().Place(ctx, "m", id, "test")
		must(s.t, err)
	}
}

// advice is what is to be recommended of a shelf.
type advice struct {
	Remove, Aged int
	AtLeast      bool
	Fee          string
}

// want works a shelf's advice out.
func (s *shop) want(x *shelf) advice {
	truth := -1
	for i, said := range x.said {
		if truth < 0 || said.day > x.said[truth].day || said.day == x.said[truth].day && said.lots != nil {
			truth = i
		}
	}
	if truth < 0 || x.shown == 0 {
		return advice{AtLeast: x.shown > 0}
	}
	said, line := x.said[truth], s.cleanUp(s.today())
	n, atLeast := s.chargedOf(x, said, line)
	if gone := said.base - x.shown; gone > 0 {
		n -= gone // the oldest went first
	}
	a := advice{Aged: min(max(n, 0), x.shown), AtLeast: atLeast}
	a.Remove = max(0, a.Aged-x.open)
	a.Fee = s.fee(x, a.Remove)
	return a
}

func (s *shop) chargedOf(x *shelf, said saying, line int) (n int, atLeast bool) {
	if said.lots != nil {
		dated := 0
		for day, units := range said.lots {
			dated += units
			if line-day >= s.from {
				n += units
			}
		}
		return n, dated < said.base
	}
	if said.charge >= 0 && s.from == 365 && s.cleanUp(said.day) == line {
		return said.charge, false
	}
	for _, band := range said.bands {
		young, old := line-(said.day-band[0]), line-(said.day-band[1]) // ages on the day of the clean-up
		if band[2] == 0 || old < s.from {
			continue
		}
		if young >= s.from {
			n += band[2]
			continue
		}
		crossed, ok := s.crossed(x, said, band, line)
		atLeast = atLeast || !ok
		n += crossed
	}
	if said.charge > n && s.from == 365 && s.cleanUp(said.day) < line {
		return said.charge, true
	}
	return n, atLeast
}

// crossed estimates how many of a band's units will be over the line, by the days
// on which units came as earlier files know it.
func (s *shop) crossed(x *shelf, said saying, band [3]int, line int) (int, bool) {
	if band[1] == forever {
		return 0, false
	}
	young, old := new(big.Rat), new(big.Rat)
	for age := band[0]; age <= band[1]; age++ {
		came := said.day - age
		share, ok := s.came(x, said.day, came)
		if !ok {
			return 0, false
		}
		if line-came >= s.from {
			old.Add(old, share)
		} else {
			young.Add(young, share)
		}
	}
	all, units := new(big.Rat).Add(young, old), new(big.Rat).SetInt64(int64(band[2]))
	if all.Sign() == 0 {
		return 0, false
	}
	var left *big.Rat
	if all.Cmp(units) >= 0 {
		left = new(big.Rat).Sub(units, young) // what went were the oldest
	} else {
		left = new(big.Rat).Mul(units, new(big.Rat).Quo(old, all))
	}
	if left.Sign() < 0 {
		return 0, true
	}
	return int(new(big.Int).Quo(left.Num(), left.Denom()).Int64()), true
}

func (s *shop) came(x *shelf, before, day int) (*big.Rat, bool) {
	best, width, at := new(big.Rat), forever, 0
	for _, said := range x.said {
		if said.day >= before || day > said.day {
			continue
		}
		if said.lots != nil {
			sum := 0
			for _, n := range said.lots {
				sum += n
			}
			if sum == said.base {
				return big.NewRat(int64(said.lots[day]), 1), true
			}
			continue
		}
		for _, band := range said.bands {
			age, days := said.day-day, band[1]-band[0]+1
			if age < band[0] || age > band[1] || band[1] == forever {
				continue
			}
			if days < width || days == width && said.day > at {
				best, width, at = big.NewRat(int64(band[2]), int64(days)), days, said.day
			}
		}
	}
	return best, width < forever
}

// fee is the British surcharge: the greater of 4.30 a cubic foot and 0.10 a unit.
func (s *shop) fee(x *shelf, units int) string {
	if units == 0 {
		return ""
	}
	if s.store != "GB" || x.sides[0] == 0 {
		return "none"
	}
	// 28 316 846.592 mm³ a cubic foot.
	volume := big.NewRat(int64(x.sides[0])*int64(x.sides[1])*int64(x.sides[2])*1000, 28316846592)
	n := new(big.Rat).SetInt64(int64(units))
	charge := new(big.Rat).Mul(n, new(big.Rat).Mul(volume, big.NewRat(430, 100)))
	if least := new(big.Rat).Mul(n, big.NewRat(10, 100)); charge.Cmp(least) < 0 {
		charge = least
	}
	return charge.FloatString(2)
}

// got reads the product's advice, from the calculation and from the table.
func (s *shop) got() map[string]advice {
	defer s.processor.Using("m")()
	r, err := s.jobs.Recommend(context.Background(), "m", s.clock)
	must(s.t, err)
	all := map[string]advice{}
	for i := range r.Rows {
		row := &r.Rows[i]
		s.bases[row.Basis]++
		a := advice{Remove: int(row.Remove), Aged: int(row.Aged), AtLeast: row.AtLeast, Fee: "none"}
		if row.Surcharge.Known {
			a.Fee = row.Surcharge.Amount.String()
		}
		all[row.SKU] = a
	}
	out, err := s.jobs.Recommended(context.Background(), "m", s.clock, false)
	must(s.t, err)
	table := map[string]int{}
	f, err := s.dir.Get(out.ReportDir + "/" + nightly.RecommendedTSV)
	must(s.t, err)
	defer f.Close() //nolint:errcheck // it was only read
	rows := csv.NewReader(f)
	rows.Comma = '\t'
	for n := 0; ; n++ {
		record, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		must(s.t, err)
		if n > 0 {
			table[record[1]], err = strconv.Atoi(record[9])
			must(s.t, err)
		}
	}
	want := map[string]int{}
	for sku, a := range all {
		want[sku] = a.Remove
	}
	if d := cmp.Diff(want, table); d != "" {
		s.t.Errorf("the table (-calculated +written):\n%s", d)
	}
	return all
}

func (s *shop) compare(what string) (recommended int) {
	s.t.Helper()
	want := map[string]advice{}
	for _, x := range s.shelves {
		if a := s.want(x); a.Remove > 0 {
			want[x.sku] = a
			recommended++
		}
	}
	if d := cmp.Diff(want, s.got()); d != "" {
		s.t.Fatalf("%s (-want +got):\n%s", what, d)
	}
	return recommended
}

// TestRecommended holds what is recommended against a calculation unit by unit,
// over two years of files of all kinds.
func TestRecommended(t *testing.T) {
	t.Parallel()
	stores := []struct {
		code, zone string
		from       int
	}{{"GB", "Europe/London", 365}, {"SE", "Europe/Stockholm", 365}, {"IN", "Asia/Kolkata", 150}}
	seeds := 3 // RENSA_SEEDS takes more
	if text := os.Getenv("RENSA_SEEDS"); text != "" {
		var err error
		seeds, err = strconv.Atoi(text)
		must(t, err)
	}
	for seed := range uint64(seeds) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			store := stores[seed%3]
			s := newShop(t, seed, store.code, store.zone, store.from, 40)
			s.trade(0, 200)
			s.at(200)
			s.lots()
			n, recommended := 200, 0
			for n < 640 {
				// A report a month at most, so that all of them are kept.
				next := n + 31 + s.rnd.IntN(20)
				s.trade(n, next)
				n = next
				s.at(n)
				switch s.rnd.IntN(6) {
				case 0:
					s.lots()
				case 1:
					s.counts()
				default:
					s.counts()
					s.report(s.rnd.IntN(2) == 0, s.rnd.IntN(3) == 0)
				}
				recommended += s.compare(fmt.Sprintf("day %d", n))
				// Days go by, units are sold, and only a count says so.
				s.trade(n, n+s.rnd.IntN(20))
				s.at(n + 20)
				s.counts()
				recommended += s.compare(fmt.Sprintf("day %d, counted", n+20))
				n += 20
			}
			s.order()
			recommended += s.compare("with removals under way")
			t.Logf("%d recommendations: %v", recommended, s.bases)
			if recommended < 50 || s.bases["lots"] == 0 || s.bases["interpolated"]+s.bases["column"] == 0 {
				t.Errorf("only %d recommendations were compared: %v", recommended, s.bases)
			}
		})
	}
}

// TestCleanUpAfter: the clean-up comes after the day, never on it, across the year.
func TestCleanUpAfter(t *testing.T) {
	t.Parallel()
	for day, want := range map[string]string{
		"2026-11-14": "2026-11-15", "2026-11-15": "2026-12-15", "2026-12-15": "2027-01-15", "2028-02-28": "2028-03-15", "2026-12-31": "2027-01-15",
	} {
		d, err := time.Parse(time.DateOnly, day)
		must(t, err)
		if got := nightly.CleanUpAfter(d, 15).Format(time.DateOnly); got != want {
			t.Errorf("after %s: %s, want %s", day, got, want)
		}
	}
}
