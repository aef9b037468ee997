package report

import (
	"strings"
	"testing"

	"rensa/pkg/removal"
)

// Every mark is on row 2, C; the style becomes ten times the old one plus the severity.
func TestSheetPatch(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ in, want string }{
		"styled":       {`<row r="2"><c r="C2" s="3" t="s"><v>1</v></c></row>`, `<row r="2"><c r="C2" s="31" t="s"><v>1</v></c></row>`},
		"plain":        {`<row r="2"><c r="C2"><v>1</v></c></row>`, `<row r="2"><c s="1" r="C2"><v>1</v></c></row>`},
		"between":      {`<row r="2"><c r="A2"/><c r="D2"/></row>`, `<row r="2"><c r="A2"/><c r="C2" s="71"/><c r="D2"/></row>`},
		"at the end":   {`<row r="2"><c r="A2"/></row>`, `<row r="2"><c r="A2"/><c r="C2" s="71"/></row>`},
		"row's style":  {`<row r="2" s="4"></row>`, `<row r="2" s="4"><c r="C2" s="41"/></row>`},
		"empty row":    {`<row r="2" ht="20"/>`, `<row r="2" ht="20"><c r="C2" s="71"/></row>`},
		"no row":       {`<row r="1"/><row r="3"/>`, `<row r="1"/><row r="2"><c r="C2" s="71"/></row><row r="3"/>`},
		"no rows":      {``, `<row r="2"><c r="C2" s="71"/></row>`},
		"others":       {`<row r="1"><c r="C1" s="3"/></row><row r="2"><c r="C2" s="2"/></row>`, `<row r="1"><c r="C1" s="3"/></row><row r="2"><c r="C2" s="21"/></row>`},
		"line breaks":  {"\n<row r=\"2\">\n <c r=\"C2\" s=\"2\"/>\n</row>\n", "\n<row r=\"2\">\n <c r=\"C2\" s=\"21\"/>\n</row>\n"},
		"inline text":  {`<row r="2"><c r="B2" t="inlineStr"><is><t>C2</t></is></c><c r="C2" s="2"/></row>`, `<row r="2"><c r="B2" t="inlineStr"><is><t>C2</t></is></c><c r="C2" s="21"/></row>`},
		"no numbers":   {`<row><c><v>1</v></c></row>`, ""},
		"no names":     {`<row r="2"><c><v>1</v></c></row>`, ""},
		"out of order": {`<row r="3"/><row r="1"/>`, ""},
	} {
		head, tail := `<worksheet><cols><col min="2" max="4" width="9.5" style="7"/></cols><sheetData>`, `</sheetData></worksheet>`
		p := &sheetPatch{
			xml: []byte(head + c.in + tail), marks: []mark{{row: 2, col: 3, severity: removal.SeverityWarning}},
			restyle: func(style int, m mark) int { return 10*style + int(m.severity) },
		}
		got, ok := p.run()
		if !ok {
			got = nil
		}
		text := strings.TrimSuffix(strings.TrimPrefix(string(got), head), tail)
		if text != c.want {
			t.Errorf("%s: %s", name, text)
		}
	}
}

func TestPatchable(t *testing.T) {
	t.Parallel()
	for sheet, want := range map[string]bool{
		`<worksheet><sheetData/></worksheet>`:                             true,
		`<x:worksheet><x:sheetData/></x:worksheet>`:                       false,
		`<worksheet><sheetData/><legacyDrawing r:id="rId1"/></worksheet>`: false,
		`<worksheet><!-- x --><sheetData/></worksheet>`:                   false,
	} {
		if got := patchable([]byte(sheet)); got != want {
			t.Errorf("%s: %v", sheet, got)
		}
	}
	p := &sheetPatch{
		xml: []byte(`<worksheet><sheetData/></worksheet>`), marks: []mark{{row: 1, col: 1}}, restyle: func(int, mark) int { return 5 },
	}
	if got, ok := p.run(); !ok || string(got) != `<worksheet><sheetData><row r="1"><c r="A1" s="5"/></row></sheetData></worksheet>` {
		t.Errorf("%s %v", got, ok)
	}
}
