package main

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/xuri/excelize/v2"

	"rensa/pkg/process/processtest"
)

// inputs are the generated files.
type inputs struct{ inventory, csv, tsv, book string }

// others are those of the contests of the program with itself.
type others struct {
	small inputs // a tenth of the SKUs, a hundredth of the rows
	large string // five times the rows
	// again are other orders of the same SKUs, with ids in no order.
	again string
	// hard has orders whose rows come back, ids in no order, pools that many want;
	// shared is an inventory with two SKUs under each FNSKU.
	hard, shared string
}

func generateOthers(dir string, skus, rows int) (o others, err error) {
	if o.small, err = generate(dir, skus/10, rows/100); err != nil {
		return o, err
	}
	at := func(format string, args ...any) string { return filepath.Join(dir, fmt.Sprintf(format, args...)) }
	o.large, o.again = at("upload-%d-%d.csv", skus, 5*rows), at("again-%d-%d.csv", skus, rows)
	o.hard, o.shared = at("hard-%d-%d.csv", skus, rows), at("shared-%d.tsv", skus)
	hard := processtest.Upload{SKUs: skus, Rows: rows, Scattered: 0.03, Contended: true, RandomIDs: true}
	return o, errors.Join(
		once(o.large, processtest.Upload{SKUs: skus, Rows: 5 * rows}.Write),
		once(o.again, processtest.Upload{SKUs: skus, Rows: rows, RandomIDs: true, Seed: 2}.Write),
		once(o.hard, hard.Write),
		once(o.shared, func(w io.Writer) error { return processtest.Inventory(w, skus, 2) }),
	)
}

func generate(dir string, skus, rows int) (inputs, error) {
	at := func(format string, args ...any) string { return filepath.Join(dir, fmt.Sprintf(format, args...)) }
	in := inputs{
		inventory: at("inventory-%d.tsv", skus), csv: at("upload-%d-%d.csv", skus, rows),
		tsv: at("upload-%d-%d.tsv", skus, rows), book: at("upload-%d-%d.xlsx", skus, rows),
	}
	up := processtest.Upload{SKUs: skus, Rows: rows}
	tabs := up
	tabs.Comma = '\t'
	return in, errors.Join(
		once(in.inventory, func(w io.Writer) error { return processtest.Inventory(w, skus, 1) }),
		once(in.csv, up.Write),
		once(in.tsv, tabs.Write),
		once(in.book, func(w io.Writer) error { return bookOf(in.csv, w) }),
	)
}

// once makes a file that is not there yet.
func once(name string, write func(io.Writer) error) error {
	if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.Create(name + ".part")
	if err != nil {
		return err
	}
	if err := errors.Join(write(f), f.Close()); err != nil {
		return err
	}
	return os.Rename(name+".part", name)
}

// bookOf writes a table as a workbook, in the way of excelize's stream.
func bookOf(table string, w io.Writer) (err error) {
	f, err := os.Open(table)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	book := excelize.NewFile()
	defer func() { err = errors.Join(err, book.Close()) }()
	stream, err := book.NewStreamWriter("Sheet1")
	if err != nil {
		return err
	}
	r := csv.NewReader(bufio.NewReaderSize(f, 1<<20))
	for n := 1; ; n++ {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		cells := make([]any, len(record))
		for i, v := range record {
			if v != "" {
				cells[i] = v
			}
		}
		if err := stream.SetRow(fmt.Sprintf("A%d", n), cells); err != nil {
			return err
		}
	}
	if err := stream.Flush(); err != nil {
		return err
	}
	return book.Write(w)
}
