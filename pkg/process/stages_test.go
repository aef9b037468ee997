package process

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"testing"
	"time"

	"rensa/pkg/decode"
	"rensa/pkg/inventory"
	"rensa/pkg/ledger"
	"rensa/pkg/policy"
	"rensa/pkg/process/processtest"
	"rensa/pkg/removal"
	"rensa/pkg/report"
	"rensa/pkg/storage"
	"rensa/pkg/upload"
	"rensa/pkg/validate"
	"rensa/templates"
)

// staged is an upload of which each stage can be run by itself, block after block.
type staged struct {
	rules   *validate.Rules
	sheet   *upload.Sheet
	spool   *storage.Spool
	batches []*batch // checked, once check ran; decided, once decide did
	d       *decision
}

func openStaged(b *testing.B, text []byte) (*decode.File, []string) {
	b.Helper()
	f, err := decode.Open(bytes.NewReader(text), int64(len(text)), decode.Options{Limits: decode.DefaultLimits()})
	if err != nil {
		b.Fatal(err)
	}
	head, err := f.Sheets()[0].Head()
	if err != nil {
		b.Fatal(err)
	}
	return f, head[0].Cells
}

func newStaged(b *testing.B, rows int) *staged {
	b.Helper()
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	var text bytes.Buffer
	if err := processtest.Inventory(&text, rows, 1); err != nil {
		b.Fatal(err)
	}
	f, headings := openStaged(b, text.Bytes())
	res, err := inventory.Read(f.Sheets()[0], 1, headings, removal.KindManageFBA, inventory.ReadOptions{Date: now})
	if err != nil {
		b.Fatal(err)
	}
	text.Reset()
	if _, err := res.Snapshot.WriteTo(&text); err != nil {
		b.Fatal(err)
	}
	path := b.TempDir() + "/stock.snap"
	if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
		b.Fatal(err)
	}
	snapshot, err := inventory.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	set, err := policy.Load(nil)
	if err != nil {
		b.Fatal(err)
	}
	m := removal.Merchant{ID: "m", Profile: removal.Profile{
		HomeStore: "US", TimeZone: "UTC", Language: "en", Acceptance: removal.AcceptRow, Split: true,
		Resubmit: removal.ResubmitContinue, Policy: map[string]string{"cross_border": "any"},
	}}
	store, err := set.Store("US", now, m.Profile.Policy)
	if err != nil {
		b.Fatal(err)
	}
	s := &staged{
		rules: &validate.Rules{Merchant: m, Policy: set, Store: store, Snapshot: snapshot, Now: now, Source: "stages"},
		spool: storage.NewSpool(b.TempDir()),
	}
	if err := s.rules.Prepare(); err != nil {
		b.Fatal(err)
	}
	var up bytes.Buffer
	if err := (processtest.Upload{SKUs: rows, Rows: rows}).Write(&up); err != nil {
		b.Fatal(err)
	}
	f, headings = openStaged(b, up.Bytes())
	s.rules.Headings = len(headings)
	head, err := f.Sheets()[0].Head()
	if err != nil {
		b.Fatal(err)
	}
	if s.sheet, err = upload.ReadA("", head[0]); err != nil {
		b.Fatal(err)
	}
	reader, err := f.Sheets()[0].Rows(1)
	if err != nil {
		b.Fatal(err)
	}
	number, line := reader.First()
	for {
		c, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			b.Fatal(err)
		}
		t := &batch{number: len(s.batches), chunk: c}
		if err := c.Split(&t.block); err != nil {
			b.Fatal(err)
		}
		t.rows = s.sheet.Rows(&t.block, nil, false)
		number, line = t.block.Start(number, line)
		for i := range t.rows {
			t.rows[i].Number, t.rows[i].Line = t.block.Number(i), t.block.Line(i)
		}
		s.batches = append(s.batches, t)
	}
	return s
}

func (s *staged) close(b *testing.B) {
	if err := s.spool.Close(); err != nil {
		b.Fatal(err)
	}
	if err := s.rules.Snapshot.Close(); err != nil {
		b.Fatal(err)
	}
}

// check and decide are the first pass.
func (s *staged) check(b *testing.B) {
	for _, t := range s.batches {
		t.checked = resize(t.checked, len(t.rows))
		s.rules.Check(t.rows, t.checked, 0)
	}
}

type noPast struct{}

func (noPast) Families([]string) (map[string]*validate.Family, error) { return nil, nil }
func (noPast) Used([]string) (map[string]bool, error)                 { return nil, nil }
func (noPast) Matches(uint64) ([]*validate.Family, error)             { return nil, nil }

