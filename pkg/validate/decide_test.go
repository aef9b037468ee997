package validate_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rensa/pkg/decode"
	"rensa/pkg/inventory"
	"rensa/pkg/policy"
	"rensa/pkg/removal"
	"rensa/pkg/validate"
)

// stock is the snapshot of all cases: two MSKUs share a pool, one product is
// dangerous, one is recalled in part.
const stock = `sku,fnsku,asin,disposition,quantity,recalled,hazmat-class,unit-weight-g,longest-side-cm,median-side-cm,shortest-side-cm
LAMP,X1,B1,sellable,10,no,,150,10,5,5
LAMP,X1,B1,unsellable,4,no,,150,10,5,5
CUP-A,X2,B2,sellable,6,no,,,,,
CUP-B,X2,B2,sellable,0,no,,,,,
ACID,X3,B3,sellable,5,no,3,,,,
TOY,X4,B4,sellable,5,no,,,,,
TOY,X4,B4,sellable,3,yes,,,,,
`

// columns are those of the rows below: id, method, country, SKU, sellable,
// unsellable. A return goes to a full address in the country.
var columns = []removal.Field{
	removal.FieldOrderID, removal.FieldMethod, removal.FieldCountry,
	removal.FieldSKU, removal.FieldSellable, removal.FieldUnsellable,
}

type decideCase struct {
	name    string
	store   string // default SE
	profile func(*removal.Profile)
	past    *fakePast
	taken   string // "POOL ORDER SELLABLE UNSELLABLE;…" before the file
	rows    string
	want    string // a line a row: ID STATUS TAKEN CODES…
	orders  string // "ID=CODES …" of orders with problems
	file    string // codes of the file
}

