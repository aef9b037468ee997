package validate

import (
	"bytes"
	"errors"
	"testing"

	"pgregory.net/rapid"
)

type pagesInMemory struct {
	pages map[int][]byte
	err   error
}

func (p *pagesInMemory) Put(n int, page []byte) error {
	p.pages[n] = bytes.Clone(page)
	return p.err
}

func (p *pagesInMemory) Get(n int, room []byte) ([]byte, error) {
	return append(room[:0], p.pages[n]...), p.err
}

// TestTakings holds takings of which the older lie in pages against a plain list.
func TestTakings(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		old := &pagesInMemory{pages: map[int][]byte{}}
		l := takings{most: rapid.IntRange(1, 3).Draw(t, "most")}
		var want []taking
		for range rapid.IntRange(1, 12).Draw(t, "stretches") {
			if rapid.Bool().Draw(t, "pages") { // from somewhere on, as after what earlier orders took
				l.old = old
			}
			for range rapid.IntRange(0, 2*takingPage).Draw(t, "more") {
				n := int32(len(want))
				tk := taking{before: n / 2, who: ^n, sellable: n * 3, unsellable: -n}
				want = append(want, tk)
				if number := l.add(tk); number != n+1 {
					t.Fatalf("taking %d has number %d", n, number)
				}
			}
			for range 20 {
				if len(want) > 0 {
					n := rapid.IntRange(0, len(want)-1).Draw(t, "n")
					if got := l.at(int32(n + 1)); got != want[n] {
						t.Fatalf("taking %d is %+v, want %+v", n, got, want[n])
					}
				}
			}
		}
		for n := range want {
			if got := l.at(int32(n + 1)); got != want[n] {
				t.Fatalf("taking %d is %+v, want %+v", n, got, want[n])
			}
		}
		if inMemory := len(l.pages); l.old != nil && len(old.pages) > 0 && inMemory > l.most {
			t.Fatalf("%d pages in memory, not %d", inMemory, l.most)
		}
		if l.err != nil {
			t.Fatal(l.err)
		}
	})
}

// A page that cannot be put away or brought back is told; nothing is taken twice for it.
func TestTakingsFail(t *testing.T) {
	t.Parallel()
	full := errors.New("disk full")
	old := &pagesInMemory{pages: map[int][]byte{}}
	l := takings{most: 1, old: old}
	for n := range int32(3 * takingPage) {
		l.add(taking{who: n})
	}
	old.pages[0] = old.pages[0][:7]
	if got := l.at(1); got != (taking{}) || !errors.Is(l.err, errState) {
		t.Errorf("a cut page gave %+v, %v", got, l.err)
	}
	l.err, old.err = nil, full
	for n := range int32(takingPage) {
		l.add(taking{who: n})
	}
	if l.add(taking{}); !errors.Is(l.err, full) {
		t.Errorf("error %v", l.err)
	}
	if got := l.at(3*takingPage + 1); got.who != 0 {
		t.Errorf("what was taken after stands wrong: %+v", got)
	}
}
