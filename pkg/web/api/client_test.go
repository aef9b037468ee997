package api_test

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"rensa/pkg/web/api"
	"rensa/pkg/web/api/testdata/client"
)

// TestClient goes the way of a program: it uses the client that was generated from
// the document.
func TestClient(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.work()
	ctx := t.Context()
	c, err := client.NewClientWithResponses(s.http.URL+api.Prefix, client.WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+operator)
		return nil
	}))
	s.must(err)
	wait := 30
	give := func(name string) *client.RunDetails {
		t.Helper()
		r, err := c.GiveFileWithBodyWithResponse(ctx, &client.GiveFileParams{Name: &name, Wait: &wait, IdempotencyKey: &name},
			"application/octet-stream", bytes.NewReader(content(t, "demo", name)))
		s.must(err)
		if r.JSON200 == nil {
			t.Fatalf("%s: %s %s", name, r.Status(), r.Body)
		}
		return r.JSON200
	}
	give("lager.tsv")
	run := give("2-tyskland.csv")
	if run.Rows.Read != 4 || run.Rows.Accepted+run.Rows.Rejected != 4 || len(run.Outbound) == 0 {
		t.Errorf("%+v", run)
	}

	// Its problems page by page, those of two codes.
	var codes []string
	limit, cursor := int64(1), ""
	only := []string{"address_postal_invalid", "quantity_over_stock"}
	for {
		r, err := c.ListProblemsWithResponse(ctx, run.RunId, &client.ListProblemsParams{Limit: &limit, Cursor: &cursor, Code: &only})
		s.must(err)
		if r.JSON200 == nil {
			t.Fatalf("%s %s", r.Status(), r.Body)
		}
		for _, p := range r.JSON200.Problems {
			codes = append(codes, p.Code)
		}
		if cursor = r.JSON200.Next; cursor == "" {
			break
		}
	}
	if slices.Sort(codes); !slices.Equal(codes, only) || run.Problems["address_postal_invalid"] != 1 {
		t.Errorf("%v, %v", codes, run.Problems)
	}
	files, err := c.GetRunFileWithResponse(ctx, run.RunId, "rejected.tsv", &client.GetRunFileParams{})
	s.must(err)
	if !strings.Contains(string(files.Body), "GF-2026-44") {
		t.Errorf("%s", files.Body)
	}

	// A draft of what a search finds.
	found, err := c.SearchStockWithResponse(ctx, &client.SearchStockParams{Q: "tvåmanstält"})
	s.must(err)
	if found.JSON200 == nil || len(found.JSON200.Skus) == 0 {
		t.Fatalf("%s %s", found.Status(), found.Body)
	}
	id, method, two := "CLIENT", client.NewDraftMethod("disposal"), int64(2)
	items := []client.Item{{Sku: found.JSON200.Skus[0].Sku, Sellable: &two}}
	draft, err := c.CreateDraftWithResponse(ctx, &client.CreateDraftParams{}, client.NewDraft{Id: &id, Method: &method, Items: &items})
	s.must(err)
	if draft.JSON201 == nil {
		t.Fatalf("%s %s", draft.Status(), draft.Body)
	}
	review, err := c.ReviewDraftWithResponse(ctx, id, &client.ReviewDraftParams{})
	s.must(err)
	if review.JSON200 == nil || !review.JSON200.Placeable {
		t.Fatalf("%s %s", review.Status(), review.Body)
	}
	placed, err := c.PlaceDraftWithResponse(ctx, id, &client.PlaceDraftParams{})
	s.must(err)
	if placed.JSON200 == nil || len(placed.JSON200.Orders) != 1 {
		t.Fatalf("%s %s", placed.Status(), placed.Body)
	}
	cancelled, err := c.CancelOrderWithResponse(ctx, id, &client.CancelOrderParams{}, client.CancelInputBody{})
	s.must(err)
	if cancelled.JSON200 == nil || cancelled.JSON200.Outcome != "requested" || cancelled.JSON200.File == "" {
		t.Fatalf("%s %s", cancelled.Status(), cancelled.Body)
	}
	unknown, err := c.PlaceDraftWithResponse(ctx, "NONE", &client.PlaceDraftParams{})
	s.must(err)
	if p := unknown.ApplicationproblemJSONDefault; p == nil || p.Code != "order_unknown" || p.Status != 404 {
		t.Errorf("%s %s", unknown.Status(), unknown.Body)
	}
}