func TestDecide(t *testing.T) {
	t.Parallel()
	for _, c := range []decideCase{
		{
			name: "Good",
			rows: "A,Return,SE,LAMP,2,1|A,,,CUP-A,1,|B,Disposal,,LAMP,,3",
			want: "A accepted 2+1|A accepted 1+0|B accepted 0+3",
		},
		{
			// The rows of one pool take from it one after another, whichever MSKU they name.
			name: "SharedPool",
			rows: "A,Return,SE,CUP-A,4,0|A,,,CUP-B,3,0|A,,,LAMP,1,0",
			want: "A accepted 4+0|A rejected 0+0 quantity_over_stock|A accepted 1+0",
		},
		{
			name: "RejectedRowTakesNothing",
			rows: "A,Return,SE,LAMP,11,0|A,,,LAMP,10,0|B,Disposal,,LAMP,10,0",
			want: "A rejected 0+0 quantity_over_stock|A rejected 0+0 row_duplicate|B accepted 10+0",
		},
		{
			name: "OrdersBefore", taken: "X1 OLD 8 0;GONE OLD 1 1",
			rows: "A,Return,SE,LAMP,2,0|B,Return,SE,LAMP,1,0",
			want: "A accepted 2+0|B rejected 0+0 quantity_over_stock",
		},
		{
			name: "Partial", profile: func(p *removal.Profile) { p.Partial = true },
			rows: "A,Return,SE,LAMP,12,4|B,Return,SE,LAMP,1,0",
			want: "A accepted 10+4 quantity_reduced|B rejected 0+0 quantity_over_stock",
		},
		{
			name: "AllProblemsOfARow",
			rows: "A,Return,SE,,-1,1.5",
			want: "A rejected 0+0 sku_missing quantity_negative quantity_not_whole",
		},
		{
			name:   "OrderErrorRefusesAllRows",
			rows:   "A,Destroy,SE,LAMP,1,0|A,,,CUP-A,1,0|B,Return,US,LAMP,1,0",
			want:   "A rejected 0+0|A rejected 0+0|B rejected 0+0",
			orders: "A=method_unknown B=address_field_missing,address_outside_store",
		},
		{
			name: "HeaderMissing",
			rows: "A,,,LAMP,1,0|A,Return,SE,CUP-A,1,0",
			want: "A rejected 0+0|A rejected 0+0", orders: "A=order_header_missing",
		},
		{
			// No row may go out under an id that cannot be used.
			name:   "IDTooLong",
			rows:   strings.Repeat("A", 41) + ",Disposal,,LAMP,1,0|,,,CUP-A,1,0",
			want:   strings.Repeat("A", 41) + " rejected 0+0|" + strings.Repeat("A", 41) + " rejected 0+0",
			orders: strings.Repeat("A", 41) + "=order_id_too_long",
		},
		{
			name:   "IDOverLines",
			rows:   "A\nB,Disposal,,LAMP,1,0|A\nB,,,CUP-A,1,0|A B,Disposal,,LAMP,1,0",
			want:   "A\nB rejected 0+0|A\nB rejected 0+0|A B accepted 1+0",
			orders: "A\nB=text_damaged",
		},
		{
			// A spreadsheet's error in a text file is an error too.
			name:   "ErrorText",
			rows:   "#REF!,Disposal,,LAMP,1,0|,,,CUP-A,1,0|B,Disposal,,#N/A,1,0|B,,,LAMP,#VALUE!,0",
			want:   "#REF! rejected 0+0|#REF! rejected 0+0|B rejected 0+0 cell_error|B rejected 0+0 cell_error",
			orders: "#REF!=cell_error",
		},
		{
			name: "Conflict",
			rows: "A,Return,SE,LAMP,1,0|A,Disposal,,CUP-A,1,0|A,RETURN,SE,TOY,1,0",
			want: "A accepted 1+0|A rejected 0+0 order_conflict|A accepted 1+0",
		},
		{
			// What counts as blank differs from nothing.
			name: "PlaceholderIsNoConflict",
			rows: "A,Return,SE,LAMP,1,0|A,,N/A,CUP-A,1,0|A,,none,TOY,1,0",
			want: "A accepted 1+0|A accepted 1+0 placeholder_ignored|A accepted 1+0 placeholder_ignored",
		},
		{
			name: "Scattered",
			rows: "A,Return,SE,LAMP,1,0|B,Return,SE,LAMP,1,0|A,,,LAMP,1,0|A,,,TOY,1,0",
			want: "A accepted 1+0|B accepted 1+0|A rejected 0+0 row_duplicate|A accepted 1+0", orders: "A=order_scattered",
		},
		{
			name: "Dangerous",
			rows: "A,Return,SE,ACID,1,0|B,Disposal,,ACID,1,0",
			want: "A rejected 0+0 not_returnable|B accepted 1+0",
		},
		{
			// In Saudi Arabia recalled units stay: 5 of 8 may go back.
			name: "Recalled", store: "SA",
			rows: "A,Return,SA,TOY,5,0|B,Return,SA,TOY,1,0|C,Disposal,,TOY,3,0",
			want: "A accepted 5+0|B rejected 0+0 not_returnable|C accepted 3+0",
		},
		{
			name: "AcceptOrderGivesBack", profile: func(p *removal.Profile) { p.Acceptance = removal.AcceptOrder },
			rows:   "A,Return,SE,LAMP,8,0|B,Return,SE,LAMP,5,0|A,,,NONE,1,0|B,,,CUP-A,6,0",
			want:   "A rejected 0+0 order_refused|B accepted 5+0|A rejected 0+0 sku_unknown|B accepted 6+0",
			orders: "A=order_scattered B=order_scattered",
		},
		{
			name: "AcceptFile", profile: func(p *removal.Profile) { p.Acceptance = removal.AcceptFile },
			rows: "A,Return,SE,LAMP,8,0|B,Return,SE,LAMP,5,0",
			want: "A rejected 0+0 file_refused|B rejected 0+0 quantity_over_stock",
		},
		{
			name: "Seen", past: past("A", "Return,SE", "LAMP 2 0", "CUP-A 1 0"),
			rows: "A,Return,SE,LAMP,2,0|A,,,CUP-A,2,0|A,,,TOY,1,0",
			want: "A-r1 seen 0+0 row_seen|A-r1 rejected 0+0 order_id_used|A-r1 accepted 1+0", orders: "A=order_continued",
		},
		{
			// What was accepted stays accepted, though its SKU has left the stock.
			name: "SeenThoughGone", past: past("A", "Return,SE", "SOLD 2 0"),
			rows: "A,Return,SE,SOLD,2,0", want: "A seen 0+0 row_seen",
		},
		{
			name: "UsedWithOtherAddress", past: past("A", "Return,DE", "LAMP 2 0"),
			rows: "A,Return,SE,LAMP,2,0|A,,,CUP-A,1,0",
			want: "A rejected 0+0 order_id_used|A rejected 0+0 order_id_used",
		},
		{
			name: "UsedAndRefusedByProfile", past: past("A", "Return,SE", "LAMP 2 0"),
			profile: func(p *removal.Profile) { p.Resubmit = removal.ResubmitRefuse },
			rows:    "A,Return,SE,LAMP,2,0", want: "A rejected 0+0 order_id_used",
		},
		{
			name: "FollowUpSkipsUsedIDs", past: past("A", "Return,SE", "LAMP 2 0").used("A-r1"),
			rows: "A,Return,SE,TOY,1,0|A-r2,Return,SE,LAMP,1,0",
			want: "A-r3 accepted 1+0|A-r2 accepted 1+0", orders: "A=order_continued",
		},
		{
			// Without an id the order with most equal lines is taken, and each only once.
			name: "Matched", past: past("R1", "Return,SE", "LAMP 2 0").and("R2", "Return,SE", "LAMP 2 0", "CUP-A 1 0"),
			rows:   ",Return,SE,LAMP,2,0|,,,CUP-A,1,0|,,,TOY,1,0|,Return,SE,LAMP,2,0",
			want:   "R2-r1 seen 0+0 row_seen|R2-r1 seen 0+0 row_seen|R2-r1 accepted 1+0|R1 seen 0+0 row_seen",
			orders: "=order_matched,order_continued =order_matched",
		},
		{
			name: "MatchNeedsAnEqualLine", past: past("R1", "Return,SE", "LAMP 3 0"),
			rows: ",Return,SE,LAMP,2,0", want: "R* accepted 2+0",
		},
		{
			// A row of an earlier order comes while an order without an id waits.
			name: "ScatteredWhileWaiting", past: past("R1", "Return,SE", "LAMP 2 0"),
			rows: "A,Disposal,,LAMP,1,0|,Return,SE,LAMP,2,0|A,,,TOY,1,0",
			want: "A accepted 1+0|R1 seen 0+0 row_seen|A accepted 1+0", orders: "A=order_scattered =order_matched",
		},
		{
			name: "Split", profile: func(p *removal.Profile) { p.Policy = map[string]string{"max_skus_per_file": "2"} },
			past: new(fakePast).used("A-2"),
			rows: "A,Return,SE,LAMP,1,0|A,,,CUP-A,1,0|A,,,TOY,1,0|B,Return,SE,LAMP,1,0",
			want: "A-1 accepted 1+0|A-1 accepted 1+0|A-3 accepted 1+0|B accepted 1+0", orders: "A=order_split",
		},
		{
			name: "TooManyToSplit", profile: func(p *removal.Profile) {
				p.Policy, p.Split = map[string]string{"max_skus_per_file": "2"}, false
			},
			rows: "A,Return,SE,LAMP,1,0|A,,,CUP-A,1,0|A,,,TOY,1,0|B,Return,SE,LAMP,10,0",
			want: "A rejected 0+0|A rejected 0+0|A rejected 0+0|B accepted 10+0", orders: "A=order_too_many_skus",
		},
		{
			// What is out already does not count against the limit.
			name: "TooManyButSeen", profile: func(p *removal.Profile) {
				p.Policy, p.Split = map[string]string{"max_skus_per_file": "2"}, false
			},
			past: past("A", "Return,SE", "LAMP 1 0", "CUP-A 1 0"),
			rows: "A,Return,SE,LAMP,1,0|A,,,CUP-A,1,0|A,,,TOY,1,0",
			want: "A-r1 seen 0+0 row_seen|A-r1 seen 0+0 row_seen|A-r1 accepted 1+0", orders: "A=order_continued",
		},
		{
			name: "StateNeeded", store: "US", rows: "A,Return,US,LAMP,1,0",
			want: "A rejected 0+0", orders: "A=address_field_missing",
		},
		{
			name: "CustomersSuspected", profile: func(p *removal.Profile) { p.Policy = map[string]string{"customer_recipients": "2"} },
			rows: "A,Return,SE,LAMP,1,0|B,Return,DE,LAMP,2,0|C,Return,FI,LAMP,3,0",
			want: "A accepted 1+0|B accepted 2+0|C accepted 3+0", file: "customer_fulfilment_suspected",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t)
		})
	}
}

