// Package processtest makes large inputs for benchmarks: an inventory and uploads
// against it, the same for the same numbers on every machine.
//
// The rows are of the kind that people send: orders of about ten rows, their
// values on the first row, names and notes with letters beyond ASCII, quoted
// commas, doubled quotes and line breaks, and one row in fifty wrong. What is
// wrong is wrong by rules that are easy to write for other programs too, so that
// the answers can be compared.
package processtest

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"

	"rensa/pkg/removal"
)

// Upload says what upload to make.
type Upload struct {
	SKUs, Rows int
	// Scattered is the share of rows that come back to an order further up.
	Scattered float64
	// Contended makes one row in twenty want one of a few pools, whose units are just
	// about enough: some run out before the end.
	Contended bool
	// RandomIDs gives orders ids in no order.
	RandomIDs bool
	// Comma separates the values; default a comma. With a tab nothing is quoted.
	Comma byte
	Seed  uint64
}

// SKU is the i-th MSKU of the inventory.
func SKU(i int) string {
	h := mix(uint64(i))
	return string(rune('A'+h%26)) + string(rune('A'+h>>8%26)) + "-" + strconv.FormatUint(uint64(i)*7+1000, 36) + "-" +
		strconv.FormatUint(h>>40, 36)
}

// Units are those that the inventory has of the i-th SKU: enough for all rows that
// want them, but for a few that are wanted by nobody who may have them.
func Units(i int) (sellable, unsellable int) {
	h := mix(uint64(i) + 1<<40)
	return 60 + int(h%200), 40 + int(h>>16%20)
}

func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// Inventory writes a Manage FBA Inventory report of n SKUs. shared is how many
// SKUs lie under one FNSKU.
func Inventory(w io.Writer, n, shared int) error {
	b := bufio.NewWriterSize(w, 1<<20)
	_, err := b.WriteString("sku\tfnsku\tasin\tproduct-name\tcondition\tyour-price\tmfn-listing-exists\t" +
		"afn-listing-exists\tafn-warehouse-quantity\tafn-fulfillable-quantity\tafn-unsellable-quantity\t" +
		"afn-reserved-quantity\tper-unit-volume\n")
	for i := 0; i < n && err == nil; i++ {
		pool := i / shared
		sellable, unsellable := Units(pool)
		_, err = fmt.Fprintf(b, "%s\tX00%07d\tB0%08d\tProduct number %d, Größe %d, pack of %d\tNew\t%d.95\tYes\tYes\t%d\t%d\t%d\t0\t0.1\n",
			SKU(i), pool, i, i, i%50, 1+i%12, 5+i%200, sellable+unsellable, sellable, unsellable)
	}
	if err != nil {
		return err
	}
	return b.Flush()
}

// Write writes the upload.
func (u Upload) Write(w io.Writer) error {
	if u.Comma == 0 {
		u.Comma = ','
	}
	g := &generator{Upload: u, r: rand.New(rand.NewPCG(u.Seed, 1)), b: bufio.NewWriterSize(w, 1<<20)}
	var row [removal.NumFields]string
	for f := range row {
		row[f] = removal.Field(f).String()
	}
	err := g.write(&row)
	for i := 0; i < u.Rows && err == nil; i++ {
		err = g.row(i)
	}
	if err != nil {
		return err
	}
	return g.b.Flush()
}

type generator struct {
	Upload
	r     *rand.Rand
	b     *bufio.Writer
	order int
	left  int
	past  []string
	skus  map[int]bool
}

func (g *generator) id() string {
	n := uint64(g.order)
	if g.RandomIDs {
		n = mix(n) >> 20
	}
	return fmt.Sprintf("RMV-2026-%014d", n)
}

func (g *generator) row(i int) error {
	var row [removal.NumFields]string
	if g.left == 0 {
		g.order++
		g.left = 1 + g.r.IntN(19)
		g.skus = map[int]bool{}
		g.header(&row)
		if g.Scattered > 0 {
			g.past = append(g.past, g.id())
		}
	}
	g.left--
	row[removal.FieldOrderID] = g.id()
	if len(g.past) > 100 && g.left > 0 && row[removal.FieldMethod] == "" && g.r.Float64() < g.Scattered {
		row[removal.FieldOrderID] = g.past[g.r.IntN(len(g.past)-1)]
	}
	sku := g.sku()
	row[removal.FieldSKU] = SKU(sku)
	row[removal.FieldSellable] = strconv.Itoa(1 + g.r.IntN(2))
	if g.r.IntN(2) == 0 {
		row[removal.FieldUnsellable] = strconv.Itoa(g.r.IntN(2))
	}
	if g.r.IntN(60) == 0 && row[removal.FieldMethod] == "" {
		g.spoil(&row, sku)
	}
	return g.write(&row)
}

