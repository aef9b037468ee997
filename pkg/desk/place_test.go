package desk_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"rensa/pkg/desk"
	"rensa/pkg/ledger"
	"rensa/pkg/removal"
)

// TestLastUnit: of two placings of the last unit at the same time exactly one wins,
// a thousand times.
func TestLastUnit(t *testing.T) {
	t.Parallel()
	o := newOffice(t, func(p *removal.Profile) { p.ReleaseDelay = time.Hour })
	o.inventory(false, "A|X1|1|0")
	ctx := t.Context()
	for round := range 1000 {
		ids := [2]string{fmt.Sprintf("L-%d", round), fmt.Sprintf("R-%d", round)}
		for _, id := range ids {
			_, err := o.Create(ctx, desk.Draft{Merchant: merchantID, ID: id, Items: []desk.Item{{SKU: "A", Sellable: 1}}})
			must(t, err)
		}
		var errs [2]error
		var both sync.WaitGroup
		for i, id := range ids {
			both.Go(func() { _, errs[i] = o.Place(ctx, merchantID, id, "tester") })
		}
		both.Wait()
		winner, loser := 0, 1
		if errs[0] != nil {
			winner, loser = 1, 0
		}
		var not *desk.NotPlaced
		if errs[winner] != nil || !errors.As(errs[loser], &not) {
			t.Fatalf("round %d: %v, %v", round, errs[0], errs[1])
		}
		_, err := o.Cancel(ctx, merchantID, desk.CancelRequest{Order: ids[winner], Actor: "tester"})
		must(t, err)
		must(t, o.Discard(ctx, merchantID, ids[loser], "tester"))
	}
}

