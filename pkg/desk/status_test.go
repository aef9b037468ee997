package desk_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"rensa/pkg/desk"
	"rensa/pkg/removal"
)

// row is a row of Order Detail about SKU A, sellable.
func row(o *office, id string, status removal.State, requested, cancelled, disposed, shipped, inProcess int64) removal.OrderDetailLine {
	return removal.OrderDetailLine{
		Row: 2, OrderID: id, RequestDate: o.now().Add(-time.Minute), LastUpdated: o.now(), Type: "Disposal", Status: status, SKU: "A", FNSKU: "X1",
		Requested: requested, Cancelled: cancelled, Disposed: disposed, Shipped: shipped, InProcess: inProcess,
	}
}

func (o *office) detail(rows ...removal.OrderDetailLine) ([]removal.Problem, desk.Counts) {
	o.t.Helper()
	problems, counts, err := o.ApplyOrderDetail(o.t.Context(), merchantID, "run", rows)
	must(o.t, err)
	return problems, counts
}

// TestCancelLate: a request, and a status file that makes it cancelled in part.
func TestCancelLate(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	o.inventory(false, "A|X1|10|0")
	o.sent("O", desk.Item{SKU: "A", Sellable: 6})
	r, err := o.Cancel(t.Context(), merchantID, desk.CancelRequest{Order: "O", Actor: "tester"})
	must(t, err)
	want(t, "outcome", r.Outcome, desk.CancelRequested)
	body, err := os.ReadFile(o.root + "/outbound/" + merchantID + "/" + r.File)
	must(t, err)
	want(t, "cancel file", string(body), "order-id\r\nO\r\n")
	want(t, "available", o.available("A")[0], 4)
	o.wait(time.Hour)
	o.detail(row(o, "O", removal.StateCancelled, 6, 4, 0, 2, 0))
	rec := o.order("O")
	want(t, "state", rec.State, removal.StateCancelled)
	want(t, "shipped", rec.Lines[0].Sellable.Shipped, 2)
	want(t, "asked", rec.CancelRequested, false)
	want(t, "available", o.available("A")[0], 8)
	r, err = o.Cancel(t.Context(), merchantID, desk.CancelRequest{Order: "O", Actor: "tester"})
	must(t, err)
	want(t, "outcome", r.Outcome, desk.CancelTooLate)
	want(t, "code", r.Problem.Code, removal.CancelTooLate)
}

// TestCancelQuoted: ids and SKUs that begin with a quote are the same when the cancel
// file is read.
func TestCancelQuoted(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	o.inventory(false, `"""XL"" mug"|X1|10|0`)
	o.sent(`"O"`, desk.Item{SKU: `"XL" mug`, Sellable: 6})
	r, err := o.Cancel(t.Context(), merchantID, desk.CancelRequest{Order: `"O"`, SKU: `"XL" mug`, Actor: "tester"})
	must(t, err)
	body, err := os.ReadFile(o.root + "/outbound/" + merchantID + "/" + r.File)
	must(t, err)
	want(t, "cancel file", string(body), "order-id\tsku\r\n\"\"\"O\"\"\"\t\"\"\"XL\"\" mug\"\r\n")
}

// TestCancelPolicy: the states in which a store allows it count, and required
// orders cannot be cancelled.
func TestCancelPolicy(t *testing.T) {
	t.Parallel()
	o := newOffice(t, func(p *removal.Profile) { p.Policy = map[string]string{"cancel_in": "planning|pending"} })
	o.inventory(false, "A|X1|10|0")
	o.sent("O", desk.Item{SKU: "A", Sellable: 6})
	must(t, o.SetStatus(t.Context(), merchantID, "O", removal.StateProcessing, "tester"))
	r, err := o.Cancel(t.Context(), merchantID, desk.CancelRequest{Order: "O", Actor: "tester"})
	must(t, err)
	want(t, "outcome", r.Outcome, desk.CancelForbidden)
	line := row(o, "MUST", removal.StatePending, 1, 0, 0, 0, 1)
	line.Source = "Required removal"
	_, counts := o.detail(line)
	want(t, "made elsewhere", counts.External, 1)
	r, err = o.Cancel(t.Context(), merchantID, desk.CancelRequest{Order: "MUST", Actor: "tester"})
	must(t, err)
	want(t, "outcome", r.Outcome, desk.CancelForbidden)
	plan, err := o.CancelList(t.Context(), merchantID, "", "tester", "list.csv", []removal.CancelLine{
		{Row: 2, OrderID: "NONE"}, {Row: 3, OrderID: "O", SKU: "Z"}, {Row: 4, OrderID: "O"},
	})
	must(t, err)
	for i, code := range []removal.Code{removal.InputRowBad, removal.InputRowBad, removal.CancelForbidden} {
		want(t, "code", plan.Problems[i].Code, code)
		want(t, "row", plan.Problems[i].Row, i+2)
	}
}