func (c *decideCase) run(t *testing.T) {
	rules := c.rules(t)
	st := validate.NewStock(rules.Snapshot)
	for _, s := range strings.Split(c.taken, ";") {
		var pool, order string
		var sellable, unsellable int64
		if n, _ := fmt.Sscan(s, &pool, &order, &sellable, &unsellable); n == 4 {
			if at := rules.Snapshot.FindPool(pool); at >= 0 {
				st.TakeBefore(at, st.Taker(order), sellable, unsellable)
			}
		}
	}
	past := c.past
	if past == nil {
		past = &fakePast{}
	}
	past.resolve(rules)
	rows := c.read()
	// In blocks of two rows, so that what holds over blocks is tried too.
	all := decideAll(t, rules, rows, 2, func(emit func(*removal.Outcome) error) *validate.Decider {
		return validate.NewDecider(rules, st, past, nil, emit)
	})
	outs, orders := all.Rows, all.Orders
	if diff := cmp.Diff(strings.Split(c.want, "|"), describe(outs, orders)); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(words(c.orders), describeOrders(orders), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("orders (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(c.file, codes(all.File)); diff != "" {
		t.Errorf("file (-want +got):\n%s", diff)
	}
	if n := all.Counts; n.Read != int64(len(rows)) || n.Read != n.Accepted+n.Rejected+n.Seen {
		t.Errorf("counts do not add up: %+v", n)
	}
}

// words are parted by blanks alone: an id may hold other white space.
func words(s string) []string {
	return slices.DeleteFunc(strings.Split(s, " "), func(w string) bool { return w == "" })
}

func describe(outs []removal.Outcome, orders []removal.OrderOutcome) []string {
	var lines []string
	for _, o := range outs {
		id := orders[o.Order].ID
		if orders[o.Order].Parts != nil {
			id = orders[o.Order].Parts[o.Part]
		}
		if strings.HasPrefix(id, "R26") {
			id = "R*"
		}
		line := fmt.Sprintf("%s %s %d+%d %s", id, o.Status, o.TakenSellable, o.TakenUnsellable, strings.ReplaceAll(codes(o.Problems), ",", " "))
		lines = append(lines, strings.TrimSpace(line))
	}
	return lines
}

func describeOrders(orders []removal.OrderOutcome) []string {
	lines := []string{}
	for _, o := range orders {
		if len(o.Problems) > 0 {
			lines = append(lines, o.Given+"="+codes(o.Problems))
		}
	}
	return lines
}

func codes(problems []removal.Problem) string {
	var all []string
	for _, p := range problems {
		all = append(all, p.Code.String())
	}
	return strings.Join(all, ",")
}

func (c *decideCase) rules(t *testing.T) *validate.Rules {
	t.Helper()
	set, err := policy.Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	m := removal.Merchant{ID: "m", Profile: removal.Profile{
		TimeZone: "Europe/Stockholm", Acceptance: removal.AcceptRow, Split: true, Resubmit: removal.ResubmitContinue,
	}}
	if c.profile != nil {
		c.profile(&m.Profile)
	}
	code := c.store
	if code == "" {
		code = "SE"
	}
	now := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	store, err := set.Store(code, now, m.Profile.Policy)
	if err != nil {
		t.Fatal(err)
	}
	r := &validate.Rules{
		Merchant: m, Policy: set, Store: store, Snapshot: snapshot(t), Now: now, Source: c.name, Headings: len(columns),
	}
	if err := r.Prepare(); err != nil {
		t.Fatal(err)
	}
	return r
}

func snapshot(t *testing.T) *inventory.Snapshot {
	t.Helper()
	f, err := decode.Open(strings.NewReader(stock), int64(len(stock)), decode.Options{Limits: decode.DefaultLimits()})
	if err != nil {
		t.Fatal(err)
	}
	head, err := f.Sheets()[0].Head()
	if err != nil {
		t.Fatal(err)
	}
	res, err := inventory.Read(f.Sheets()[0], 1, head[0].Cells, removal.KindInventory,
		inventory.ReadOptions{Date: time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Problems) > 0 {
		t.Fatalf("the snapshot has problems: %v", res.Problems)
	}
	path := t.TempDir() + "/stock.snap"
	var b bytes.Buffer
	if _, err := res.Snapshot.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(path, b.Bytes(), 0o600), res.Snapshot.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	s, err := inventory.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// read makes rows of the case's text; number 2 is the first below the headings.
func (c *decideCase) read() []removal.Row {
	var rows []removal.Row
	for i, line := range strings.Split(c.rows, "|") {
		values := map[removal.Field]string{}
		for k, v := range strings.Split(line, ",") {
			values[columns[k]] = v
		}
		if country := values[removal.FieldCountry]; country != "" {
			values[removal.FieldName], values[removal.FieldLine1] = "Lager AB", "Gatan 1"
			values[removal.FieldCity], values[removal.FieldPostalCode] = "Orten", "211 43"
			if len(country) == 2 && country != "SE" {
				values[removal.FieldPostalCode] = "12345"
			}
		}
		rows = append(rows, makeRow(i+2, values))
	}
	return rows
}

func makeRow(number int, values map[removal.Field]string) removal.Row {
	r := removal.Row{Number: number, Line: number}
	for f, v := range values {
		r.Spans[f] = removal.Span{Off: uint32(len(r.Data)), Len: uint32(len(v))}
		r.Data = append(r.Data, v...)
	}
	return r
}

// fakePast is a past of a few orders.
type fakePast struct {
	orders   []pastOrder
	taken    []string
	families map[string]*validate.Family
	hashes   map[*validate.Family]uint64
	byAge    []*validate.Family
}

type pastOrder struct {
	id, header string
	lines      []string
}

func past(id, header string, lines ...string) *fakePast {
	return new(fakePast).and(id, header, lines...)
}

func (p *fakePast) and(id, header string, lines ...string) *fakePast {
	p.orders = append(p.orders, pastOrder{id, header, lines})
	return p
}

func (p *fakePast) used(id string) *fakePast {
	p.taken = append(p.taken, id)
	return p
}

// resolve makes families of the orders, with the hash that their header has now.
func (p *fakePast) resolve(r *validate.Rules) {
	p.families, p.hashes = map[string]*validate.Family{}, map[*validate.Family]uint64{}
	for _, o := range p.orders {
		method, country, _ := strings.Cut(o.header, ",")
		c := decideCase{rows: fmt.Sprintf("%s,%s,%s,X,1,0", o.id, method, country)}
		row := c.read()[0]
		order := removal.Order{ID: o.id, State: removal.StatePending, Created: r.Now.AddDate(0, 0, -1)}
		order.HeaderHash = validate.HeaderHash(validate.ParseMethod([]byte(method)), r.ReadAddress(&row, func(v []byte) string { return string(v) }))
		for _, l := range o.lines {
			var line removal.Line
			if _, err := fmt.Sscan(l, &line.SKU, &line.AskedSellable, &line.AskedUnsellable); err != nil {
				panic(err)
			}
			order.Lines = append(order.Lines, line)
		}
		f := validate.NewFamily(o.id, []removal.Order{order}, []string{"earlier.tsv"})
		p.families[o.id], p.hashes[f] = f, order.HeaderHash
		p.byAge = append([]*validate.Family{f}, p.byAge...)
		p.taken = append(p.taken, o.id)
	}
}

func (p *fakePast) Families(ids []string) (map[string]*validate.Family, error) {
	out := map[string]*validate.Family{}
	for _, id := range ids {
		if f := p.families[id]; f != nil {
			out[id] = f
		}
	}
	return out, nil
}

func (p *fakePast) Matches(hash uint64) ([]*validate.Family, error) {
	var out []*validate.Family
	for _, f := range p.byAge {
		if p.hashes[f] == hash {
			out = append(out, f)
		}
	}
	return out, nil
}

func (p *fakePast) Used(ids []string) (map[string]bool, error) {
	out := map[string]bool{}
	for _, id := range ids {
		out[id] = slices.Contains(p.taken, id)
	}
	return out, nil
}
