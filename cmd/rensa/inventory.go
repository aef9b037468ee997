package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rensa/pkg/desk"
	"rensa/pkg/inventory"
	"rensa/pkg/ledger"
	"rensa/pkg/removal"
)

func (a *app) inventoryCommand() *cobra.Command {
	return a.group("inventory", "cli.about.inventory", a.inventoryShow())
}

func (a *app) inventoryShow() *cobra.Command {
	return &cobra.Command{
		Use: "show [SKU]", Short: a.t("cli.about.inventory_show"), Args: a.wants(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.showInventory(cmd.Context(), args)
		},
	}
}

// conditions are quantities by condition in an answer.
type conditions struct {
	Sellable   int64 `json:"sellable"`
	Unsellable int64 `json:"unsellable"`
}

func (c conditions) less(d conditions) conditions {
	return conditions{c.Sellable - d.Sellable, c.Unsellable - d.Unsellable}
}

type snapshotDocument struct {
	ID         string       `json:"id"`
	Date       string       `json:"date"`
	Kind       removal.Kind `json:"kind"`
	SKUs       int64        `json:"skus"`
	Pools      int64        `json:"pools"`
	Sellable   int64        `json:"sellable"`
	Unsellable int64        `json:"unsellable"`
}

// stockDocument is one SKU in the answer of inventory show.
type stockDocument struct {
	SKU       string           `json:"sku"`
	FNSKU     string           `json:"fnsku"`
	ASIN      string           `json:"asin"`
	Title     string           `json:"title"`
	Pool      conditions       `json:"pool"`
	Open      conditions       `json:"open"`
	Available conditions       `json:"available"`
	Snapshot  snapshotDocument `json:"snapshot"`
	Holds     []struct{}       `json:"holds"`
}

func (a *app) showInventory(ctx context.Context, args []string) error {
	ws, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer ws.Close()
	m, err := ws.merchant(ctx, a.merchant)
	if err != nil {
		return err
	}
	row, err := ws.ledger.Snapshot(ctx, m.ID)
	if err != nil {
		return err
	}
	if row == nil {
		return usage("cli.err.no_snapshot", "id", m.ID).hint("cli.hint.inventory")
	}
	if len(args) == 0 {
		s, err := ws.openSnapshot(row)
		if err != nil {
			return err
		}
		defer s.Close()
		open, err := ws.openUnits(ctx, &m, s, "")
		if err != nil {
			return err
		}
		return a.showSnapshot(snapshotFacts(row, &m), open)
	}
	d, err := ws.stockOf(ctx, row, &m, args[0])
	if err != nil {
		return err
	}
	return a.showStock(d)
}

func snapshotFacts(s *ledger.Snapshot, m *removal.Merchant) snapshotDocument {
	layout := time.RFC3339
	if !s.DateHasTime {
		layout = time.DateOnly
	}
	return snapshotDocument{
		ID: s.ID, Date: s.Date.In(zoneOf(m)).Format(layout), Kind: s.Kind,
		SKUs: s.SKUs, Pools: s.Pools, Sellable: s.Sellable, Unsellable: s.Unsellable,
	}
}

// openUnits sums what removals took of a pool and the snapshot does not show; "" sums
// all pools.
func (ws *workspace) openUnits(ctx context.Context, m *removal.Merchant, s *inventory.Snapshot, pool string) (conditions, error) {
	var sum conditions
	store, err := ws.policy.Store(m.Profile.HomeStore, ws.now(), m.Profile.Policy)
	if err != nil {
		return sum, err
	}
	err = desk.Counted(ctx, ws.ledger, m.ID, s, store, func(key, _ string, sellable, unsellable int64) {
		if pool == "" || key == pool {
			sum.Sellable += sellable
			sum.Unsellable += unsellable
		}
	})
	return sum, err
}

func (ws *workspace) openSnapshot(row *ledger.Snapshot) (*inventory.Snapshot, error) {
	path := row.Path
	if !filepath.IsAbs(path) {
		path = filepath.Join(ws.dir, filepath.FromSlash(path))
	}
	s, err := inventory.Open(path)
	if err != nil {
		return nil, fmt.Errorf("the current snapshot: %w", err)
	}
	return s, nil
}

// stockOf answers for one SKU of a snapshot. What is not there is answered with
// what was most likely meant.
func (ws *workspace) stockOf(ctx context.Context, row *ledger.Snapshot, m *removal.Merchant, sku string) (*stockDocument, error) {
	s, err := ws.openSnapshot(row)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	at := s.Lookup([]byte(sku))
	if at < 0 {
		f := usage("cli.err.sku_unknown", "sku", sku, "date", snapshotFacts(row, m).Date)
		if near := s.Suggest([]byte(sku), false); len(near.Candidates) > 0 {
			f = f.hint("cli.hint.did_you_mean", "name", strings.Join(near.Candidates, ", "))
		}
		return nil, f
	}
	item := s.Item(at)
	pool := s.Pool(item.Pool)
	open, err := ws.openUnits(ctx, m, s, pool.Key)
	if err != nil {
		return nil, err
	}
	d := &stockDocument{
		SKU: string(item.SKU), FNSKU: string(item.FNSKU), ASIN: string(item.ASIN), Title: string(item.Title),
		Pool: conditions{pool.Sellable, pool.Unsellable}, Open: open, Snapshot: snapshotFacts(row, m), Holds: []struct{}{},
	}
	d.Available = d.Pool.less(open)
	return d, nil
}

func (a *app) showSnapshot(s snapshotDocument, open conditions) error {
	if a.json {
		return a.answer(map[string]any{"snapshot": s, "open": open})
	}
	l := &labels{app: a}
	l.add("stock", a.t("cli.run.stock", "skus", s.SKUs, "pools", s.Pools, "sellable", s.Sellable, "unsellable", s.Unsellable, "date", s.Date))
	l.add("kind", a.t("word.kind."+string(s.Kind)))
	l.add("open", a.t("cli.run.units", "sellable", open.Sellable, "unsellable", open.Unsellable))
	l.show()
	return nil
}

func (a *app) showStock(d *stockDocument) error {
	if a.json {
		return a.answer(d)
	}
	a.say(a.style.bold(printable(d.SKU)) + "  " + printable(d.Title))
	l := &labels{app: a}
	l.add("pool", printable(strings.TrimSpace(d.FNSKU+" "+d.ASIN)))
	l.add("snapshot", a.t("cli.run.snapshot", "date", d.Snapshot.Date))
	l.show()
	t := &table{}
	t.add(a.t("cli.col.condition"), ">"+a.t("cli.col.snapshot"), ">"+a.t("cli.col.open"), ">"+a.t("cli.col.available"))
	t.add(a.t("word.condition.sellable"), number(d.Pool.Sellable), number(d.Open.Sellable), number(d.Available.Sellable))
	t.add(a.t("word.condition.unsellable"), number(d.Pool.Unsellable), number(d.Open.Unsellable), number(d.Available.Unsellable))
	a.show(t, "  ")
	return nil
}