// TestUnknownOrder: an order that was made elsewhere comes in and takes stock; its
// parcels may have been told of before.
func TestUnknownOrder(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	o.inventory(false, "A|X1|10|0")
	snapshot := o.now()
	o.wait(24 * time.Hour)
	_, counts, err := o.ApplyShipmentDetail(t.Context(), merchantID, "run", []removal.ShipmentLine{
		{Row: 2, OrderID: "E", SKU: "A", Shipped: 2, ShipmentDate: snapshot.Add(-time.Hour), Carrier: "DHL", Tracking: "1"},
		{Row: 3, OrderID: "E", SKU: "A", Shipped: 1, ShipmentDate: snapshot.Add(time.Hour), Carrier: "DHL", Tracking: "2"},
	})
	must(t, err)
	want(t, "kept", counts.Kept, 2)
	problems, _ := o.detail(row(o, "E", removal.StateProcessing, 6, 0, 0, 3, 3))
	want(t, "code", problems[0].Code, removal.StatusExternalOrder)
	rec := o.order("E")
	want(t, "source", rec.Source, removal.SourceExternal)
	want(t, "state", rec.State, removal.StateProcessing)
	// 3 open and the one that left after the snapshot count.
	want(t, "available", o.available("A")[0], 6)
	history, err := o.ledger.History(t.Context(), merchantID, "E")
	must(t, err)
	want(t, "events", len(history), 3)
}

// TestGrownOrder: lines that an order made elsewhere gets later come with their fees,
// and with none where the file has none.
func TestGrownOrder(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	o.inventory(false, "A|X1|10|0", "B|X2|10|5", "C|X3|10|0")
	first := row(o, "E", removal.StatePending, 6, 0, 0, 0, 6)
	o.detail(first)
	want(t, "lines without a figure", o.order("E").NoFee, 1)
	line := func(sku, fnsku string, c removal.Condition, fee removal.Amount) removal.OrderDetailLine {
		l := row(o, "E", removal.StatePending, 2, 0, 0, 0, 2)
		l.SKU, l.FNSKU, l.Condition, l.Fee, l.HasFee = sku, fnsku, c, fee, fee > 0
		return l
	}
	o.detail(first, line("B", "X2", removal.Sellable, 3_0000), line("B", "X2", removal.Unsellable, 2_0000), line("C", "X3", removal.Sellable, 0))
	rec := o.order("E")
	want(t, "lines", len(rec.Lines), 3)
	want(t, "fee", rec.Fee, 5_0000)
	want(t, "fee of the line", rec.Lines[1].Fee, 5_0000)
	want(t, "lines without a figure", rec.NoFee, 2)
	want(t, "reason", rec.NoFeeReason, "rate_unknown")
}

