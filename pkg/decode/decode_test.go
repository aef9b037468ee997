package decode

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"rensa/pkg/removal"
)

// open opens data with chunks of the given size, and small limits of memory.
func open(data []byte, chunk int, opt Options) (*File, error) {
	f, err := Open(bytes.NewReader(data), int64(len(data)), opt)
	if err == nil && chunk > 0 {
		f.chunk = chunk
	}
	return f, err
}

// readAll is one pass over a sheet: all rows behind after, copied, and the place
// behind the last one.
func readAll(s *Sheet, after int) ([]Row, error) {
	r, err := s.Rows(after)
	if err != nil {
		return nil, err
	}
	var rows []Row
	var b Block
	number, line := r.First()
	for {
		c, err := r.Next()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		err = c.Split(&b)
		r.Recycle(c)
		if err != nil {
			return rows, err
		}
		number, line = b.Start(number, line)
		for i := range b.Len() {
			rows = append(rows, b.Row(i))
		}
	}
}

func mustOpen(tb testing.TB, data []byte, chunk int, opt Options) *File {
	tb.Helper()
	f, err := open(data, chunk, opt)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := f.Close(); err != nil {
			tb.Error(err)
		}
	})
	return f
}

func mustRead(tb testing.TB, data []byte, chunk int, opt Options) []Row {
	tb.Helper()
	rows, err := readAll(mustOpen(tb, data, chunk, opt).Sheets()[0], 0)
	if err != nil {
		tb.Fatal(err)
	}
	return rows
}

// wantFault checks that err refuses the file with the code and, where they are
// given, facts by name and value.
func wantFault(tb testing.TB, err error, code removal.Code, facts ...string) *removal.FileError {
	tb.Helper()
	var e *removal.FileError
	if !errors.As(err, &e) {
		tb.Fatalf("got error %v, want %v", err, code)
	}
	if e.Code != code {
		tb.Fatalf("got %v, want %v", e, code)
	}
	for i := 0; i+1 < len(facts); i += 2 {
		if got := e.Args.Get(facts[i]); got != facts[i+1] {
			tb.Errorf("got %v, want %s=%q", e, facts[i], facts[i+1])
		}
	}
	return e
}

// fault opens and reads all sheets to their end and returns the first error.
func fault(data []byte, chunk int, opt Options) error {
	f, err := open(data, chunk, opt)
	if err != nil {
		return err
	}
	for _, s := range f.Sheets() {
		if _, err := readAll(s, 0); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	return f.Close()
}

func known(heading string) bool {
	return map[string]bool{
		"sku": true, "fnsku": true, "asin": true, "merchantsku": true, "sellablequantity": true,
		"unsellablequantity": true, "merchantremovalorderid": true, "removaldisposition": true,
		"addressname": true, "addresscity": true,
	}[heading]
}