func (s *staged) decide(b *testing.B) {
	f := firstPass{rules: s.rules, grouper: upload.NewGrouper(), progress: func(int64, int64) {}, decision: decision{
		aligned: true, spool: s.spool, orders: &shelf{spool: s.spool},
		packed: waiting{spool: s.spool}, packedOrders: waiting{spool: s.spool},
	}}
	f.decider = validate.NewDecider(s.rules, validate.NewStock(s.rules.Snapshot), noPast{}, f.orders, f.emit)
	for _, t := range s.batches {
		if err := f.decide(t); err != nil {
			b.Fatal(err)
		}
		if err := f.pack(t); err != nil {
			b.Fatal(err)
		}
		if err := f.keep(t); err != nil {
			b.Fatal(err)
		}
	}
	if err := f.end(); err != nil {
		b.Fatal(err)
	}
	s.d = &f.decision
}

// link is what stands between the passes: rows and outcomes side by side.
func (s *staged) link(b *testing.B, u *uploadRun, set *report.Set) {
	u.open = map[int32]*decided{}
	r := u.d.reader()
	for _, t := range s.batches {
		if err := r.unpack(t); err != nil {
			b.Fatal(err)
		}
		if err := u.join(t); err != nil {
			b.Fatal(err)
		}
		set.Link(&t.part)
	}
}

type discarded struct{ io.Writer }

func (discarded) Close() error { return nil }

// BenchmarkStages are the stages of a block of rows, over all of them, on one core.
func BenchmarkStages(b *testing.B) {
	sizes := []int{10_000, 100_000}
	if n, err := strconv.Atoi(os.Getenv("RENSA_BENCH_ROWS")); err == nil {
		sizes = append(sizes, n)
	}
	for _, rows := range sizes {
		s := newStaged(b, rows)
		stage := func(name string, fn func()) {
			b.Run(fmt.Sprintf("%s/rows=%d", name, rows), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					fn()
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(rows), "ns/row")
			})
		}
		stage("rows", func() {
			for _, t := range s.batches {
				t.rows = s.sheet.Rows(&t.block, t.rows, false)
			}
		})
		// Each needs what those before it leave in the batches, also where one is asked
		// for by its name alone.
		s.check(b)
		stage("check", func() { s.check(b) })
		s.decide(b)
		stage("decide", func() { s.decide(b) })
		u := &uploadRun{
			p: &Processor{Options: Options{Policy: s.rules.Policy}}, what: &found{}, up: s.sheet, rules: s.rules, d: s.d,
			j:   &job{Request: Request{Merchant: "m"}, merchant: s.rules.Merchant, zone: time.UTC, texts: templates.Load("en")},
			run: ledger.Run{ID: "stages", Merchant: "m", Kind: removal.KindUpload},
		}
		in := &report.Input{
			Run: u.run, Merchant: s.rules.Merchant, Zone: time.UTC, Locate: s.sheet.Locate, Currency: "USD",
			Policy: s.rules.Policy, Texts: u.j.texts, TempDir: b.TempDir(), Snapshot: &report.Snapshot{ID: "s"},
		}
		set, err := report.NewSet(in, func(string) (io.WriteCloser, error) { return discarded{io.Discard}, nil },
			[]string{"result", "errors", "rejected", "orders", "summary"})
		if err != nil {
			b.Fatal(err)
		}
		s.link(b, u, set)
		stage("join", func() { s.link(b, u, set) })
		fnskus := func() {
			for _, t := range s.batches {
				u.findFNSKUs(t)
			}
		}
		fnskus()
		stage("fnskus", fnskus)
		format := func() {
			for _, t := range s.batches {
				set.Format(&t.part)
			}
		}
		format()
		stage("format", format)
		stage("orders", func() {
			m := newOrderMaker(s.rules, s.d.orders.ranks, removal.Order{Merchant: "m", Currency: "USD"}, nil, s.spool)
			for _, t := range s.batches {
				if err := m.pack(t); err != nil {
					b.Fatal(err)
				}
				if err := m.take(t); err != nil {
					b.Fatal(err)
				}
			}
			if _, err := m.end(); err != nil {
				b.Fatal(err)
			}
		})
		stage("movements", func() {
			m := u.newMovementMaker()
			for _, t := range s.batches {
				m.take(t)
			}
			if err := m.end(); err != nil {
				b.Fatal(err)
			}
		})
		if err := set.Abort(); err != nil {
			b.Fatal(err)
		}
		s.close(b)
	}
}
