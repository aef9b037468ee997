package main

import (
	"time"

	"rensa/pkg/inventory"
	"rensa/pkg/nightly"
	"rensa/pkg/removal"
)

// agesDocument is how old the sellable units of a pool are, and what of them will
// be charged at the next clean-up.
type agesDocument struct {
	Basis   inventory.Basis `json:"basis"`
	AsOf    string          `json:"as_of"`
	Bands   []bandDocument  `json:"bands"`
	Unknown int64           `json:"unknown"`
	Charged chargedDocument `json:"charged"`
}

type bandDocument struct {
	Days  string `json:"days"`
	Units int64  `json:"units"`
}

type chargedDocument struct {
	CleanUp string          `json:"clean_up"`
	Units   int64           `json:"units"`
	AtLeast bool            `json:"at_least"`
	Basis   inventory.Basis `json:"basis"`
}

// bandDays are the bands of ages as answers name them.
var bandDays = [inventory.ShownBands]string{"0-90", "91-180", "181-270", "271-365", "366+"}

// ages answers for one pool of a snapshot.
func (ws *workspace) ages(m *removal.Merchant, s *inventory.Snapshot, pool int32) (*agesDocument, error) {
	now := ws.now().In(zoneOf(m))
	store, err := ws.policy.Store(m.Profile.HomeStore, now, m.Profile.Policy)
	if err != nil {
		return nil, err
	}
	f, err := s.Facts(pool)
	if err != nil {
		return nil, err
	}
	sellable, _ := s.Units(pool)
	a := f.Ages(s.Sources(), sellable, inventory.DayOf(now))
	cleanUp, line := nightly.AgeLine(store, now)
	c := f.Charged(s.Sources(), sellable, line)
	d := &agesDocument{Basis: a.Basis, AsOf: a.AsOf.Time().Format(time.DateOnly), Bands: []bandDocument{}, Unknown: a.Unknown}
	if a.Basis != inventory.BasisNone {
		for i, n := range a.Units {
			d.Bands = append(d.Bands, bandDocument{bandDays[i], n})
		}
	}
	d.Charged = chargedDocument{cleanUp.Format(time.DateOnly), c.Units, c.AtLeast, c.Basis}
	return d, nil
}

// showAges says what is known of ages under the quantities.
func (a *app) showAges(d *agesDocument) {
	l := &labels{app: a}
	basis := a.t("word.agebasis." + string(d.Basis))
	if d.Basis == inventory.BasisNone {
		l.add("ages", basis)
		l.show()
		return
	}
	text := ""
	for i, b := range d.Bands {
		if b.Units > 0 {
			text += a.t("cli.inventory.age", "band", i, "units", b.Units) + ", "
		}
	}
	if d.Unknown > 0 {
		text += a.t("cli.inventory.age", "band", "unknown", "units", d.Unknown) + ", "
	}
	l.add("ages", text+basis+" "+d.AsOf)
	least := ""
	if d.Charged.AtLeast {
		least = "1"
	}
	l.add("charged", a.t("cli.inventory.charged_units", "least", least, "units", d.Charged.Units)+", "+d.Charged.CleanUp+
		" ("+a.t("word.agebasis."+string(d.Charged.Basis))+")")
	l.show()
}
