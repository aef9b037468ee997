package removal

import (
	"slices"
	"time"
)

// The states of a hold. They follow from its units.
const (
	HoldOpen    = "open"    // units wait for the deadline
	HoldCovered = "covered" // none do: orders take them, or they may come back
	HoldEnded   = "ended"   // its units left, or are in a later hold
)

// Hold is units of one pool and condition that wait for their deadline. Days are
// midnight UTC of the day in the store's zone.
type Hold struct {
	ID         int64  // counts from 1 within the merchant
	Pool       string // key, as snapshots name it
	SKU, FNSKU string // SKU is one that the pool is found under
	Title      string
	Condition  Condition
	Reason     HoldReason
	Since      time.Time
	Dated      bool // a file gave Since; else a snapshot first showed the units then
	Deadline   time.Time
	Origin     int64     // the hold whose units came back to this one; 0: none
	Opened     time.Time // when it was entered
	First      int64     // units at its opening
	Units      int64     // that nothing covers
	Covered    int64     // that open orders take
	Returned   int64     // that came back from orders
	Resumed    int64     // of those, the ones that are in a later hold or gone after all
	Leaving    int64     // that left and that the snapshot still shows
	Ended      time.Time // when its last units left; zero while they have not
	State      string    // the ledger's to give
	Steps      []HoldStep
	Covers     []HoldCover
	// OriginAcceptedAt is when the mail server first took an opening notice of a
	// hold that this one came from; zero for never. The ledger's to give.
	OriginAcceptedAt time.Time
}

// HoldStep says that a step of a hold was told of, and in which message.
type HoldStep struct {
	Hold    int64
	Step    string // StepOpening, days before the deadline
	Day     time.Time
	Message string
	Units   int64
	// AcceptedAt is when the mail server took the message, zero while it has
	// not; the ledger's to give.
	AcceptedAt time.Time
}

// HoldCover is what an order takes or took of a hold: units still in process,
// units that left, and units that came back.
type HoldCover struct {
	Hold                    int64
	Order                   string
	Covered, Gone, Returned int64
	ReturnedAt              time.Time // when it was seen last that some came back
}

// Step finds the step of a hold, nil where it was not told of.
func (h *Hold) Step(step string) *HoldStep {
	i := slices.IndexFunc(h.Steps, func(s HoldStep) bool { return s.Step == step })
	if i < 0 {
		return nil
	}
	return &h.Steps[i]
}

// NoticedAt is when the mail server took the notice that the units are held: that
// of the hold or of one that it came from, the earliest; zero for never.
func (h *Hold) NoticedAt() time.Time {
	at := h.OriginAcceptedAt
	if s := h.Step(StepOpening); s != nil && !s.AcceptedAt.IsZero() && (at.IsZero() || s.AcceptedAt.Before(at)) {
		at = s.AcceptedAt
	}
	return at
}

// Live tells whether units are held, covered, on their way out, or may come back.
func (h *Hold) Live() bool { return h.Units+h.Covered+h.Leaving > 0 || h.Returned > h.Resumed }

// Clone gives a hold that shares nothing that can be changed with h.
func (h *Hold) Clone() Hold {
	c := *h
	c.Steps, c.Covers = slices.Clone(h.Steps), slices.Clone(h.Covers)
	return c
}

// Same tells whether two states of a hold are one, its steps aside.
func (h *Hold) Same(o *Hold) bool {
	return h.key() == o.key() && slices.Equal(h.Covers, o.Covers)
}

// key is what of a hold can change, to be compared.
func (h *Hold) key() (k struct {
	pool, sku, fnsku, reason                   string
	since, deadline, ended                     int64
	dated                                      bool
	units, covered, returned, resumed, leaving int64
}) {
	k.pool, k.sku, k.fnsku, k.reason = h.Pool, h.SKU, h.FNSKU, string(h.Reason)
	k.since, k.deadline, k.ended, k.dated = h.Since.Unix(), h.Deadline.Unix(), h.Ended.UnixMicro(), h.Dated
	k.units, k.covered, k.returned, k.resumed, k.leaving = h.Units, h.Covered, h.Returned, h.Resumed, h.Leaving
	return k
}
