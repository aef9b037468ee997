package ledger

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"rensa/pkg/removal"
)

func problems() *rapid.Generator[[]removal.Problem] {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) removal.Problem {
		return removal.Problem{
			Place: removal.Place{Row: rapid.Int().Draw(t, "row"), Line: rapid.Int().Draw(t, "line"), Col: rapid.IntRange(0, 300).Draw(t, "col")},
			Code:  removal.Code(rapid.Byte().Draw(t, "code")), Field: removal.Field(rapid.Byte().Draw(t, "field")),
			Args: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) removal.Arg {
				return removal.Arg{Name: rapid.SampledFrom([]string{"order", "date", ""}).Draw(t, "name"), Value: rapid.String().Draw(t, "value")}
			}), 0, 3).Draw(t, "args"),
		}
	}), 0, 3)
}

func outcomes() *rapid.Generator[[]removal.Outcome] {
	small := rapid.Int64Range(0, 3)
	return rapid.SliceOf(rapid.Custom(func(t *rapid.T) removal.Outcome {
		o := removal.Outcome{
			Row: rapid.OneOf(rapid.IntRange(1, 9), rapid.Int()).Draw(t, "row"), Line: rapid.OneOf(rapid.IntRange(1, 9), rapid.Int()).Draw(t, "line"),
			Order: rapid.Int32().Draw(t, "order"), Status: removal.Status(rapid.IntRange(0, 2).Draw(t, "status")),
			Part: rapid.OneOf(rapid.Just[int32](0), rapid.Int32()).Draw(t, "part"), Item: rapid.OneOf(rapid.Just[int32](-1), rapid.Int32()).Draw(t, "item"),
			Sellable: rapid.OneOf(small, rapid.Int64()).Draw(t, "sellable"), Unsellable: rapid.OneOf(small, rapid.Int64()).Draw(t, "unsellable"),
			TakenSellable: small.Draw(t, "taken sellable"), TakenUnsellable: small.Draw(t, "taken unsellable"),
			Fee: removal.Amount(rapid.Int64().Draw(t, "fee")), HasFee: rapid.Bool().Draw(t, "has fee"),
			Problems: problems().Draw(t, "problems"),
		}
		if rapid.Bool().Draw(t, "as asked") {
			o.TakenSellable, o.TakenUnsellable = takenAs(&o)
		}
		return o
	}))
}

func orderOutcomes() *rapid.Generator[[]removal.OrderOutcome] {
	return rapid.SliceOf(rapid.Custom(func(t *rapid.T) removal.OrderOutcome {
		id := rapid.SampledFrom([]string{"", "A-1", "R261120-ABCDEFGH", "Åäö"})
		return removal.OrderOutcome{
			Given: id.Draw(t, "given"), ID: id.Draw(t, "id"), Family: id.Draw(t, "family"),
			Method: removal.Method(rapid.IntRange(0, 2).Draw(t, "method")), Row: rapid.Int().Draw(t, "row"),
			Refused: rapid.Bool().Draw(t, "refused"), Continued: rapid.Bool().Draw(t, "continued"), Matched: rapid.Bool().Draw(t, "matched"),
			Parts: rapid.SliceOfN(id, 0, 3).Draw(t, "parts"), Rows: rapid.Int().Draw(t, "rows"), Accepted: rapid.Int().Draw(t, "accepted"),
			Fee: removal.Amount(rapid.Int64().Draw(t, "fee")), NoFee: rapid.IntRange(0, 2).Draw(t, "no fee"),
			NoFeeReason: rapid.SampledFrom([]string{"", "rate_unknown"}).Draw(t, "reason"),
			Problems:    problems().Draw(t, "problems"), HeaderHash: rapid.Uint64().Draw(t, "hash"),
		}
	}))
}

func movements() *rapid.Generator[[]Movement] {
	key := rapid.OneOf(rapid.SampledFrom([]string{"", "X0", "X00", "\x00sku", "\xff"}), rapid.StringN(0, 20, maxKey))
	return rapid.SliceOf(rapid.Custom(func(t *rapid.T) Movement {
		return Movement{
			Kind: MovementKind(rapid.OneOf(rapid.Just[byte](0), rapid.Byte()).Draw(t, "kind")),
			At:   time.UnixMicro(rapid.Int64Range(-1<<55, 1<<55).Draw(t, "at")).UTC(), PoolKey: key.Draw(t, "pool"), Order: key.Draw(t, "order"),
			Run: key.Draw(t, "run"), Row: rapid.Int().Draw(t, "row"),
			Sellable: rapid.Int64().Draw(t, "sellable"), Unsellable: rapid.Int64().Draw(t, "unsellable"),
		}
	}))
}

