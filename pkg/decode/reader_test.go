package decode

import (
	"errors"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rensa/pkg/removal"
)

// TestSideBySide splits chunks in several goroutines at a time, as the real
// readers do, and puts the blocks in order afterwards.
func TestSideBySide(t *testing.T) {
	t.Parallel()
	var rows string
	for i := range 500 {
		rows += inlineRow(i+1, "å", string(rune('a'+i%26)))
	}
	for name, data := range map[string][]byte{
		"text": uploadText(10_000, ",", true)[:200_000],
		"book": xlsx(t, map[string]string{"xl/worksheets/sheet1.xml": sheetXML(rows)}),
	} {
		f := mustOpen(t, data, 1000, Options{})
		want, wantErr := readAll(f.Sheets()[0], 3)
		r, err := f.Sheets()[0].Rows(3)
		if err != nil {
			t.Fatal(err)
		}
		type job struct {
			c *Chunk
			b *Block
		}
		jobs := make(chan job)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for j := range jobs {
					if err := j.c.Split(j.b); err != nil {
						t.Error(err)
					}
					r.Recycle(j.c)
				}
			})
		}
		var blocks []*Block
		var last error
		for {
			c, err := r.Next()
			if err != nil {
				last = err
				break
			}
			b := new(Block)
			blocks = append(blocks, b)
			jobs <- job{c, b}
		}
		close(jobs)
		wg.Wait()
		// The text was cut off within quotes.
		if wantErr == nil && !errors.Is(last, io.EOF) {
			t.Error(last)
		} else if wantErr != nil {
			wantFault(t, last, removal.FileQuoteOpen)
		}
		var got []Row
		number, line := r.First()
		for _, b := range blocks {
			number, line = b.Start(number, line)
			for i := range b.Len() {
				got = append(got, b.Row(i))
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		if len(got) < 400 {
			t.Errorf("%s: only %d rows", name, len(got))
		}
	}
}

// Where chunks end depends on the file alone, whenever buffers come back: two
// passes over a file must see the same blocks.
func TestChunksAreTheSame(t *testing.T) {
	t.Parallel()
	lines := "a,b\n"
	for i := range 20000 {
		if lines += "1,2\n"; i == 20 {
			lines += strings.Repeat("x", 5000) + ",2\n"
		}
	}
	f := mustOpen(t, []byte(lines), 1000, Options{})
	lengths := func(keep int) (all []int) {
		r, err := f.Sheets()[0].Rows(1)
		if err != nil {
			t.Fatal(err)
		}
		var kept []*Chunk
		for {
			c, err := r.Next()
			if errors.Is(err, io.EOF) {
				return all
			}
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, len(c.buf))
			if kept = append(kept, c); len(kept) > keep {
				r.Recycle(kept[0])
				kept = kept[1:]
			}
		}
	}
	want := lengths(1 << 20)
	for keep := range 4 {
		if diff := cmp.Diff(want, lengths(keep)); diff != "" {
			t.Errorf("%d chunks in hand (-want +got):\n%s", keep, diff)
		}
	}
}
