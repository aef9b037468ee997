package report

import (
	"io"
	"strings"

	"rensa/pkg/removal"
)

// feedRecord is the first record number of what concerns no single record, as
// the marketplace counts.
const feedRecord = 100001

const processingHeading = "original-record-number\tsku\terror-code\terror-type\terror-message\r\n"

// processing writes processing-report.txt, the answer in the form of the
// marketplace's feed processing report. A record is an item row, counted from 1;
// error-code is the code's number, its name leads the message.
type processing struct {
	w      io.Writer
	texts  *renderer
	buf    []byte
	record int64
	feed   int64
	table  bool
}

func newProcessing(in *Input, texts *renderer, open func() (io.Writer, error)) (*processing, error) {
	w, err := open()
	if err != nil {
		return nil, err
	}
	p := &processing{w: w, texts: texts, feed: feedRecord}
	p.buf = append(p.buf, "Feed Processing Summary:\r\n\tNumber of records processed\t\t"...)
	p.buf = appendNumber(p.buf, int64(in.Run.Read))
	p.buf = append(p.buf, "\r\n\tNumber of records successful\t\t"...)
	p.buf = appendNumber(p.buf, int64(in.Run.Accepted)+int64(in.Run.Seen))
	p.buf = append(p.buf, "\r\n\r\n"...)
	for i := range in.FileProblems {
		problem := &in.FileProblems[i]
		p.line(problem, texts.say(problem), p.feed)
		p.feed++
	}
	return p, nil
}

func (p *processing) add(part *Part) error {
	for i := range part.Rows {
		p.record++
		for k := part.ofRow[i]; k < part.ofRow[i+1]; k++ {
			p.line(&part.noted[k], part.say(int(k)), p.record)
		}
	}
	if len(p.buf) < 1<<15 {
		return nil
	}
	return p.flush()
}

func (p *processing) line(problem *removal.Problem, s said, record int64) {
	if !p.table {
		p.table = true
		p.buf = append(p.buf, processingHeading...)
	}
	sku := problem.SKU
	if sku == "" {
		sku = "-"
	}
	severity := [...]string{
		removal.SeverityError: "Error", removal.SeverityWarning: "Warning", removal.SeverityInfo: "Info",
	}[problem.Code.Severity()]
	p.buf = append(appendNumber(p.buf, record), '\t')
	p.buf = append(append(p.buf, oneLine(sku)...), '\t')
	p.buf = append(appendNumber(p.buf, int64(problem.Code)), '\t')
	p.buf = append(append(p.buf, severity...), '\t')
	p.buf = append(append(p.buf, problem.Code.String()...), ": "...)
	p.buf = append(p.buf, oneLine(s.message)...)
	if s.hint != "" {
		p.buf = append(append(p.buf, "; "...), oneLine(s.hint)...)
	}
	p.buf = append(p.buf, '\r', '\n')
}

// oneLine keeps tabs and line breaks of a value out of a table that knows no quotes.
func oneLine(s string) string {
	if !strings.ContainsAny(s, "\t\r\n") {
		return s
	}
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\t' || r == '\r' || r == '\n' }), " ")
}

func (p *processing) flush() error {
	_, err := p.w.Write(p.buf)
	p.buf = p.buf[:0]
	return err
}

func (p *processing) close() error {
	if !p.table {
		p.buf = append(p.buf, '\r', '\n')
	}
	return p.flush()
}