// TestUnbalanced: rows that do not add up, or do not fit, are kept once and not applied.
func TestUnbalanced(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	o.inventory(false, "A|X1|10|0")
	o.sent("O", desk.Item{SKU: "A", Sellable: 6})
	for range 2 {
		problems, counts := o.detail(row(o, "O", removal.StateCompleted, 6, 1, 0, 2, 0))
		want(t, "code", problems[0].Code, removal.StatusUnbalanced)
		want(t, "applied", counts.Applied, 0)
	}
	o.detail(row(o, "O", removal.StateCompleted, 5, 0, 0, 5, 0)) // not what was asked for
	rec := o.order("O")
	want(t, "state", rec.State, removal.StatePending)
	want(t, "shipped", rec.Lines[0].Sellable.Shipped, 0)
	history, err := o.ledger.History(t.Context(), merchantID, "O")
	must(t, err)
	kept := 0
	for _, e := range history {
		if e.What == "status_unbalanced" {
			kept++
		}
	}
	want(t, "kept", kept, 2)
}

// TestSnapshotKnows: a snapshot that leaves open orders out counts those that the
// marketplace knew when it was made, and only those.
func TestSnapshotKnows(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	o.inventory(false, "A|X1|10|0")
	o.sent("O", desk.Item{SKU: "A", Sellable: 4})
	o.wait(time.Hour)
	o.inventory(true, "A|X1|6|0")
	want(t, "nobody has confirmed it", o.available("A")[0], 2)
	o.wait(time.Hour)
	line := row(o, "O", removal.StatePending, 4, 0, 0, 0, 4)
	line.RequestDate = noon.Add(30 * time.Minute)
	o.detail(line)
	want(t, "confirmed before the snapshot", o.available("A")[0], 6)
	o.wait(time.Hour)
	line = row(o, "O", removal.StateProcessing, 4, 0, 1, 0, 3)
	line.RequestDate = noon.Add(30 * time.Minute)
	o.detail(line)
	want(t, "one has left since", o.available("A")[0], 5)
	o.inventory(false, "A|X1|9|0")
	want(t, "a snapshot that shows open orders", o.available("A")[0], 6)
}

// TestProcessingReport: by its name, or to the only file without an answer; one
// order, or all of the file.
func TestProcessingReport(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	o.inventory(false, "A|X1|10|0", "B|X2|10|0")
	ctx := t.Context()
	report := func(name string, lines ...removal.ProcessingLine) []removal.Problem {
		t.Helper()
		problems, _, err := o.ApplyProcessingReport(ctx, merchantID, "run", removal.ProcessingReport{FileName: name, Processed: 2, Successful: 1, Lines: lines})
		must(t, err)
		return problems
	}
	bad := func(n int, sku string) removal.ProcessingLine {
		return removal.ProcessingLine{RecordNumber: n, SKU: sku, Code: "7", Type: "Error", Message: "no"}
	}
	want(t, "no file yet", report("x.txt", bad(1, "A"))[0].Code, removal.ReportUnmatched)
	o.placed("O-1", desk.Item{SKU: "A", Sellable: 1})
	first := o.sent("O-2", desk.Item{SKU: "B", Sellable: 3})
	second := o.sent("O-3", desk.Item{SKU: "A", Sellable: 2})
	want(t, "two files without an answer", report("x.txt", bad(1, "A"))[0].Code, removal.ReportUnmatched)
	report(first, bad(3, "ELSEWHERE"))
	want(t, "what the file did not hold", o.order("O-1").State, removal.StatePending)
	want(t, "nor does it refuse the rest", o.order("O-2").State, removal.StatePending)
	report("answer to "+strings.TrimSuffix(first, ".tsv")+".txt", bad(2, "B"))
	want(t, "named by its row", o.order("O-2").State, removal.StateRefused)
	want(t, "the other", o.order("O-1").State, removal.StatePending)
	want(t, "units come back", o.available("B")[0], 10)
	report("the only one left.txt", bad(100001, "-"))
	want(t, "all of the file", o.order("O-3").State, removal.StateRefused)
	files, err := o.ledger.OrderFiles(ctx, merchantID, true)
	must(t, err)
	want(t, "without an answer", len(files), 0)
	report(second, bad(100001, "-"))
	want(t, "again", o.order("O-3").State, removal.StateRefused)
	// The id may be used again.
	o.placed("O-2", desk.Item{SKU: "B", Sellable: 1})
	want(t, "used again", o.order("O-2").State, removal.StatePlanning)
}
