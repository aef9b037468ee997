// Package status reads the files that tell what became of orders, or what is to
// become of them: the Removal Order Detail and Removal Shipment Detail reports
// in all their variants, the feed processing report, and the cancel list.
//
// It promises that a row is either read whole or answered with a problem that
// names its cell, and that good rows are kept whatever stands around them. It
// judges no order: whether one is known, and what may be done to it, is package
// desk's to say.
//
// Rows are kept in memory; the limits of package decode bound them. Of a file that
// is wrong nearly everywhere the first 100,000 problems are kept.
package status

import (
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"rensa/pkg/decode"
	"rensa/pkg/removal"
)

// field is what a column means.
type field uint8

const (
	fieldNone field = iota // known heading, not read
	fieldRequestDate
	fieldOrderID
	fieldSource
	fieldType
	fieldSpeed
	fieldStatus
	fieldLastUpdated
	fieldShipmentDate
	fieldSKU
	fieldFNSKU
	fieldDisposition
	fieldRequested
	fieldCancelled
	fieldDisposed
	fieldShipped
	fieldInProcess
	fieldFee
	fieldCurrency
	fieldCarrier
	fieldTracking
	fieldRecord
	fieldCode
	fieldSeverity
	fieldMessage

	numFields
)

// column is one column of a kind, with the spellings of its heading.
type column struct {
	field    field
	required bool
	headings []string
}

func need(f field, headings ...string) column  { return column{f, true, headings} }
func maybe(f field, headings ...string) column { return column{f, false, headings} }

// Headings by which problems name a column.
const (
	headingSKU    = "sku"
	headingRecord = "original-record-number"
)

// layout is the columns of a kind. A further spelling is a further entry in it.
type layout struct {
	kind    removal.Kind
	only    bool // no other headings allowed
	columns []column
}

var (
	orderDetail = layout{kind: removal.KindOrderDetail, columns: []column{
		need(fieldRequestDate, "request-date"),
		need(fieldOrderID, "order-id"),
		maybe(fieldSource, "order-source"),
		maybe(fieldType, "order-type", "removal-order-type"),
		maybe(fieldSpeed, "service-speed"),
		need(fieldStatus, "order-status"),
		need(fieldLastUpdated, "last-updated-date"),
		need(fieldSKU, "sku"),
		maybe(fieldFNSKU, "fnsku"),
		need(fieldDisposition, "disposition"),
		need(fieldRequested, "requested-quantity"),
		need(fieldCancelled, "cancelled-quantity", "canceled-quantity"),
		need(fieldDisposed, "disposed-quantity"),
		need(fieldShipped, "shipped-quantity"),
		maybe(fieldInProcess, "in-process-quantity"),
		maybe(fieldFee, "removal-fee"),
		maybe(fieldCurrency, "currency"),
	}}
	shipmentDetail = layout{kind: removal.KindShipmentDetail, columns: []column{
		maybe(fieldRequestDate, "request-date", "removal-date"),
		need(fieldOrderID, "order-id"),
		need(fieldShipmentDate, "shipment-date"),
		need(fieldSKU, "sku"),
		maybe(fieldFNSKU, "fnsku"),
		need(fieldDisposition, "disposition"),
		need(fieldShipped, "shipped-quantity", "quantity shipped"),
		maybe(fieldCarrier, "carrier"),
		maybe(fieldTracking, "tracking-number"),
		maybe(fieldType, "removal-order-type", "order-type"),
	}}
	processingReport = layout{kind: removal.KindProcessingReport, columns: []column{
		need(fieldRecord, headingRecord),
		need(fieldSKU, "sku"),
		need(fieldCode, "error-code"),
		need(fieldSeverity, "error-type"),
		need(fieldMessage, "error-message"),
	}}
	// A cancel list stops orders, so it is taken only where nothing else stands
	// beside.
	cancelList = layout{kind: removal.KindCancelList, only: true, columns: []column{
		need(fieldOrderID, "order-id"),
		maybe(fieldSKU, "sku"),
	}}
	// The marketplace's Recommended Removal is known so that it can be answered.
	recommended = layout{kind: removal.KindRecommended, columns: []column{
		need(fieldSKU, "sku"),
		maybe(fieldNone, "snapshot-date"), maybe(fieldNone, "fnsku"), maybe(fieldNone, "asin"),
		maybe(fieldNone, "product-name"), maybe(fieldNone, "condition"), maybe(fieldNone, "sellable-quantity"),
		maybe(fieldNone, "sellable-271-365-days"), maybe(fieldNone, "sellable-365+-days"),
		need(fieldNone, "sellable-removal-quantity"),
		maybe(fieldNone, "unsellable-quantity"), maybe(fieldNone, "unsellable-0-7-days"),
		maybe(fieldNone, "unsellable-8-60-days"), maybe(fieldNone, "unsellable-61-90-days"),
		maybe(fieldNone, "sellable-121-180-days"), maybe(fieldNone, "sellable-181-270-days"),
	}}
)

