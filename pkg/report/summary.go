package report

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
	"rensa/templates"
)

// Summary is summary.json: what scripts, pages and commands read of a run. Its
// keys are stable; keys may be added.
type Summary struct {
	RunID         string           `json:"run_id"`
	Merchant      string           `json:"merchant"`
	FileName      string           `json:"file_name"`
	SHA256        string           `json:"sha256"`
	Bytes         int64            `json:"bytes"`
	Kind          string           `json:"kind"`
	Layout        string           `json:"layout"`
	Encoding      string           `json:"encoding"`
	Delimiter     string           `json:"delimiter"`
	Container     string           `json:"container"`
	Sheet         string           `json:"sheet"`
	Snapshot      *SnapshotSummary `json:"snapshot"`
	PolicyVersion string           `json:"policy_version"`
	Acceptance    string           `json:"acceptance,omitempty"`
	Started       string           `json:"started"`
	Finished      string           `json:"finished"`
	Rows          RowCounts        `json:"rows"`
	Orders        OrderCounts      `json:"orders"`
	Units         UnitCounts       `json:"units"`
	Fees          FeeSum           `json:"fees"`
	// Problems counts by code, infos too; an order's problem counts once.
	Problems map[string]int    `json:"problems"`
	Files    []File            `json:"files"`
	Outbound []OutboundSummary `json:"outbound"`
	// Changes are what a file about orders did to them; absent for other kinds.
	Changes *Changes `json:"changes,omitempty"`

	counts   [256]int
	finished time.Time
}

// Changes counts what the rows of a status file or cancel list did.
type Changes struct {
	Applied   int64 `json:"applied"`   // rows that changed something
	Unchanged int64 `json:"unchanged"` // rows that were known already, or are older than what is known
	Kept      int64 `json:"kept"`      // rows kept in the history and not applied
	Orders    int64 `json:"orders"`    // orders that changed
	External  int64 `json:"external"`  // those among them that were made elsewhere and are new here
}

// SnapshotSummary names the stock that rows were checked against.
type SnapshotSummary struct {
	ID   string `json:"id"`
	Date string `json:"date"`
}

// RowCounts always add up: read = accepted + rejected + seen.
type RowCounts struct {
	Read     int64 `json:"read"`
	Accepted int64 `json:"accepted"`
	Rejected int64 `json:"rejected"`
	Seen     int64 `json:"seen"`
}

// OrderCounts counts orders: accepted ones have at least one accepted row.
type OrderCounts struct {
	Accepted int64 `json:"accepted"`
	Refused  int64 `json:"refused"`
}

// UnitCounts are the units of both conditions.
type UnitCounts struct {
	Sellable   UnitSum `json:"sellable"`
	Unsellable UnitSum `json:"unsellable"`
}

// UnitSum is what all rows asked for, and what was accepted.
type UnitSum struct {
	Requested int64 `json:"requested"`
	Accepted  int64 `json:"accepted"`
}

// FeeSum is the estimate for all accepted lines that have a figure.
type FeeSum struct {
	Amount             removal.Amount `json:"amount"`
	Currency           string         `json:"currency"`
	LinesWithoutFigure int64          `json:"lines_without_figure"`
	// Reasons says why, in the words of package policy, with the lines of each.
	Reasons map[string]int `json:"reasons"`
}

// OutboundSummary is one file to be handed on.
type OutboundSummary struct {
	File   string   `json:"file"`
	SHA256 string   `json:"sha256"`
	Orders []string `json:"orders"`

	// List, where it is set, gives them as a JSON array in place of Orders, Listed
	// of them.
	List   func() ([]byte, error) `json:"-"`
	Listed int                    `json:"-"`
}

// Number is how many orders the file has.
func (o *OutboundSummary) Number() int { return o.Listed + len(o.Orders) }

// MarshalJSON implements json.Marshaler.
func (o OutboundSummary) MarshalJSON() ([]byte, error) {
	type plain OutboundSummary
	if o.List == nil {
		return json.Marshal(plain(o))
	}
	list, err := o.List()
	if err != nil {
		return nil, err
	}
	return json.Marshal(struct {
		plain
		Orders json.RawMessage `json:"orders"`
	}{plain(o), list})
}

// indented is what json.MarshalIndent makes of it.
func (o *OutboundSummary) indented(indent string) ([]byte, error) {
	if o.List == nil {
		return json.MarshalIndent(o, indent, "  ")
	}
	list, err := o.List()
	if err != nil {
		return nil, err
	}
	return List(list).Object(&OutboundSummary{File: o.File, SHA256: o.SHA256, Orders: []string{}}, indent)
}

func newSummary(in *Input) *Summary {
	run := &in.Run
	s := &Summary{
		RunID: run.ID, Merchant: run.Merchant, FileName: run.FileName, SHA256: run.SHA256,
		Bytes: run.Bytes, Kind: string(run.Kind), Layout: run.Layout, Encoding: run.Encoding,
		Delimiter: run.Delimiter, Container: run.Container, Sheet: run.Sheet,
		PolicyVersion: run.PolicyVersion,
		Acceptance:    string(run.Acceptance),
		Started:       in.time(run.Started),
		Rows: RowCounts{
			Read: int64(run.Read), Accepted: int64(run.Accepted),
			Rejected: int64(run.Rejected), Seen: int64(run.Seen),
		},
		Orders:   OrderCounts{Accepted: int64(run.OrdersAccepted), Refused: int64(run.OrdersRefused)},
		Fees:     FeeSum{Currency: in.Currency, Reasons: map[string]int{}},
		Problems: map[string]int{}, Files: []File{}, Outbound: []OutboundSummary{},
	}
	s.Changes = in.Changes
	if snap := in.snapshot(); snap != nil {
		s.Snapshot = &SnapshotSummary{ID: snap.ID, Date: in.snapshotDate(snap, time.RFC3339)}
	}
	for i := range in.FileProblems {
		s.counts[in.FileProblems[i].Code]++
	}
	return s
}

