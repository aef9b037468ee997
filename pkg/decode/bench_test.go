package decode

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
)

// sizes are the rows of the benchmarks; RENSA_BENCH_ROWS=1000000 adds what takes
// too long to run each time.
func sizes(b *testing.B, run func(b *testing.B, n int)) {
	b.Helper()
	all := []int{10_000, 100_000}
	if v := os.Getenv("RENSA_BENCH_ROWS"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, n)
	}
	for _, n := range all {
		b.Run(fmt.Sprintf("rows=%d", n), func(b *testing.B) { run(b, n) })
	}
}

// uploadRow is like the rows of a large upload: the order's values on the first
// row of an order only.
func uploadRow(i int) []string {
	row := make([]string, 15)
	if i%10 == 0 {
		copy(row, []string{fmt.Sprintf("RET-%07d", i/10), "Return", "Åkerlund & Co", "Storgatan 12", "", "", "Malmö", "SE", "", "211 34", "040-123456", ""})
	}
	row[0] = fmt.Sprintf("RET-%07d", i/10)
	row[12], row[13], row[14] = fmt.Sprintf("SKU-%08d", i*7919%50_000), fmt.Sprint(i%9), fmt.Sprint(i%4)
	return row
}

func uploadText(n int, delim string, quote bool) []byte {
	var b strings.Builder
	b.WriteString(strings.ReplaceAll("MerchantRemovalOrderID,RemovalDisposition,AddressName,l1,l2,l3,c,cc,s,p,ph,n,MerchantSKU,SellableQuantity,UnsellableQuantity\n", ",", delim))
	for i := range n {
		row := uploadRow(i)
		if quote {
			for j, v := range row {
				row[j] = `"` + v + `"`
			}
		}
		b.WriteString(strings.Join(row, delim) + "\r\n")
	}
	return []byte(b.String())
}

// readThroughOnce is a whole pass in one goroutine.
func readThroughOnce(b *testing.B, s *Sheet, block *Block, n int) {
	b.Helper()
	r, err := s.Rows(1)
	if err != nil {
		b.Fatal(err)
	}
	number, line := r.First()
	rows := 0
	for {
		c, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = c.Split(block)
		}
		if err != nil {
			b.Fatal(err)
		}
		r.Recycle(c)
		number, line = block.Start(number, line)
		rows += block.Len()
	}
	if rows != n {
		b.Fatalf("%d rows", rows)
	}
}

func rowsPerSecond(b *testing.B, n int) {
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkText(b *testing.B) {
	sizes(b, func(b *testing.B, n int) {
		for _, bc := range []struct {
			name string
			data []byte
		}{
			{"csv", uploadText(n, ",", false)},
			{"tab", uploadText(n, "\t", false)},
			{"quoted", uploadText(n, ",", true)},
			{"utf16", utf16Bytes(string(uploadText(n, "\t", false)), false)},
		} {
			f := mustOpen(b, bc.data, 0, Options{})
			for _, chunk := range []int{64 << 10, chunkSize, 1 << 20} {
				b.Run(fmt.Sprintf("%s/%dK", bc.name, chunk>>10), func(b *testing.B) {
					f.chunk = chunk
					var block Block
					b.SetBytes(int64(len(bc.data)))
					b.ReportAllocs()
					for b.Loop() {
						readThroughOnce(b, f.Sheets()[0], &block, n)
					}
					rowsPerSecond(b, n)
				})
			}
		}
	})
}

// BenchmarkNext is the part of a pass that only one core can do.
func BenchmarkNext(b *testing.B) {
	sizes(b, func(b *testing.B, n int) {
		for _, quote := range []bool{false, true} {
			data := uploadText(n, ",", quote)
			f := mustOpen(b, data, 0, Options{})
			b.Run(fmt.Sprintf("quoted=%t", quote), func(b *testing.B) {
				b.SetBytes(int64(len(data)))
				b.ReportAllocs()
				for b.Loop() {
					r, err := f.Sheets()[0].Rows(0)
					if err != nil {
						b.Fatal(err)
					}
					for c, err := r.Next(); !errors.Is(err, io.EOF); c, err = r.Next() {
						if err != nil {
							b.Fatal(err)
						}
						r.Recycle(c)
					}
				}
				rowsPerSecond(b, n)
			})
		}
	})
}

func BenchmarkOpen(b *testing.B) {
	sizes(b, func(b *testing.B, n int) {
		data := uploadText(n, ",", false)
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			f, err := Open(bytes.NewReader(data), int64(len(data)), Options{})
			if err != nil {
				b.Fatal(err)
			}
			if err := f.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func uploadSheet(b *testing.B, n int, inline bool) []byte {
	b.Helper()
	var sheet strings.Builder
	var entries []string
	known := map[string]int{}
	sheet.WriteString(inlineRow(1, "heading"))
	for i := range n {
		fmt.Fprintf(&sheet, `<row r="%d" spans="1:15">`, i+2)
		for col, v := range uploadRow(i) {
			at := fmt.Sprintf("%c%d", 'A'+col, i+2)
			switch {
			case v == "":
			case col > 12:
				fmt.Fprintf(&sheet, `<c r="%s"><v>%s</v></c>`, at, v)
			case inline:
				fmt.Fprintf(&sheet, `<c r="%s" t="inlineStr"><is><t>%s</t></is></c>`, at, strings.ReplaceAll(v, "&", "&amp;"))
			default:
				n, ok := known[v]
				if !ok {
					n = len(entries)
					known[v] = n
					entries = append(entries, `<si><t>`+strings.ReplaceAll(v, "&", "&amp;")+`</t></si>`)
				}
				fmt.Fprintf(&sheet, `<c r="%s" s="1" t="s"><v>%d</v></c>`, at, n)
			}
		}
		sheet.WriteString("</row>")
	}
	return xlsx(b, map[string]string{"xl/worksheets/sheet1.xml": sheetXML(sheet.String()), "xl/sharedStrings.xml": sst(entries...)})
}

// BenchmarkSheet reads a workbook with its strings, from Open on.
func BenchmarkSheet(b *testing.B) {
	sizes(b, func(b *testing.B, n int) {
		for _, inline := range []bool{false, true} {
			data := uploadSheet(b, n, inline)
			b.Run(fmt.Sprintf("inline=%t", inline), func(b *testing.B) {
				b.ReportAllocs()
				var block Block
				for b.Loop() {
					f, err := Open(bytes.NewReader(data), int64(len(data)), Options{})
					if err != nil {
						b.Fatal(err)
					}
					readThroughOnce(b, f.Sheets()[0], &block, n)
					if err := f.Close(); err != nil {
						b.Fatal(err)
					}
				}
				rowsPerSecond(b, n)
			})
		}
	})
}