// Signatures say by which headings the kinds are recognised. A processing report
// without a table has none: see HasSummaryOnly.
func Signatures() []decode.Signature {
	var all []decode.Signature
	for _, l := range []*layout{&orderDetail, &shipmentDetail, &processingReport, &cancelList, &recommended} {
		s := decode.Signature{Kind: l.kind, Only: l.only}
		for _, c := range l.columns {
			s.Column(c.required, c.headings...)
		}
		all = append(all, s)
	}
	return all
}

// maxProblems bounds the memory, and the report, of a file that is wrong in every row.
const maxProblems = 100_000

// Read is what was read of a file: its good rows in their order, and the
// problems of the others, each with its full place and value.
type Read[L any] struct {
	Lines    []L
	Problems []removal.Problem
	Omitted  int // problems beyond maxProblems
	Rows     int // rows read
	Bad      int // rows that were left out

	*mapping
}

// Locate fills in where a problem stands that was found with a line later: under
// the heading that it names, else under the order's id, else in its row.
func (r *Read[L]) Locate(p *removal.Problem) {
	col := r.col[fieldOrderID]
	switch p.Args.Get("heading") {
	case headingSKU:
		col = r.col[fieldSKU]
	case headingRecord:
		col = r.col[fieldRecord]
	}
	p.Place = r.place(p.Row, p.Line, col)
	if p.Column != "" && p.Args.Get("heading") != "" {
		p.Args = slices.Clone(p.Args)
		for i := range p.Args {
			if p.Args[i].Name == "heading" {
				p.Args[i].Value = p.Column // as the user wrote it
			}
		}
	}
}

// mapping says which column of a file holds which field.
type mapping struct {
	sheet    string
	headings []string
	col      [numFields]int // counted from 0; -1: absent
	fields   []field        // by column; fieldNone where it is not read
	dates    Dates
}

// Dates says how the dates of a file are read.
type Dates struct {
	// Zone is where a date without a time of day starts; nil: UTC.
	Zone *time.Location
	// Latest is the last moment that a row may speak of; zero: any. All that comes
	// after a row of the future would count as older.
	Latest time.Time
}

func (d *Dates) zone() *time.Location {
	if d.Zone == nil {
		return time.UTC
	}
	return d.Zone
}

// mapColumns finds the fields of a layout under a file's headings. The answer is
// file_header_twice or file_header_missing where they do not serve.
func (l *layout) mapColumns(sheet string, heading int, headings []string) (*mapping, error) {
	m := &mapping{sheet: sheet, headings: headings, fields: make([]field, len(headings))}
	for f := range m.col {
		m.col[f] = -1
	}
	for i, h := range headings {
		f := l.find(decode.Heading(h))
		if f == fieldNone {
			continue
		}
		if first := m.col[f]; first >= 0 {
			return nil, removal.NewFileError(removal.FileHeaderTwice, "heading", h,
				"first", removal.CellName(first+1, heading), "again", removal.CellName(i+1, heading))
		}
		m.col[f], m.fields[i] = i, f
	}
	var missing []string
	for _, c := range l.columns {
		if c.required && m.col[c.field] < 0 {
			missing = append(missing, c.headings[0])
		}
	}
	if missing != nil {
		return nil, removal.NewFileError(removal.FileHeaderMissing, "kind", string(l.kind),
			"missing", strings.Join(missing, "\n"), "found", strings.Join(headings, "\n"))
	}
	return m, nil
}

func (l *layout) find(heading string) field {
	for _, c := range l.columns {
		if slices.ContainsFunc(c.headings, func(h string) bool { return decode.Heading(h) == heading }) {
			return c.field
		}
	}
	return fieldNone
}

// each reads the rows under a heading and makes a line of each; take tells
// through the row what is wrong with it. No row at all is file_empty.
func each[L any](l *layout, sheet *decode.Sheet, heading int, headings []string, dates Dates, take func(*row) L) (*Read[L], error) {
	m, err := l.mapColumns(sheet.Name(), heading, headings)
	if err != nil {
		return nil, err
	}
	m.dates = dates
	read := &Read[L]{mapping: m}
	if err := m.rows(sheet, heading, func(r *row) {
		read.Rows++
		r.begin()
		line := take(r)
		kept := min(len(r.problems), maxProblems-len(read.Problems))
		read.Problems = append(read.Problems, r.problems[:kept]...)
		read.Omitted += len(r.problems) - kept
		if r.bad {
			read.Bad++
			return
		}
		read.Lines = append(read.Lines, line)
	}); err != nil {
		return nil, err
	}
	return read, nil
}

// rows calls visit for each row under the heading; the row is good until it returns.
func (m *mapping) rows(sheet *decode.Sheet, heading int, visit func(*row)) error {
	reader, err := sheet.Rows(heading)
	if err != nil {
		return err
	}
	number, line := reader.First()
	r := &row{mapping: m, block: &decode.Block{}}
	for {
		chunk, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := chunk.Split(r.block); err != nil {
			return err
		}
		number, line = r.block.Start(number, line)
		for i := range r.block.Len() {
			r.at = i
			visit(r)
		}
		reader.Recycle(chunk)
	}
}

// place is where a row's column stands; col is counted from 0, -1: the whole row.
func (m *mapping) place(number, line, col int) removal.Place {
	return decode.CellPlace(m.sheet, m.headings, number, line, col)
}
