package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rensa/pkg/inventory"
	"rensa/pkg/ledger"
	"rensa/pkg/removal"
	"rensa/pkg/validate"
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
	Ages      *agesDocument    `json:"ages"`
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
	row, snapshot, stock, err := ws.stock(ctx, m.ID)
	if err != nil {
		return err
	}
	facts := snapshotFacts(row, &m)
	if len(args) == 0 {
		var open conditions
		for pool := range int32(snapshot.Pools()) {
			sellable, unsellable := stock.Taken(pool)
			open.Sellable += sellable
			open.Unsellable += unsellable
		}
		return a.showSnapshot(facts, open)
	}
	d, err := stockOf(facts, snapshot, stock, args[0])
	if err != nil {
		return err
	}
	if d.Ages, err = ws.ages(&m, snapshot, snapshot.PoolOf(snapshot.Lookup([]byte(d.SKU)))); err != nil {
		return err
	}
	return a.showStock(d)
}

// stock gives the current snapshot with what removals took that it does not show.
// It is closed with the workspace.
func (ws *workspace) stock(ctx context.Context, merchant string) (*ledger.Snapshot, *inventory.Snapshot, *validate.Stock, error) {
	p, err := ws.processor(nil)
	if err != nil {
		return nil, nil, nil, err
	}
	row, snapshot, stock, err := p.Stock(ctx, merchant)
	if bad, missing := errors.AsType[*removal.FileError](err); missing && bad.Code == removal.SnapshotMissing {
		err = usage("cli.err.no_snapshot", "id", merchant).hint("cli.hint.inventory")
	}
	return row, snapshot, stock, err
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

// stockOf answers for one SKU of a snapshot. What is not there is answered with
// what was most likely meant.
func stockOf(facts snapshotDocument, s *inventory.Snapshot, stock *validate.Stock, sku string) (*stockDocument, error) {
	at := s.Lookup([]byte(sku))
	if at < 0 {
		f := usage("cli.err.sku_unknown", "sku", sku, "date", facts.Date)
		if near := s.Suggest([]byte(sku), false); len(near.Candidates) > 0 {
			f = f.hint("cli.hint.did_you_mean", "name", strings.Join(near.Candidates, ", "))
		}
		return nil, f
	}
	item := s.Item(at)
	d := &stockDocument{
		SKU: string(item.SKU), FNSKU: string(item.FNSKU), ASIN: string(item.ASIN), Title: item.Title,
		Snapshot: facts, Holds: []struct{}{},
	}
	d.Pool.Sellable, d.Pool.Unsellable = s.Units(item.Pool)
	d.Open.Sellable, d.Open.Unsellable = stock.Taken(item.Pool)
	d.Available = d.Pool.less(d.Open)
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
	a.showAges(d.Ages)
	return nil
}