// roundTrip checks that a block gives back what went in, keeps what stood before
// it, is the same each time, and that no changed byte goes unnoticed.
func roundTrip[T any](t *rapid.T, want []T, encode func([]byte, []T) []byte, decode func([]byte) ([]T, error)) {
	prefix := []byte("before")
	both := encode(slices.Clone(prefix), want)
	block, ok := bytes.CutPrefix(both, prefix)
	if !ok || !bytes.Equal(block, encode(nil, want)) {
		t.Fatal("a block depends on what stands before it")
	}
	got, err := decode(block)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		t.Fatal(d)
	}
	at := rapid.IntRange(0, len(block)-1).Draw(t, "damaged byte")
	damaged := slices.Clone(block)
	damaged[at] ^= 1 << rapid.IntRange(0, 7).Draw(t, "damaged bit")
	if _, err := decode(damaged); !errors.Is(err, ErrDamaged) && (at != 2 || !errors.Is(err, ErrNewer)) {
		t.Fatalf("byte %d damaged: %v", at, err)
	}
	if _, err := decode(block[:at]); !errors.Is(err, ErrDamaged) {
		t.Fatalf("cut at %d: %v", at, err)
	}
}

func TestOutcomesRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := outcomes().Draw(t, "outcomes")
		roundTrip(t, want, EncodeOutcomes, unpackOutcomes)
		c, err := CountOutcomes(EncodeOutcomes(nil, want))
		if err != nil || c.Rows != len(want) || c.Rows != c.Accepted+c.Rejected+c.Seen {
			t.Fatalf("counts are %+v, %v", c, err)
		}
	})
}

func TestOrderOutcomesRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		roundTrip(t, orderOutcomes().Draw(t, "orders"), EncodeOrderOutcomes, DecodeOrderOutcomes)
	})
}

func TestMovementsRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := movements().Draw(t, "movements")
		slices.SortStableFunc(want, func(a, b Movement) int { return strings.Compare(a.PoolKey, b.PoolKey) })
		roundTrip(t, want, EncodeMovements, DecodeMovements)
		mixed := rapid.Permutation(want).Draw(t, "mixed")
		got, err := DecodeMovements(EncodeMovements(nil, mixed))
		if err != nil {
			t.Fatal(err)
		}
		slices.SortStableFunc(mixed, func(a, b Movement) int { return strings.Compare(a.PoolKey, b.PoolKey) })
		if d := cmp.Diff(mixed, got, cmpopts.EquateEmpty()); d != "" {
			t.Fatal(d)
		}
	})
}

// TestManyMovements: entries go through more than one chunk, and what a visitor
// kept from one stays as it was.
func TestManyMovements(t *testing.T) {
	t.Parallel()
	want := movementsOf(3*visitChunk + 17)
	got, err := DecodeMovements(EncodeMovements(nil, want))
	if err != nil {
		t.Fatal(err)
	}
	slices.SortStableFunc(want, func(a, b Movement) int { return strings.Compare(a.PoolKey, b.PoolKey) })
	if d := cmp.Diff(want, got); d != "" {
		t.Fatal(d)
	}
}

// TestNoAddressInBlocks: what a problem holds of the input stays out.
func TestNoAddressInBlocks(t *testing.T) {
	t.Parallel()
	p := []removal.Problem{{Code: removal.AddressPhoneInvalid, Field: removal.FieldPhone, Value: "0470-12345",
		Place: removal.Place{Column: "0470-12345", Cell: "0470-12345", Sheet: "0470-12345"}, SKU: "0470-12345"}}
	for _, block := range [][]byte{
		EncodeOutcomes(nil, []removal.Outcome{{Problems: p}}),
		EncodeOrderOutcomes(nil, []removal.OrderOutcome{{Problems: p}}),
	} {
		if bytes.Contains(block, []byte("0470")) {
			t.Errorf("a value stands in the block %q", block)
		}
	}
}

func TestNewerBlock(t *testing.T) {
	t.Parallel()
	block := EncodeMovements(nil, movementsOf(3))
	block[2]++
	if _, err := DecodeMovements(block); !errors.Is(err, ErrNewer) {
		t.Errorf("error is %v, want ErrNewer", err)
	}
	if _, err := DecodeOutcomes(nil, EncodeMovements(nil, nil)); !errors.Is(err, ErrDamaged) {
		t.Errorf("movements were read as outcomes: %v", err)
	}
}

