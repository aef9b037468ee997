package decode

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	kflate "github.com/klauspost/compress/flate"
)

// deflated gives data as each writer packs it, at each level.
func deflated(tb testing.TB, data []byte) map[string][]byte {
	tb.Helper()
	packed := map[string][]byte{}
	for level := flate.HuffmanOnly; level <= flate.BestCompression; level++ {
		var a, b bytes.Buffer
		w, err := flate.NewWriter(&a, level)
		if err != nil {
			tb.Fatal(err)
		}
		k, err := kflate.NewWriter(&b, level)
		if err != nil {
			tb.Fatal(err)
		}
		_, err1 := w.Write(data)
		_, err2 := k.Write(data)
		if err := errors.Join(err1, err2, w.Close(), k.Close()); err != nil {
			tb.Fatal(err)
		}
		packed[fmt.Sprint("level ", level)], packed[fmt.Sprint("the other's ", level)] = a.Bytes(), b.Bytes()
	}
	return packed
}

// inflateCases are contents that pack in different ways.
func inflateCases() map[string][]byte {
	rnd := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 300_000)
	for i := range noise {
		noise[i] = byte(rnd.Uint32())
	}
	skewed := make([]byte, 400_000) // long codes: few values are frequent
	for i := range skewed {
		skewed[i] = byte(min(255, rnd.ExpFloat64()*8))
	}
	var far bytes.Buffer // matches from the far end of the window
	for range 6 {
		far.Write(noise[:32<<10])
		far.Write(skewed[:100])
	}
	var rows strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&rows, `<row r="%d"><c r="A%d" t="s"><v>%d</v></c><c r="B%d"><v>%d</v></c></row>`, i, i, rnd.IntN(5000), i, rnd.IntN(90))
	}
	return map[string][]byte{
		"nothing": nil, "a byte": {'x'}, "one run": bytes.Repeat([]byte("a"), 200_000), "short runs": bytes.Repeat([]byte("abc"), 100_000),
		"sevens": bytes.Repeat([]byte("abcdefg"), 50_000), "noise": noise, "skewed": skewed, "far": far.Bytes(), "rows": []byte(rows.String()),
	}
}

func TestInflate(t *testing.T) {
	t.Parallel()
	for name, data := range inflateCases() {
		for how, packed := range deflated(t, data) {
			got, err := io.ReadAll(newInflater(bytes.NewReader(packed)))
			if err != nil || !bytes.Equal(got, data) {
				t.Errorf("%s, %s: %d bytes of %d, error %v", name, how, len(got), len(data), err)
			}
		}
		packed := deflated(t, data)["level 6"]
		got, err := io.ReadAll(iotest.OneByteReader(newInflater(iotest.OneByteReader(bytes.NewReader(packed)))))
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("%s, byte by byte: %d bytes of %d, error %v", name, len(got), len(data), err)
		}
	}
}

// Several streams of blocks, stored ones among them, and bytes behind the end.
func TestInflateBlocks(t *testing.T) {
	t.Parallel()
	var packed, data bytes.Buffer
	rnd := rand.New(rand.NewPCG(3, 4))
	for i := range 200 {
		w, err := flate.NewWriter(&packed, rnd.IntN(12)-2)
		if err != nil {
			t.Fatal(err)
		}
		piece := bytes.Repeat([]byte{byte(rnd.Uint32()), byte(rnd.Uint32())}, rnd.IntN(3000))
		data.Write(piece)
		if _, err := w.Write(piece); err != nil {
			t.Fatal(err)
		}
		end := w.Flush
		if i == 199 {
			end = w.Close
		}
		if err := end(); err != nil {
			t.Fatal(err)
		}
	}
	packed.WriteString("what follows is not a part of it")
	got, err := io.ReadAll(newInflater(&packed))
	if err != nil || !bytes.Equal(got, data.Bytes()) {
		t.Errorf("%d bytes of %d, error %v", len(got), data.Len(), err)
	}
}

// A failure of the source is its own; a stream cut off anywhere has lost its end.
func TestInflateCut(t *testing.T) {
	t.Parallel()
	packed := deflated(t, inflateCases()["rows"][:9000])["level 6"]
	for n := range packed {
		if _, err := io.ReadAll(newInflater(bytes.NewReader(packed[:n]))); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("cut at %d: %v", n, err)
		}
	}
	if _, err := io.ReadAll(newInflater(iotest.TimeoutReader(iotest.OneByteReader(bytes.NewReader(packed))))); !errors.Is(err, iotest.ErrTimeout) {
		t.Errorf("a failing source: %v", err)
	}
}

// FuzzInflate holds the inflater against compress/flate, on streams of any kind.
func FuzzInflate(f *testing.F) {
	for _, data := range inflateCases() {
		for _, packed := range deflated(f, data[:min(len(data), 3000)]) {
			f.Add(packed)
			damaged := bytes.Clone(packed)
			damaged[len(damaged)/2] ^= 0x55
			f.Add(damaged)
		}
	}
	f.Fuzz(func(t *testing.T, packed []byte) {
		const most = 4 << 20
		want, wantErr := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), most))
		got, err := io.ReadAll(io.LimitReader(newInflater(bytes.NewReader(packed)), most))
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("error %v, compress/flate has %v", err, wantErr)
		}
		// Of a broken stream either may give less, but nothing else.
		n := min(len(got), len(want))
		if !bytes.Equal(got[:n], want[:n]) || err == nil && len(got) != len(want) {
			t.Fatalf("%d bytes, compress/flate has %d", len(got), len(want))
		}
	})
}

func BenchmarkInflate(b *testing.B) {
	data := inflateCases()["rows"]
	packed := deflated(b, data)["level 6"]
	for name, open := range map[string]func(io.Reader) io.ReadCloser{"own": newInflater, "library": kflate.NewReader} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			buf := make([]byte, chunkSize)
			for b.Loop() {
				r := open(bytes.NewReader(packed))
				n := 0
				for {
					k, err := r.Read(buf)
					n += k
					if errors.Is(err, io.EOF) {
						break
					}
					if err != nil {
						b.Fatal(err)
					}
				}
				if n != len(data) {
					b.Fatal(n)
				}
			}
		})
	}
}
