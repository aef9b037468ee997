package api_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
)

type object = map[string]any

// A draft is made, changed, reviewed, placed and cancelled.
func TestOrders(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.take("m", "demo", "lager.tsv")
	a := s.call(http.StatusCreated, operator, "POST", "/orders", object{
		"id": "SPRING/1", "items": []object{{"sku": "TÄLT-2P-GRÖN", "sellable": 4}, {"sku": "PANN-300LM", "sellable": 1}},
	})
	a.is("state", "draft", "method", "Return", "items.0.sellable.requested", 4, "address.city", "Östersund")
	order, tag := at("orders", "SPRING/1"), a.header.Get("ETag")
	if a.header.Get("Location") != "/api/v1"+order+"?merchant=m" || tag == "" {
		t.Errorf("%v", a.header)
	}
	s.call(http.StatusOK, operator, "PATCH", order, object{
		"add": []object{{"sku": "LIGGU-185", "unsellable": 1}}, "set": []object{{"sku": "TÄLT-2P-GRÖN", "sellable": 2}}, "remove": []string{"PANN-300LM"},
		"notes": "Ring innan leverans",
	}, "If-Match", tag).is("items.0.sellable.requested", 2, "items.1.sku", "LIGGU-185", "notes", "Ring innan leverans")
	s.call(http.StatusPreconditionFailed, operator, "PATCH", order, object{"method": "disposal"}, "If-Match", tag).is("code", "changed")
	s.call(http.StatusUnprocessableEntity, operator, "PATCH", order, object{"remove": []string{"NONE"}}).is("code", "no_item")
	s.call(http.StatusOK, viewer, "GET", order+"/review", nil).is("placeable", true, "items.0.sku", "TÄLT-2P-GRÖN", "items.0.taken.sellable", 2)
	s.call(http.StatusOK, viewer, "GET", "/orders?status=draft", nil).is("orders.0.id", "SPRING/1")
	s.call(http.StatusConflict, operator, "POST", order+"/cancel", object{}).is("code", "order_is_draft")

	s.call(http.StatusOK, operator, "POST", order+"/place", nil).is("orders.0.id", "SPRING/1", "orders.0.state", "pending")
	s.call(http.StatusOK, operator, "POST", order+"/place", nil).is("orders.0.id", "SPRING/1") // asked again
	s.call(http.StatusConflict, operator, "PATCH", order, object{"notes": "late"}).is("code", "order_no_draft")
	s.call(http.StatusConflict, operator, "DELETE", order, nil).is("code", "order_no_draft")
	s.call(http.StatusConflict, operator, "DELETE", order, nil, "Accept-Language", "de").is("detail", `Auftrag "SPRING/1" ist im Status "Ausstehend"`)
	s.call(http.StatusOK, viewer, "GET", order, nil).is("state", "pending", "history.0.actor", "api:"+operator)
	s.call(http.StatusOK, operator, "POST", order+"/status", object{"status": "processing"}).is("state", "processing")
	s.call(http.StatusConflict, operator, "POST", order+"/status", object{"status": "processing"}).is("code", "state_forbids")
	s.call(http.StatusOK, operator, "POST", order+"/cancel", nil).is("outcome", "requested", "state", "processing")
	s.call(http.StatusOK, operator, "POST", order+"/cancel", nil).is("outcome", "already")
	s.call(http.StatusOK, viewer, "GET", "/orders?sku=LIGGU-185&status=processing", nil).is("orders.0.id", "SPRING/1", "orders.0.cancel_requested", true)
	s.call(http.StatusOK, viewer, "GET", at("inventory", "skus", "TÄLT-2P-GRÖN"), nil).is("open.sellable", 2, "available.sellable", 40)

	s.call(http.StatusCreated, operator, "POST", "/orders", object{"id": "AWAY", "items": []object{{"sku": "TÄLT-2P-GRÖN", "sellable": 1}}})
	s.call(http.StatusNoContent, operator, "DELETE", "/orders/AWAY", nil)
	s.call(http.StatusNotFound, operator, "DELETE", "/orders/AWAY", nil).is("code", "order_unknown")
	s.call(http.StatusNotFound, viewer, "GET", "/orders/AWAY", nil).is("code", "order_unknown")
}