// FuzzDecode: whatever bytes stand in a block whose checksum is right, decoding
// ends with a value or an error.
func FuzzDecode(f *testing.F) {
	for _, block := range [][]byte{
		EncodeOutcomes(nil, []removal.Outcome{{Row: 2, Status: removal.Accepted, Sellable: 4, TakenSellable: 3, HasFee: true, Problems: []removal.Problem{
			{Code: removal.SKUUnknown, Args: removal.Args{{Name: "candidates", Value: "A\nB"}}}}}, {Row: 9, Line: 3, Order: 4, Part: 2}}),
		EncodeOrderOutcomes(nil, []removal.OrderOutcome{{ID: "A", Parts: []string{"A-1"}, NoFee: 1, NoFeeReason: "x"}}),
		EncodeMovements(nil, movementsOf(20)),
		encodeFilterLayer(newFilterLayer(100)),
	} {
		f.Add(block[1], block[frameSize:])
	}
	f.Fuzz(func(t *testing.T, kind byte, payload []byte) {
		block := append(openFrame(nil, blockKind(kind)), payload...)
		block[2] = 1
		closeFrame(block)
		if rows, err := DecodeOutcomes(nil, block); err == nil {
			again, err := DecodeOutcomes(nil, EncodeOutcomes(nil, rows))
			if d := cmp.Diff(rows, again, cmpopts.EquateEmpty()); d != "" || err != nil {
				t.Errorf("%v %s", err, d)
			}
		}
		if orders, err := DecodeOrderOutcomes(block); err == nil {
			again, err := DecodeOrderOutcomes(EncodeOrderOutcomes(nil, orders))
			if d := cmp.Diff(orders, again, cmpopts.EquateEmpty()); d != "" || err != nil {
				t.Errorf("%v %s", err, d)
			}
		}
		if ms, err := DecodeMovements(block); err == nil {
			if _, err := DecodeMovements(EncodeMovements(nil, ms)); err != nil {
				t.Error(err)
			}
		}
		if layer, err := decodeFilterLayer(block); err == nil {
			layer.has(1)
		}
		if _, err := DecodeOutcomes(nil, payload); err == nil && len(payload) < frameSize {
			t.Error("a block without a frame was read")
		}
	})
}

func TestLinesRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(0, 1_000_000)
		u := rapid.Custom(func(t *rapid.T) removal.Units {
			u := removal.Units{Requested: rapid.Int64().Draw(t, "requested")}
			if rapid.Bool().Draw(t, "done") {
				u.Cancelled, u.Disposed, u.Shipped = n.Draw(t, "cancelled"), n.Draw(t, "disposed"), n.Draw(t, "shipped")
			}
			return u
		})
		want := rapid.SliceOf(rapid.Custom(func(t *rapid.T) removal.Line {
			l := removal.Line{SKU: rapid.String().Draw(t, "sku"), FNSKU: rapid.StringMatching(`[ -~]{0,5}`).Draw(t, "fnsku"),
				AskedSellable: n.Draw(t, "asked"), AskedUnsellable: n.Draw(t, "asked"), Sellable: u.Draw(t, "sellable"), Unsellable: u.Draw(t, "unsellable")}
			if rapid.Bool().Draw(t, "has fee") {
				l.Fee, l.HasFee = removal.Amount(rapid.Int64().Draw(t, "fee")), true
			}
			return l
		})).Draw(t, "lines")
		column, err := appendLines(nil, want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := parseLines(string(column))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
			t.Fatal(d)
		}
		cut := rapid.IntRange(0, len(column)-1).Draw(t, "cut")
		if _, err := parseLines(string(column[:cut])); err == nil {
			t.Fatalf("read %q", column[:cut])
		}
	})
	if got, err := parseLines(` [ ["A" , "B", 1, 2, 3, 4, null ], ["C","",0,0,0,0,5] ] `); err != nil || len(got) != 2 || got[0].Unsellable.Requested != 4 {
		t.Errorf("blanks between the parts: %+v, %v", got, err)
	}
	if _, err := appendLines(nil, []removal.Line{{SKU: "\xff"}}); err == nil {
		t.Error("a SKU that is not UTF-8 was written")
	}
}

func FuzzParseLines(f *testing.F) {
	f.Add(`[["A\"","B",1,2,3,4,null],["C","",0,0,0,0,5,1,2,3,4,5,6]]`)
	f.Fuzz(func(t *testing.T, s string) {
		lines, err := parseLines(s)
		if err != nil {
			return
		}
		if _, err := appendLines(nil, lines); err != nil {
			t.Skip("the text was no UTF-8")
		}
	})
}

func unpackOutcomes(block []byte) ([]removal.Outcome, error) { return DecodeOutcomes(nil, block) }
