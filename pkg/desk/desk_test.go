package desk_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"rensa/pkg/decode"
	"rensa/pkg/desk"
	"rensa/pkg/ledger"
	"rensa/pkg/policy"
	"rensa/pkg/process"
	"rensa/pkg/removal"
)

const merchantID = "m"

// noon is when tests begin.
var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// office is a workspace of one merchant with its desk.
type office struct {
	*desk.Desk
	t         testing.TB
	root      string
	ledger    *ledger.Ledger
	processor *process.Processor
	policy    *policy.Set
	mu        sync.Mutex
	clock     time.Time
	files     int
}

func (o *office) now() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.clock
}

func (o *office) wait(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.clock = o.clock.Add(d)
}

var policySet = sync.OnceValues(func() (*policy.Set, error) { return policy.Load(nil) })

func newOffice(t testing.TB, change func(*removal.Profile)) *office {
	t.Helper()
	o := &office{t: t, root: t.TempDir(), clock: noon}
	var err error
	o.ledger, err = ledger.Open(t.Context(), filepath.Join(o.root, "rensa.db"), ledger.Options{Now: o.now})
	must(t, err)
	o.policy, err = policySet()
	must(t, err)
	p := removal.Profile{
		HomeStore: "SE", Language: "en", TimeZone: "Europe/Stockholm", DefaultMethod: removal.Disposal,
		Acceptance: removal.AcceptRow, Split: true, Resubmit: removal.ResubmitContinue,
	}
	if change != nil {
		change(&p)
	}
	must(t, o.ledger.AddMerchant(t.Context(), removal.Merchant{ID: merchantID, Profile: p}))
	o.processor, err = process.New(process.Options{
		Ledger: o.ledger, Policy: o.policy, Root: o.root, Now: o.now, Limits: decode.DefaultLimits(), Log: zerolog.Nop(),
	})
	must(t, err)
	o.Desk = o.processor.Desk()
	t.Cleanup(func() {
		if err := o.processor.Close(); err != nil {
			t.Error(err)
		}
		if err := o.ledger.Close(); err != nil {
			t.Error(err)
		}
	})
	return o
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// drop takes in a file.
func (o *office) drop(name, content string) (*process.Result, error) {
	o.files++
	path := filepath.Join(o.root, fmt.Sprintf("dropped-%d", o.files))
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		return nil, err
	}
	r, err := o.processor.Process(context.Background(), process.Request{Merchant: merchantID, Path: path, Name: name, AsOf: o.now(), Actor: "tester", Force: true})
	if e := os.Remove(path); err == nil {
		err = e
	}
	return r, err
}

// inventory takes in stock, a line "SKU|FNSKU|sellable|unsellable" an item.
func (o *office) inventory(excluded bool, lines ...string) {
	o.t.Helper()
	var b strings.Builder
	b.WriteString("snapshot-date\tsku\tfnsku\tdisposition\tquantity\topen-removals-excluded\tproduct-name\r\n")
	answer := map[bool]string{true: "yes", false: "no"}[excluded]
	for _, l := range lines {
		c := strings.Split(l, "|")
		for i, disposition := range []string{"sellable", "unsellable"} {
			fmt.Fprintf(&b, "%s\t%s\t%s\t%s\t%s\t%s\tThing %s\r\n", o.now().Format(time.RFC3339), c[0], c[1], disposition, c[2+i], answer, c[0])
		}
	}
	r, err := o.drop("inventory.tsv", b.String())
	must(o.t, err)
	if r.ExitCode != 0 {
		o.t.Fatalf("inventory: exit code %d: %+v", r.ExitCode, r.Problems)
	}
}

// order gives one order.
func (o *office) order(id string) ledger.Record {
	o.t.Helper()
	found, err := o.ledger.Records(o.t.Context(), merchantID, []string{id})
	must(o.t, err)
	if len(found) != 1 {
		o.t.Fatalf("order %s: %d found", id, len(found))
	}
	return found[0]
}

// available is what of a SKU can be had now.
func (o *office) available(sku string) [2]int64 {
	o.t.Helper()
	found, err := o.Search(o.t.Context(), merchantID, sku, 10)
	must(o.t, err)
	for _, f := range found {
		if f.SKU == sku {
			return [2]int64{f.Sellable, f.Unsellable}
		}
	}
	o.t.Fatalf("%s is not in stock", sku)
	return [2]int64{}
}

// placed makes and places a disposal.
func (o *office) placed(id string, items ...desk.Item) {
	o.t.Helper()
	_, err := o.Create(o.t.Context(), desk.Draft{Merchant: merchantID, ID: id, Items: items})
	must(o.t, err)
	_, err = o.Place(o.t.Context(), merchantID, id, "tester")
	must(o.t, err)
}

// sent places an order and hands it on.
func (o *office) sent(id string, items ...desk.Item) string {
	o.t.Helper()
	o.placed(id, items...)
	r, err := o.ReleaseDue(o.t.Context(), merchantID)
	must(o.t, err)
	if len(r.Files) != 1 {
		o.t.Fatalf("%d files went out", len(r.Files))
	}
	return r.Files[0].Name
}

func want[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}