// WhyNoFigure puts the reasons into words, the most frequent first.
func (f *FeeSum) WhyNoFigure(texts *templates.Texts) string {
	var all []string
	for _, reason := range slices.SortedFunc(maps.Keys(f.Reasons), func(a, b string) int {
		return cmp.Or(f.Reasons[b]-f.Reasons[a], strings.Compare(a, b))
	}) {
		all = append(all, texts.T("word.nofee."+reason))
	}
	return strings.Join(all, "; ")
}

func (in *Input) zone() *time.Location {
	if in.Zone == nil {
		return time.UTC
	}
	return in.Zone
}

// time writes a moment to the second, in the merchant's zone; "" for none.
func (in *Input) time(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(in.zone()).Format(time.RFC3339)
}

func (in *Input) snapshot() *Snapshot {
	if in.Snapshot != nil {
		return in.Snapshot
	}
	if in.Run.SnapshotID == "" {
		return nil
	}
	return &Snapshot{ID: in.Run.SnapshotID, Date: in.Run.SnapshotDate, DateHasTime: true}
}

// snapshotDate writes the snapshot's date with its time where it has one.
func (in *Input) snapshotDate(s *Snapshot, layout string) string {
	if s.Date.IsZero() {
		return ""
	}
	if !s.DateHasTime {
		layout = time.DateOnly
	}
	return s.Date.In(in.zone()).Format(layout)
}

// partSum is what the rows of one part add to the summary.
type partSum struct {
	counts             [256]int32 // problems by code
	units              UnitCounts
	fees               removal.Amount
	linesWithoutFigure int64
	reasons            []reasonLines
}

// reasonLines are accepted lines without a figure, by the reason of their order.
type reasonLines struct {
	reason string
	lines  int
}

func (s *partSum) add(e *entry) {
	o := e.Outcome
	if e.first && e.order.NoFee > 0 && e.order.NoFeeReason != "" {
		s.addReason(e.order.NoFeeReason, e.order.NoFee)
	}
	s.units.Sellable.Requested += o.Sellable
	s.units.Unsellable.Requested += o.Unsellable
	for i := range e.problems {
		s.counts[e.problems[i].Code]++
	}
	if o.Status != removal.Accepted {
		return
	}
	s.units.Sellable.Accepted += o.TakenSellable
	s.units.Unsellable.Accepted += o.TakenUnsellable
	if o.HasFee {
		s.fees += o.Fee
	} else {
		s.linesWithoutFigure++
	}
}

func (s *partSum) addReason(reason string, lines int) {
	for i := range s.reasons { // there are few
		if s.reasons[i].reason == reason {
			s.reasons[i].lines += lines
			return
		}
	}
	s.reasons = append(s.reasons, reasonLines{reason, lines})
}

// add counts the rows of a part. Counts of rows and orders are the run's; the rest
// is summed here.
func (s *Summary) add(p *partSum) {
	for c, n := range p.counts {
		s.counts[c] += int(n)
	}
	s.Units.Sellable.add(p.units.Sellable)
	s.Units.Unsellable.add(p.units.Unsellable)
	s.Fees.Amount += p.fees
	s.Fees.LinesWithoutFigure += p.linesWithoutFigure
	for _, r := range p.reasons {
		s.Fees.Reasons[r.reason] += r.lines
	}
}

func (u *UnitSum) add(more UnitSum) {
	u.Requested += more.Requested
	u.Accepted += more.Accepted
}

// end adds what is known when all rows are through.
func (s *Summary) end(in *Input, finished time.Time, outbound []ledger.Outbound) {
	s.finished, s.Finished = finished, in.time(finished)
	for _, o := range outbound {
		orders := o.Orders
		if orders == nil {
			orders = []string{}
		}
		s.Outbound = append(s.Outbound, OutboundSummary{File: o.Name, SHA256: o.SHA256, Orders: orders, List: o.List, Listed: o.Listed})
	}
	for c, n := range s.counts {
		if n > 0 {
			s.Problems[removal.Code(c).String()] = n
		}
	}
}

func writeSummary(s *Summary, create Create) (File, error) {
	f, err := newFile(FileName(Summaries), create)
	if err != nil {
		return File{}, err
	}
	if err := s.write(f); err != nil {
		return File{}, errors.Join(err, f.close())
	}
	if err := f.close(); err != nil {
		return File{}, err
	}
	return f.file(), nil
}

// write writes the summary, its outgoing files one by one: a large upload's name half
// a million orders.
func (s *Summary) write(w io.Writer) error {
	plain := *s
	plain.Outbound = []OutboundSummary{}
	text, err := json.MarshalIndent(&plain, "", "  ")
	if err != nil {
		return err
	}
	// A line break inside a value would be escaped: this one stands before the key.
	const key = "\n  \"outbound\": ["
	head, tail, _ := bytes.Cut(text, []byte(key))
	out := append(slices.Clip(head), key...)
	for i := range s.Outbound {
		if i > 0 {
			out = append(out, ',')
		}
		if _, err := w.Write(append(out, "\n    "...)); err != nil {
			return err
		}
		if out, err = s.Outbound[i].indented("    "); err != nil {
			return err
		}
	}
	if len(s.Outbound) > 0 {
		out = append(out, "\n  "...)
	}
	_, err = w.Write(append(append(out, tail...), '\n'))
	return err
}