// TestReview: items, quantities, fee, window and problems before anything is placed.
func TestReview(t *testing.T) {
	t.Parallel()
	o := newOffice(t, func(p *removal.Profile) {
		p.ReturnAddress = removal.Address{Name: "Anna Öberg", Line1: "Storgatan 1", City: "Ystad", PostalCode: "271 41", Country: "SE"}
	})
	ctx := t.Context()
	_, err := o.Search(ctx, merchantID, "thing", 5)
	if !errors.Is(err, desk.ErrNoSnapshot) {
		t.Errorf("without stock: %v", err)
	}
	o.inventory(false, "A|X1|5|2", "B|X2|7|0")
	d, err := o.Create(ctx, desk.Draft{Merchant: merchantID, Method: removal.Return, Items: []desk.Item{{SKU: "A", Sellable: 4, Unsellable: 1}, {SKU: "B", Sellable: 9}}})
	must(t, err)
	want(t, "address", d.Address.City, "Ystad")
	if !strings.HasPrefix(d.ID, "R261120-") || len(d.ID) != 16 {
		t.Errorf("generated id %q", d.ID)
	}
	r, err := o.Review(ctx, merchantID, d.ID)
	must(t, err)
	want(t, "placeable", r.Placeable, false)
	want(t, "first problem", r.Problems[0].Code, removal.QuantityOverStock)
	want(t, "whose", r.Problems[0].SKU, "B")
	want(t, "refused items", r.Items[1].Refused && !r.Items[0].Refused, true)
	want(t, "days", r.Window.MaxDays, 30) // November is busy
	_, err = o.ChangeItem(ctx, merchantID, d.ID, "tester", desk.Item{SKU: "B", Sellable: 7})
	must(t, err)
	r, err = o.Review(ctx, merchantID, d.ID)
	must(t, err)
	want(t, "placeable", r.Placeable, true)
	want(t, "title", r.Items[0].Title, "Thing A")
	want(t, "what is available before", o.available("A"), [2]int64{5, 2})
	placed, err := o.Place(ctx, merchantID, d.ID, "tester")
	must(t, err)
	want(t, "state", placed[0].State, removal.StatePlanning)
	want(t, "what is available after", o.available("A"), [2]int64{1, 1})
	if _, err := o.Create(ctx, desk.Draft{Merchant: merchantID, ID: d.ID}); !errors.Is(err, ledger.ErrExists) {
		t.Errorf("an id that is used: %v", err)
	}
	empty, err := o.Create(ctx, desk.Draft{Merchant: merchantID, ID: "EMPTY"})
	must(t, err)
	var not *desk.NotPlaced
	if _, err = o.Place(ctx, merchantID, empty.ID, "tester"); !errors.As(err, &not) {
		t.Errorf("a draft without items: %v", err)
	}
	for _, bad := range []desk.Draft{
		{ID: strings.Repeat("x", 41)}, {ID: "a\tb"}, {ID: "N", Items: []desk.Item{{SKU: "A", Sellable: -1}}}, {ID: "N", Items: []desk.Item{{}}},
	} {
		bad.Merchant = merchantID
		if _, err := o.Create(ctx, bad); !errors.Is(err, desk.ErrValue) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

// TestCrossBorder: a return across the border is refused at placing and answered
// with a file; once the file is taken in, the draft is gone.
func TestCrossBorder(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	o.inventory(false, "A|X1|5|2")
	ctx := t.Context()
	_, err := o.Create(ctx, desk.Draft{
		Merchant: merchantID, ID: "NORTH", Method: removal.Return, Items: []desk.Item{{SKU: "A", Sellable: 2}},
		Address: removal.Address{Name: "Bo", Line1: "Strandvej 2", City: "Helsingør", PostalCode: "3000", Country: "DK"},
	})
	must(t, err)
	var not *desk.NotPlaced
	if _, err = o.Place(ctx, merchantID, "NORTH", "tester"); !errors.As(err, &not) || !not.Review.UploadRequired {
		t.Fatalf("placing: %v", err)
	}
	r, err := o.drop(not.Review.UploadName, string(not.Review.Upload))
	must(t, err)
	want(t, "exit code", r.ExitCode, 0)
	if _, err := o.Draft(ctx, merchantID, "NORTH"); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("the draft: %v", err)
	}
	want(t, "source", o.order("NORTH").Source, removal.SourceUpload)
	// With something else wrong there is no file.
	_, err = o.Create(ctx, desk.Draft{
		Merchant: merchantID, ID: "TOO-MANY", Method: removal.Return, Items: []desk.Item{{SKU: "A", Sellable: 9}},
		Address: removal.Address{Name: "Bo", Line1: "Strandvej 2", City: "Helsingør", PostalCode: "3000", Country: "DK"},
	})
	must(t, err)
	review, err := o.Review(ctx, merchantID, "TOO-MANY")
	must(t, err)
	want(t, "upload", review.UploadRequired || review.Upload != nil, false)
}

// TestRelease: at most the policy's MSKUs a file, each order in exactly one, never
// twice, also where files could not be written at first.
func TestRelease(t *testing.T) {
	t.Parallel()
	o := newOffice(t, func(p *removal.Profile) {
		p.ReleaseDelay = time.Hour
		p.Policy = map[string]string{"max_skus_per_file": "2"}
	})
	o.inventory(false, "A|X1|50|0", "B|X2|50|0", "C|X3|50|0")
	ctx := t.Context()
	o.placed("O-1", desk.Item{SKU: "A", Sellable: 1}, desk.Item{SKU: "B", Sellable: 1})
	o.placed("O-2", desk.Item{SKU: "C", Sellable: 1})
	o.placed("O-3", desk.Item{SKU: "C", Sellable: 1}, desk.Item{SKU: "A", Sellable: 1})
	r, err := o.ReleaseDue(ctx, merchantID)
	must(t, err)
	want(t, "before its time", r.Orders, 0)
	o.wait(time.Hour)
	// A crash after the commit: the folder of outgoing files cannot be written.
	outbound := o.root + "/outbound"
	must(t, os.RemoveAll(outbound))
	must(t, os.WriteFile(outbound, nil, 0o600))
	if _, err = o.ReleaseDue(ctx, merchantID); err == nil {
		t.Error("a file was written where none can be")
	}
	want(t, "state", o.order("O-2").State, removal.StatePending)
	must(t, os.Remove(outbound))
	again, err := o.ReleaseDue(ctx, merchantID)
	must(t, err)
	want(t, "a second time", again.Orders, 0)
	files, err := o.ledger.OrderFiles(ctx, merchantID, true)
	must(t, err)
	want(t, "files", len(files), 2)
	seen := map[string]int{}
	for _, f := range files {
		body, err := os.ReadFile(outbound + "/" + merchantID + "/" + f.Name)
		must(t, err)
		skus := map[string]bool{}
		for _, line := range strings.Split(strings.TrimSpace(string(body)), "\r\n")[1:] {
			c := strings.Split(line, "\t")
			seen[c[0]]++
			skus[c[12]] = true
		}
		if len(skus) > 2 {
			t.Errorf("%s holds %d SKUs", f.Name, len(skus))
		}
		if _, err := os.Stat(outbound + "/" + merchantID + "/" + f.Name + ".manifest.json"); err != nil {
			t.Error(err)
		}
	}
	want(t, "rows of all files", fmt.Sprint(seen), "map[O-1:2 O-2:1 O-3:2]")
}

// TestUnreadable: characters that an upload may not hold make a draft unfit too, each
// field told of once; tabs are written as blanks.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	o.inventory(false, "A|X1|5|2", "B|X2|7|0")
	d, err := o.Create(t.Context(), desk.Draft{
		Merchant: merchantID, ID: "R\a1", Method: removal.Return, Items: []desk.Item{{SKU: "A", Sellable: 1}, {SKU: "B", Sellable: 1}},
		Address: removal.Address{Name: "An\tna", Line1: "Storgatan\x01 1", City: "Y\ufffdstad", PostalCode: "271 41", Country: "SE"},
	})
	must(t, err)
	r, err := o.Review(t.Context(), merchantID, d.ID)
	must(t, err)
	var fields []removal.Field
	for _, p := range r.Problems {
		want(t, "code", p.Code, removal.TextDamaged)
		fields = append(fields, p.Field)
	}
	want(t, "fields", fmt.Sprint(fields), fmt.Sprint([]removal.Field{removal.FieldOrderID, removal.FieldLine1, removal.FieldCity}))
	want(t, "placeable", r.Placeable, false)
}
