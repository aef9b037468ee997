package process

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"rensa/pkg/decode"
	"rensa/pkg/inventory"
	"rensa/pkg/removal"
	"rensa/pkg/status"
	"rensa/pkg/upload"
)

// headingRows is how many rows may stand above the headings, a title for example.
const headingRows = 20

// signature is how one kind that is read is recognised.
type signature struct {
	decode.Signature
	known map[string]bool // its headings
}

// signatures are those of every kind that is read; made once, since every row of
// a file's head is held against all of them.
var signatures = sync.OnceValue(func() []signature {
	var all []signature
	for _, s := range slices.Concat(upload.Signatures(), inventory.Signatures(), status.Signatures()) {
		known := make(map[string]bool, len(s.Known))
		for _, h := range s.Known {
			known[h] = true
		}
		all = append(all, signature{s, known})
	}
	return all
})

// known tells whether any kind has a heading, in its normal form.
func known() func(heading string) bool {
	return func(heading string) bool {
		return slices.ContainsFunc(signatures(), func(s signature) bool { return s.known[heading] })
	}
}

// found is what a file was recognised as.
type found struct {
	sign  decode.Signature
	sheet *decode.Sheet
	head  []decode.Row
	row   decode.Row // the heading row
	// others are the names of sheets that could have been read as well.
	others []string
}

// candidate is how well a row of a sheet fits a signature.
type candidate struct {
	found
	present int   // headings that the kind knows
	missing []int // required ones that are not there, by their place in the signature
	needed  int
}

// recognise finds the kind of a file by the headings of its sheets. It answers
// file_kind_unknown or file_header_missing, saying what comes nearest.
func recognise(f *decode.File) (*found, error) {
	var full, partly []candidate
	empty := true
	for _, sheet := range f.Sheets() {
		head, err := sheet.Head()
		if err != nil {
			return nil, err
		}
		empty = empty && len(head) == 0
		keys := 0
		for i := range head {
			at := headRow{sheet: sheet, head: head, row: i, cells: headings(head[i]), keys: keys, ofOrder: orderHeadings(head[i])}
			if at.ofOrder <= 1 && isKeyLine(head[i]) {
				keys++
			}
			for _, sign := range signatures() {
				if c := fit(sign, &at); len(c.missing) == 0 {
					full = append(full, c)
				} else if c.present > 0 && sign.Kind != removal.KindRecommended {
					partly = append(partly, c)
				}
			}
		}
	}
	if empty {
		return nil, removal.NewFileError(removal.FileEmpty)
	}
	if len(full) == 0 {
		if report := withoutTable(f); report != nil {
			return report, nil
		}
		return nil, unrecognised(partly)
	}
	best := slices.MaxFunc(full, func(a, b candidate) int { return a.compare(&b) })
	for _, c := range full {
		if c.compare(&best) == 0 && c.sign.Kind != best.sign.Kind {
			return nil, removal.NewFileError(removal.FileKindUnknown,
				"two", string(best.sign.Kind)+"\n"+string(c.sign.Kind))
		}
	}
	if best.sign.Kind == removal.KindRecommended {
		return nil, removal.NewFileError(removal.FileKindUnknown, "is", best.sign.Kind)
	}
	for _, c := range full {
		name := c.sheet.Name()
		if c.sheet != best.sheet && c.sign.Kind == best.sign.Kind && c.isShown() && !slices.Contains(best.others, name) {
			best.others = append(best.others, name)
		}
	}
	return &best.found, nil
}

// isShown tells whether rows follow the headings that the user sees.
func (c *candidate) isShown() bool {
	return !c.sheet.Hidden() && len(c.head) > 0 && c.head[len(c.head)-1].Number > c.row.Number
}

// compare puts what is shown above what is hidden, which is read only where there is
// nothing else, and then what has more headings.
func (c *candidate) compare(other *candidate) int {
	switch {
	case c.isShown() == other.isShown():
		return cmp.Compare(c.present, other.present)
	case c.isShown():
		return 1
	}
	return -1
}

// ignored are warnings about the sheets that were not read.
func (f *found) ignored() []removal.Problem {
	var problems []removal.Problem
	for _, name := range f.others {
		problems = append(problems, removal.Problem{
			Place: removal.Place{Sheet: name, Col: 1, Cell: "A1"}, Code: removal.SheetIgnored, Field: removal.FieldNone,
			Value: name, Args: removal.Args{}.Arg("sheet", name).Arg("read", f.sheet.Name()),
		})
	}
	return problems
}

// withoutTable finds a processing report that has no table, and so no headings;
// nil where the file is none.
func withoutTable(f *decode.File) *found {
	for _, sheet := range f.Sheets() {
		head, err := sheet.Head()
		if err != nil || !status.HasSummaryOnly(head) {
			continue
		}
		return &found{sign: decode.Signature{Kind: removal.KindProcessingReport}, sheet: sheet, head: head}
	}
	return nil
}

// headings are the cells of a row in the form in which headings are compared.
func headings(row decode.Row) map[string]bool {
	cells := make(map[string]bool, len(row.Cells))
	for _, cell := range row.Cells {
		if h := decode.Heading(cell); h != "" {
			cells[h] = true
		}
	}
	return cells
}