func (g *generator) sku() int {
	for {
		i := g.r.IntN(g.SKUs)
		if g.Contended && g.r.IntN(20) == 0 {
			i = g.r.IntN(min(g.SKUs, max(2, g.Rows/1000)))
		}
		if !g.skus[i] {
			g.skus[i] = true
			return i
		}
	}
}

// spoil makes a row wrong.
func (g *generator) spoil(row *[removal.NumFields]string, sku int) {
	switch g.r.IntN(5) {
	case 0:
		row[removal.FieldSKU] = "NX-" + strconv.Itoa(g.r.IntN(1e9)) + "-none"
	case 1:
		row[removal.FieldSKU] = ""
	case 2:
		row[removal.FieldSellable] = []string{"abc", "-3", "2.5", "7 pcs"}[g.r.IntN(4)]
	case 3:
		row[removal.FieldSellable], row[removal.FieldUnsellable] = "0", "0"
	case 4:
		row[removal.FieldSellable] = strconv.Itoa(1000 + g.r.IntN(500))
	}
}

var (
	names   = []string{"Anna Smith", "José García", "Zoë Larsen", "Müller & Söhne", "John O'Neil", "Łukasz Kowalski", "山田 太郎"}
	streets = []string{"Main St", "Oak Avenue", "Hauptstraße", "Rue de l'Église", "Industrial Pkwy", "Via Roma"}
	cities  = []string{"Springfield", "München", "Lyon", "Reno", "Dallas", "Málaga", "Kraków"}
	states  = []string{"NV", "TX", "CA", "NY", "WA", "KY", "PA", "OH"}
	abroad  = []string{"DE", "IT"} // where any five digits are a postal code, as in the US
	notes   = []string{"", "", "", "", "Dock 4 only", "Call before delivery, after 9am", `Handle as "fragile" goods`, "Bitte klingeln"}
)

func pick(r *rand.Rand, from []string) string { return from[r.IntN(len(from))] }

func (g *generator) header(row *[removal.NumFields]string) {
	r := g.r
	if row[removal.FieldMethod] = "Return"; r.IntN(7) == 0 {
		row[removal.FieldMethod] = "Disposal"
		return
	}
	row[removal.FieldName] = pick(r, names)
	row[removal.FieldLine1] = strconv.Itoa(1+r.IntN(9999)) + " " + pick(r, streets)
	if r.IntN(10) == 0 {
		row[removal.FieldLine1] += ", Suite " + strconv.Itoa(1+r.IntN(400))
	}
	if r.IntN(5) == 0 {
		row[removal.FieldLine2] = "Building " + strconv.Itoa(1+r.IntN(40))
	}
	row[removal.FieldCity] = pick(r, cities)
	row[removal.FieldPostalCode] = fmt.Sprintf("%05d", 10000+r.IntN(85000))
	if row[removal.FieldCountry] = pick(r, abroad); r.IntN(3) > 0 {
		row[removal.FieldCountry], row[removal.FieldState] = "US", pick(r, states)
	}
	row[removal.FieldPhone] = fmt.Sprintf("+1 212 55%05d", r.IntN(99999))
	if row[removal.FieldNotes] = pick(r, notes); r.IntN(500) == 0 {
		row[removal.FieldNotes] = "line one\nline two"
	}
	switch r.IntN(1000) {
	case 0:
		row[removal.FieldMethod] = "Liquidate?"
	case 1:
		row[removal.FieldName] = ""
	case 2:
		row[removal.FieldCountry] = "XX"
	}
}

func (g *generator) write(row *[removal.NumFields]string) error {
	for f, v := range row {
		if f > 0 {
			if err := g.b.WriteByte(g.Comma); err != nil {
				return err
			}
		}
		switch {
		case g.Comma == '\t':
			v = strings.NewReplacer(`"`, "'", "\n", " ").Replace(v)
		case strings.ContainsAny(v, "\",;\n"):
			v = `"` + strings.ReplaceAll(v, `"`, `""`) + `"`
		}
		if _, err := g.b.WriteString(v); err != nil {
			return err
		}
	}
	return g.b.WriteByte('\n')
}
