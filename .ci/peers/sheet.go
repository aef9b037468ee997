package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"

	"github.com/xuri/excelize/v2"

	"rensa/pkg/decode"
)

// readSheet reads all cells of a workbook's first sheet, one way or the other, and
// prints how many rows and bytes of values there are.
func readSheet(how, name string) error {
	read := readRensa
	if how == "read-excelize" {
		read = readExcelize
	}
	rows, size, err := read(name)
	if err == nil {
		fmt.Println(rows, size)
	}
	return err
}

// readExcelize is excelize's fastest form: rows one by one, stored values, all
// parts in memory.
func readExcelize(name string) (rows, size int, err error) {
	book, err := excelize.OpenFile(name, excelize.Options{RawCellValue: true, UnzipSizeLimit: 16 << 30, UnzipXMLSizeLimit: 8 << 30})
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, book.Close()) }()
	r, err := book.Rows(book.GetSheetName(0))
	if err != nil {
		return 0, 0, err
	}
	for r.Next() {
		cells, err := r.Columns()
		if err != nil {
			return 0, 0, err
		}
		rows++
		for _, v := range cells {
			size += len(strings.TrimSpace(v))
		}
	}
	return rows, size, errors.Join(r.Error(), r.Close())
}

// readRensa reads as an upload is read, on all cores and with every check.
func readRensa(name string) (rows, size int, err error) {
	file, err := os.Open(name)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	info, err := file.Stat()
	if err != nil {
		return 0, 0, err
	}
	f, err := decode.Open(file, info.Size(), decode.Options{})
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	r, err := f.Sheets()[0].Rows(0)
	if err != nil {
		return 0, 0, err
	}
	var mu sync.Mutex
	var workers sync.WaitGroup
	var failed error
	work := make(chan *decode.Chunk, 2*runtime.GOMAXPROCS(0))
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			var b decode.Block
			for c := range work {
				err := c.Split(&b)
				n := 0
				for i := range b.Len() {
					for _, cell := range b.Cells(i) {
						n += int(cell.Len)
					}
				}
				mu.Lock()
				rows, size, failed = rows+b.Len(), size+n, errors.Join(failed, err)
				mu.Unlock()
				r.Recycle(c)
			}
		})
	}
	var c *decode.Chunk
	for c, err = r.Next(); err == nil; c, err = r.Next() {
		work <- c
	}
	close(work)
	workers.Wait()
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return rows, size, errors.Join(err, failed)
}
