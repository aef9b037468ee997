package status

import (
	"strings"

	"rensa/pkg/decode"
	"rensa/pkg/removal"
)

// FeedRecord is the first record number of what concerns no single record of a
// feed: a refusal that names none is one of all of it.
const FeedRecord = 100001

// Report is a feed processing report that was read.
type Report struct {
	removal.ProcessingReport
	// Table is what was read of its table; nil where it has none.
	Table *Read[removal.ProcessingLine]
}

// HasSummaryOnly tells whether the rows of a file are a processing report's
// summary and nothing else: a title and two counts, in any language.
func HasSummaryOnly(head []decode.Row) bool {
	if len(head) != 3 || len(filled(head[0])) != 1 || !strings.HasSuffix(trimColon(head[0]), ":") {
		return false
	}
	processed, successful, found := summary(head)
	return found == 2 && successful <= processed
}

// trimColon is the title with a colon as ASCII has it: some languages write a
// wide one, or set a blank before it.
func trimColon(r decode.Row) string { return strings.ReplaceAll(filled(r)[0], "：", ":") }

// filled are the cells of a row that are not blank.
func filled(r decode.Row) []string {
	var all []string
	for _, c := range r.Cells {
		if c != "" {
			all = append(all, c)
		}
	}
	return all
}

// summary finds the counts above the table: of the lines that hold a text and a
// number, the first has the records processed, the second those successful; -1
// where there is none.
func summary(head []decode.Row) (processed, successful, found int) {
	processed, successful = -1, -1
	for _, r := range head {
		cells := filled(r)
		if len(cells) != 2 {
			continue
		}
		n, ok := count(cells[1])
		if !ok {
			continue
		}
		if _, isNumber := count(cells[0]); isNumber {
			continue
		}
		switch found++; found {
		case 1:
			processed = n
		case 2:
			successful = n
		}
	}
	return processed, successful, found
}

// ProcessingReport reads a feed processing report. head are the first rows of the
// sheet; heading is the number of the table's heading row, 0 where it has no
// table.
func ProcessingReport(sheet *decode.Sheet, head []decode.Row, heading int, headings []string) (*Report, error) {
	report := &Report{}
	above := head // of the table
	for i := range head {
		if head[i].Number == heading {
			above = head[:i]
		}
	}
	report.Processed, report.Successful, _ = summary(above)
	if heading == 0 {
		return report, nil
	}
	read, err := each(&processingReport, sheet, heading, headings, Dates{}, func(r *row) removal.ProcessingLine {
		return removal.ProcessingLine{
			Row: r.number(), Line: r.line(), RecordNumber: r.record(), SKU: r.sku(false), Code: r.text(fieldCode),
			Type: r.text(fieldSeverity), Message: r.text(fieldMessage),
		}
	})
	if err != nil {
		return nil, err
	}
	report.Table, report.Lines = read, read.Lines
	return report, nil
}