// headRow is a row of a sheet's head, with what the signatures ask about it.
type headRow struct {
	sheet   *decode.Sheet
	head    []decode.Row
	row     int             // its place in head
	cells   map[string]bool // its headings
	ofOrder int             // how many of them are of order values
	keys    int             // rows above that begin with a key of the order
}

// fit holds a row against a signature.
func fit(sign signature, at *headRow) candidate {
	c := candidate{found: found{sign: sign.Signature, sheet: at.sheet, head: at.head, row: at.head[at.row]}, needed: len(sign.Required)}
	others := 0
	for h := range at.cells {
		if sign.known[h] {
			c.present++
		} else {
			others++
		}
	}
	for i, alternatives := range sign.Required {
		if !slices.ContainsFunc(alternatives, func(h string) bool { return at.cells[h] }) {
			c.missing = append(c.missing, i)
		}
	}
	if sign.KeyValue {
		c.present += at.keys
	}
	switch {
	case sign.KeyValue && (at.keys == 0 || at.ofOrder > 0), sign.Only && others > 0, !sign.KeyValue && at.row >= headingRows:
		c.present, c.missing = 0, []int{0} // not this kind, whatever it holds
	}
	return c
}

// isKeyLine tells whether a row begins with a key of the order.
func isKeyLine(row decode.Row) bool {
	i := slices.IndexFunc(row.Cells, func(c string) bool { return c != "" })
	if i < 0 {
		return false
	}
	f, ok := upload.FieldOf(row.Cells[i])
	return ok && f.OfOrder()
}

// orderHeadings counts the cells of a row that are headings of order values.
func orderHeadings(row decode.Row) int {
	n := 0
	for _, cell := range row.Cells {
		if f, ok := upload.FieldOf(cell); ok && f.OfOrder() {
			n++
		}
	}
	return n
}

// unrecognised says which kinds come nearest to a file that is none of them.
func unrecognised(partly []candidate) error {
	best := map[removal.Kind]candidate{}
	for _, c := range partly {
		have := c.needed - len(c.missing)
		b, ok := best[c.sign.Kind]
		if !ok || have > b.needed-len(b.missing) || have == b.needed-len(b.missing) && c.present > b.present {
			best[c.sign.Kind] = c
		}
	}
	var nearest []candidate
	for _, c := range best {
		nearest = append(nearest, c)
	}
	slices.SortFunc(nearest, func(a, b candidate) int {
		ha, hb := a.needed-len(a.missing), b.needed-len(b.missing)
		if ha != hb {
			return hb - ha
		}
		if a.present != b.present {
			return b.present - a.present
		}
		return strings.Compare(string(a.sign.Kind), string(b.sign.Kind))
	})
	if n := mostly(nearest); n != nil {
		return headerMissing(*n)
	}
	var lines []string
	for _, c := range nearest[:min(3, len(nearest))] {
		lines = append(lines, string(c.sign.Kind)+": "+strings.Join(c.names(), ", "))
	}
	return removal.NewFileError(removal.FileKindUnknown, "nearest", strings.Join(lines, "\n"))
}

// mostly finds the one kind that has most of its required headings, and two at
// least; nil where none has, or two have as many. nearest begins with those that
// have most.
func mostly(nearest []candidate) *candidate {
	most := slices.DeleteFunc(slices.Clone(nearest), func(c candidate) bool {
		have := c.needed - len(c.missing)
		return have < 2 || have <= c.needed/2
	})
	if len(most) == 0 || len(most) > 1 && most[0].needed-len(most[0].missing) == most[1].needed-len(most[1].missing) {
		return nil
	}
	return &most[0]
}

// names gives the missing headings as the kind writes them.
func (c *candidate) names() []string {
	names := make([]string, len(c.missing))
	for i, h := range c.missing {
		names[i] = c.sign.Names[h]
	}
	return names
}

func headerMissing(c candidate) error {
	var found, strange, near []string
	for _, cell := range c.row.Cells {
		if cell == "" {
			continue
		}
		found = append(found, cell)
		if !slices.Contains(c.sign.Known, decode.Heading(cell)) {
			strange = append(strange, cell)
		}
	}
	for i, h := range c.missing {
		if n := meant(c.sign.Required[h], normal(strange)); n >= 0 {
			near = append(near, c.names()[i]+" ~ "+strange[n])
		}
	}
	err := removal.NewFileError(removal.FileHeaderMissing, "kind", c.sign.Kind,
		"missing", strings.Join(c.names(), "\n"), "found", strings.Join(found, "\n"))
	if len(near) > 0 {
		err.Args = err.Args.Arg("nearest", strings.Join(near, "\n"))
	}
	err.Sheet, err.Line = c.sheet.Name(), c.row.Line
	return err
}

// meant is which of the headings was probably meant as a required one, in any of its
// spellings: the nearest, else one that is a part of it or has it as a part, "SKU" for
// "MerchantSKU"; -1: none.
func meant(spellings, headings []string) int {
	for _, want := range spellings {
		if n := removal.Nearest(want, headings); n != "" {
			return slices.Index(headings, n)
		}
	}
	return slices.IndexFunc(headings, func(h string) bool {
		return len(h) >= 3 && slices.ContainsFunc(spellings, func(want string) bool {
			return strings.Contains(want, h) || strings.Contains(h, want)
		})
	})
}

func normal(headings []string) []string {
	out := make([]string, len(headings))
	for i, h := range headings {
		out[i] = decode.Heading(h)
	}
	return out
}
