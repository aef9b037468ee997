package process

import (
	"context"
	"slices"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
	"rensa/pkg/validate"
)

// past answers validate's questions from the ledger.
type past struct {
	ctx      context.Context
	ledger   *ledger.Ledger
	merchant string
	ids      *ledger.IDs // read when it is first asked for
	matches  map[uint64][]*validate.Family
	files    map[string]string // name of a run's file, by run
}

func newPast(ctx context.Context, l *ledger.Ledger, merchant string) *past {
	return &past{
		ctx: ctx, ledger: l, merchant: merchant,
		matches: map[uint64][]*validate.Family{}, files: map[string]string{},
	}
}

func (p *past) used(ids []string) (_ map[string][]string, err error) {
	if p.ids == nil {
		if p.ids, err = p.ledger.IDs(p.ctx, p.merchant); err != nil {
			return nil, err
		}
	}
	var some []string
	for _, id := range ids {
		if p.ids.Maybe([]byte(id)) {
			some = append(some, id)
		}
	}
	if len(some) == 0 {
		return nil, nil
	}
	return p.ids.Used(p.ctx, some)
}

// Used implements validate.Past.
func (p *past) Used(ids []string) (map[string]bool, error) {
	families, err := p.used(ids)
	used := make(map[string]bool, len(families))
	for id := range families {
		used[id] = true
	}
	return used, err
}

// Families implements validate.Past.
func (p *past) Families(ids []string) (map[string]*validate.Family, error) {
	families, err := p.used(ids)
	if err != nil {
		return nil, err
	}
	out := make(map[string]*validate.Family, len(families))
	for id, members := range families {
		if out[id], err = p.family(id, members); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (p *past) family(id string, members []string) (*validate.Family, error) {
	orders, err := p.ids.Orders(p.ctx, members)
	if err != nil {
		return nil, err
	}
	orders = slices.DeleteFunc(orders, func(o removal.Order) bool { return o.State == removal.StateRefused })
	slices.SortStableFunc(orders, func(a, b removal.Order) int {
		return slices.Index(members, a.ID) - slices.Index(members, b.ID)
	})
	files := make([]string, len(orders))
	for i := range orders {
		if orders[i].Run == "" {
			continue
		}
		if files[i], err = p.fileOf(orders[i].Run); err != nil {
			return nil, err
		}
	}
	return validate.NewFamily(id, orders, files), nil
}

func (p *past) fileOf(run string) (string, error) {
	if name, ok := p.files[run]; ok {
		return name, nil
	}
	r, err := p.ledger.Run(p.ctx, p.merchant, run)
	if err != nil {
		return "", err
	}
	p.files[run] = r.FileName
	return r.FileName, nil
}

// Matches implements validate.Past. The same hash always gets the same families,
// so that none is matched twice in one file.
func (p *past) Matches(hash uint64) ([]*validate.Family, error) {
	if known, ok := p.matches[hash]; ok {
		return known, nil
	}
	orders, err := p.ledger.MatchOrders(p.ctx, p.merchant, hash)
	if err != nil {
		return nil, err
	}
	var ids []string
	for i := range orders {
		if !slices.Contains(ids, orders[i].Family) {
			ids = append(ids, orders[i].Family)
		}
	}
	byID, err := p.Families(ids)
	if err != nil {
		return nil, err
	}
	families := make([]*validate.Family, 0, len(ids))
	for _, id := range ids {
		if f := byID[id]; f != nil {
			families = append(families, f)
		}
	}
	p.matches[hash] = families
	return families, nil
}
