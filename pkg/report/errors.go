package report

import (
	"io"

	"rensa/pkg/removal"
)

const errorsHeading = "row,line,column,cell,severity,code,value,message,hint,order_id,sku\r\n"

// faults writes errors.csv: a line for every error and warning, those of the file
// first, then by row; an order's stand once, on its first row.
type faults struct {
	w   io.Writer
	buf []byte // until it is written
}

func newErrors(in *Input, texts *renderer, open func() (io.Writer, error)) (*faults, error) {
	w, err := open()
	if err != nil {
		return nil, err
	}
	f := &faults{w: w}
	if in.Merchant.Profile.CSVBOM {
		f.buf = append(f.buf, bom...)
	}
	f.buf = append(f.buf, errorsHeading...)
	for i := range in.FileProblems {
		p := ofFile(&in.FileProblems[i])
		f.buf = appendFault(f.buf, &p, texts.say(&p))
	}
	return f, nil
}

// ofFile puts a problem of scope file where the reports have it: in row 0. Its
// line and cell, where there are any, stay.
func ofFile(p *removal.Problem) removal.Problem {
	q := *p
	if q.Code.Scope() == removal.ScopeFile {
		q.Row = 0
	}
	return q
}

func (f *faults) format(p *Part) {
	p.faults = p.faults[:0]
	for k := range p.noted {
		p.faults = appendFault(p.faults, &p.noted[k], p.say(k))
	}
}

func (f *faults) add(p *Part) error {
	f.buf = append(f.buf, p.faults...)
	if len(f.buf) < 1<<15 {
		return nil
	}
	return f.close()
}

// appendFault adds the line of a problem; infos have none.
func appendFault(dst []byte, p *removal.Problem, s said) []byte {
	if p.Code.Severity() == removal.SeverityInfo {
		return dst
	}
	dst = appendNumber(dst, p.Row)
	dst = append(dst, ',')
	dst = appendPositive(dst, p.Line)
	for _, v := range [...]string{
		p.Column, p.Cell, p.Code.Severity().String(), p.Code.String(),
		p.Value, s.message, s.hint, p.OrderID, p.SKU,
	} {
		dst = append(dst, ',')
		dst = appendCell(dst, v)
	}
	return append(dst, '\r', '\n')
}

func (f *faults) close() error {
	_, err := f.w.Write(f.buf)
	f.buf = f.buf[:0]
	return err
}
