package ledger

import (
	"fmt"
	"iter"
	"slices"
	"testing"
	"time"

	"rensa/pkg/removal"
)

// movementsOf makes n movements, ten an order, over half as many pools, in an
// order that is not the pools'.
func movementsOf(n int) []Movement {
	at := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	ms := make([]Movement, n)
	for i := range ms {
		ms[i] = Movement{At: at, PoolKey: fmt.Sprintf("X%09d", i*7919%(n/2+1)), Order: fmt.Sprintf("ORDER-%07d", i/10),
			Run: "20261120-abcdef", Row: i + 2, Sellable: int64(i % 5), Unsellable: int64(i % 2)}
	}
	return ms
}

// packAll packs the orders of a run; what they share is that of the first.
func packAll(tb testing.TB, run string, orders iter.Seq[removal.Order]) *PackedOrders {
	tb.Helper()
	var p *OrderPacker
	var blocks []OrderBlock
	place := 0
	for o := range orders {
		if o.Run = run; p == nil {
			p = NewOrderPacker(o, func(b OrderBlock) error {
				blocks = append(blocks, OrderBlock{b.Entries, slices.Clone(b.Orders), slices.Clone(b.IDs)})
				return nil
			})
		}
		var lines []byte
		var err error
		for i := range o.Lines {
			if lines, err = PackLine(lines, &o.Lines[i]); err != nil {
				tb.Fatal(err)
			}
		}
		if err := p.Add(place, o.ID, o.Family, PackOrder(nil, &o, len(o.Lines), lines)); err != nil {
			tb.Fatal(err)
		}
		place++
	}
	count, err := p.End()
	if err != nil {
		tb.Fatal(err)
	}
	return &PackedOrders{Count: count, Blocks: func(yield func(OrderBlock) error) error {
		for _, b := range blocks {
			if err := yield(b); err != nil {
				return err
			}
		}
		return nil
	}}
}

// commitOf makes a commit of orders of ten lines each, with or without what
// else an upload brings.
func commitOf(tb testing.TB, orders int, random, all bool) *Commit {
	lines := make([]removal.Line, 10)
	for i := range lines {
		lines[i] = removal.Line{SKU: fmt.Sprintf("SKU-%010d", i*12345), FNSKU: fmt.Sprintf("X%09d", i*77777),
			AskedSellable: 4, Sellable: removal.Units{Requested: 4}, Fee: 123400, HasFee: true}
	}
	rows := int64(10 * orders)
	c := &Commit{Merchant: "acme", Run: Run{ID: "run-1", Kind: removal.KindUpload, SHA256: "x", Read: rows, Accepted: rows}}
	c.Packed = packAll(tb, c.Run.ID, func(yield func(removal.Order) bool) {
		o := removal.Order{State: removal.StatePending, Method: removal.Return, Source: removal.SourceUpload, Currency: "SEK",
			Address: removal.Address{Name: "Åsa Öberg", Line1: "Storgatan 1", City: "Växjö", Country: "SE"}, Fee: 1234000, Lines: lines}
		for i := range orders {
			o.ID, o.Row, o.HeaderHash = fmt.Sprintf("ORDER-%07d", i), 10*i+2, uint64(i/50)
			if random {
				o.ID, o.Generated = fmt.Sprintf("R261120-%08X", uint32(i)*2654435761), true
			}
			o.Family = o.ID
			if !yield(o) {
				return
			}
		}
	})
	if !all {
		return c
	}
	c.Movements = movementsOf(10 * orders)
	var block []byte
	var outcomes []removal.Outcome
	for i := range 4096 {
		outcomes = append(outcomes, removal.Outcome{Row: i, Line: i, Order: int32(i / 10), Status: removal.Accepted, Item: int32(i * 7919 % 1_000_000),
			Sellable: 4, TakenSellable: 4, Fee: 123400, HasFee: true})
	}
	c.Outcomes = func(yield func([]byte) error) error {
		for left := 10 * orders; left > 0; left -= len(outcomes) {
			block = EncodeOutcomes(block[:0], outcomes[:min(left, len(outcomes))])
			if err := yield(block); err != nil {
				return err
			}
		}
		return nil
	}
	return c
}

// BenchmarkCommit commits orders and makes rows of them, or commits all that an
// upload brings and leaves the rows to others.
func BenchmarkCommit(b *testing.B) {
	for _, orders := range []int{1_000, 100_000} {
		for _, how := range []struct {
			name              string
			random, all, rows bool
		}{{"rising", false, false, true}, {"random", true, false, true}, {"all", false, true, false}} {
			b.Run(fmt.Sprintf("%d/%s", orders, how.name), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					b.StopTimer()
					l, c := openAcme(b), commitOf(b, orders, how.random, how.all)
					b.StartTimer()
					if err := l.Commit(b.Context(), c); err != nil {
						b.Fatal(err)
					}
					if how.rows {
						if err := l.EnterOrders(b.Context(), "acme"); err != nil {
							b.Fatal(err)
						}
					}
				}
			})
		}
	}
}

func BenchmarkMovements(b *testing.B) {
	ms := movementsOf(1_000_000)
	block := EncodeMovements(nil, ms)
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		b.ReportMetric(float64(len(block))/float64(len(ms)), "bytes/entry")
		for b.Loop() {
			EncodeMovements(nil, ms)
		}
	})
	b.Run("taken", func(b *testing.B) {
		l := openAcme(b)
		if err := l.Commit(b.Context(), &Commit{Merchant: "acme", Run: Run{ID: "r"}, Movements: ms}); err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			var sum int64
			err := l.Taken(b.Context(), "acme", func(m Movement) error {
				sum += m.Sellable
				return nil
			})
			if err != nil || sum == 0 {
				b.Fatal(sum, err)
			}
		}
	})
}

func BenchmarkOutcomes(b *testing.B) {
	c := commitOf(b, 100_000, false, true)
	for b.Loop() {
		n := 0
		if err := c.Outcomes(func(block []byte) error { n += len(block); return nil }); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(n)/1_000_000, "bytes/row")
	}
}

func BenchmarkUsedIDs(b *testing.B) {
	l := openAcme(b)
	if err := l.Commit(b.Context(), commitOf(b, 100_000, false, false)); err != nil {
		b.Fatal(err)
	}
	var ids []string
	for i := range 100_000 {
		ids = append(ids, fmt.Sprintf("ORDER-%07d", 50_000+i))
	}
	b.Run("probe", func(b *testing.B) {
		for b.Loop() {
			if used, err := l.UsedIDs(b.Context(), "acme", ids); err != nil || len(used) != 50_000 {
				b.Fatal(len(used), err)
			}
		}
	})
	b.Run("filter", func(b *testing.B) {
		for b.Loop() {
			maybe, err := l.IDs(b.Context(), "acme")
			if err != nil {
				b.Fatal(err)
			}
			n := 0
			for _, id := range ids {
				if maybe.Maybe([]byte(id)) {
					n++
				}
			}
			if n < 50_000 {
				b.Fatal(n)
			}
		}
	})
}