// What cannot be placed is answered with its review; a return across the border
// with a file too.
func TestNotPlaced(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.call(http.StatusCreated, operator, "POST", "/orders", object{"id": "EARLY", "items": []object{{"sku": "TÄLT-2P-GRÖN", "sellable": 1}}})
	s.call(http.StatusConflict, operator, "POST", "/orders/EARLY/place", nil).is("code", "no_snapshot")
	s.take("m", "demo", "lager.tsv")
	s.call(http.StatusCreated, operator, "POST", "/orders", object{"id": "MANY", "items": []object{{"sku": "TÄLT-2P-GRÖN", "sellable": 4000}}})
	s.call(http.StatusConflict, operator, "POST", "/orders/MANY/place", nil, "Accept-Language", "sv").
		is("code", "not_placed", "review.placeable", false, "review.findings.0.code", "quantity_over_stock", "title", "Utkastet kan inte läggas", "review.fee", nil)
	s.call(http.StatusCreated, operator, "POST", "/orders", object{
		"id": "NOWHERE", "items": []object{{"sku": "TÄLT-2P-GRÖN", "sellable": 1}}, "address": object{"name": "Elbtal", "line1": "Prager Straße 2", "country": "SE", "postal_code": "271 41"},
	})
	s.call(http.StatusConflict, operator, "POST", "/orders/NOWHERE/place", nil).
		is("review.findings.0.code", "address_field_missing", "review.findings.0.facts.field", "city", "review.findings.0.hint", "")
	s.call(http.StatusCreated, operator, "POST", "/orders", object{
		"id": "ABROAD", "items": []object{{"sku": "TÄLT-2P-GRÖN", "sellable": 1}},
		"address": object{"name": "Elbtal", "line1": "Prager Straße 2", "city": "Dresden", "postal_code": "01067", "country": "DE"},
	})
	a := s.call(http.StatusConflict, operator, "POST", "/orders/ABROAD/place", nil)
	a.is("review.upload_required", true)
	href := strings.TrimPrefix(a.text("review", "upload_href"), "/api/v1")
	file := s.call(http.StatusOK, operator, "GET", href, nil)
	if !strings.Contains(string(file.body), "Dresden") {
		t.Errorf("%s", file.body)
	}
	s.work()
	s.call(http.StatusOK, operator, "POST", "/files?name=abroad.tsv&wait=30", file.body).is("orders.accepted", 1)
	s.call(http.StatusOK, viewer, "GET", "/orders/ABROAD", nil).is("state", "pending", "source", "upload")
	s.call(http.StatusConflict, operator, "GET", "/orders/MANY/upload-file", nil).is("code", "upload_not_needed")
}

// A request that is sent again under its key is answered and not done again.
func TestSentAgain(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	body := object{"items": []object{{"sku": "A", "sellable": 1}}}
	first := s.call(http.StatusCreated, operator, "POST", "/orders", body, "Idempotency-Key", "k1")
	s.call(http.StatusCreated, operator, "POST", "/orders", body, "Idempotency-Key", "k1").is("id", first.text("id"))
	body["notes"] = "another"
	s.call(http.StatusUnprocessableEntity, operator, "POST", "/orders", body, "Idempotency-Key", "k1").is("code", "key_reused")
	s.call(http.StatusConflict, operator, "POST", "/orders", object{"id": first.text("id")}, "Idempotency-Key", "k2").is("code", "order_exists")
	s.call(http.StatusCreated, operator, "POST", "/orders", object{"id": "FREE"}, "Idempotency-Key", "k2") // nothing had come of it
	if n := s.call(http.StatusOK, viewer, "GET", "/orders", nil).count("orders"); n != 2 {
		t.Errorf("%d drafts", n)
	}

	stock := content(t, "demo", "lager.tsv")
	one := s.call(http.StatusAccepted, operator, "POST", "/files?name=a.tsv", stock, "Idempotency-Key", "k1")
	s.call(http.StatusAccepted, operator, "POST", "/files?name=a.tsv", stock, "Idempotency-Key", "k1").is("file_id", one.text("file_id"))
	s.call(http.StatusUnprocessableEntity, operator, "POST", "/files?name=a.tsv", "other bytes", "Idempotency-Key", "k1").is("code", "key_reused")
	two := s.call(http.StatusAccepted, operator, "POST", "/files?name=a.tsv", stock, "Idempotency-Key", "k3")
	if two.text("file_id") == one.text("file_id") {
		t.Error("another key is another request")
	}
	var ids sync.Map
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			a := s.do(operator, "POST", "/files?name=b.tsv", stock, "Idempotency-Key", "at once")
			ids.Store(a.text("file_id"), true)
		})
	}
	all.Wait()
	n := 0
	ids.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("eight requests under one key were answered with %d files", n)
	}
	if n := s.call(http.StatusOK, viewer, "GET", "/files?open=true", nil).count("files"); n != 3 {
		t.Errorf("%d files", n)
	}
}
