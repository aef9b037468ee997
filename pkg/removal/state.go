package removal

import "slices"

// Event is something that can happen to an order and may move it to another state.
type Event string

// The events.
const (
	EventCreate   Event = "create"         // a person began a draft
	EventDiscard  Event = "discard"        // the draft was thrown away
	EventPlace    Event = "place"          // the draft was placed: fees accepted, stock reserved
	EventAccept   Event = "accept"         // an upload's order was accepted
	EventCancel   Event = "cancel"         // taken back before anybody else knew of it
	EventRelease  Event = "release"        // handed on in an outgoing file
	EventRequest  Event = "request_cancel" // the warehouse was asked to stop it
	EventStart    Event = "start"          // work has begun
	EventComplete Event = "complete"       // everything left, was disposed of or cancelled
	EventStop     Event = "cancelled"      // the warehouse or marketplace stopped it
	EventRefuse   Event = "refuse"         // the marketplace did not take it
	EventDiscover Event = "discover"       // a status file told of an order that was made elsewhere
)

// StateNone is where orders come from, and where discarded drafts go.
const StateNone State = ""

// Guard is what must hold for a transition beside state and event.
type Guard uint8

// The guards.
const (
	GuardNone Guard = iota
	// GuardCancellable: the store's policy lists the state, and the order is
	// not a required removal.
	GuardCancellable
	// GuardNothingOpen: no unit is in process any more.
	GuardNothingOpen
)

func (g Guard) String() string {
	return [...]string{"", "the policy allows it, not required", "nothing in process"}[g]
}

// Transition is one row of the state machine.
type Transition struct {
	From  State
	Event Event
	To    State
	Guard Guard
}

// Transitions is the whole state machine: what is not in it cannot happen. The
// ledger enforces it again, and the README's picture is tested against it.
var Transitions = []Transition{
	{StateNone, EventCreate, StateDraft, GuardNone},
	{StateDraft, EventDiscard, StateNone, GuardNone},
	{StateDraft, EventPlace, StatePlanning, GuardNone},
	{StateNone, EventAccept, StatePlanning, GuardNone},
	{StatePlanning, EventCancel, StateCancelled, GuardCancellable},
	{StatePlanning, EventRelease, StatePending, GuardNone},
	{StatePending, EventRequest, StatePending, GuardCancellable},
	{StateProcessing, EventRequest, StateProcessing, GuardCancellable},

	// A status file may tell of an order before Rensa handed it on: somebody
	// did it by hand, and it must not go out a second time.
	{StatePlanning, EventStart, StateProcessing, GuardNone},
	{StatePending, EventStart, StateProcessing, GuardNone},
	{StatePlanning, EventComplete, StateCompleted, GuardNothingOpen},
	{StatePending, EventComplete, StateCompleted, GuardNothingOpen},
	{StateProcessing, EventComplete, StateCompleted, GuardNothingOpen},
	{StatePlanning, EventStop, StateCancelled, GuardNothingOpen},
	{StatePending, EventStop, StateCancelled, GuardNothingOpen},
	{StateProcessing, EventStop, StateCancelled, GuardNothingOpen},

	{StatePending, EventRefuse, StateRefused, GuardNone},
	{StateProcessing, EventRefuse, StateRefused, GuardNone},

	{StateNone, EventDiscover, StatePending, GuardNone},
	{StateNone, EventDiscover, StateProcessing, GuardNone},
	{StateNone, EventDiscover, StateCompleted, GuardNothingOpen},
	{StateNone, EventDiscover, StateCancelled, GuardNothingOpen},
}

// Next gives where an event moves an order, and what must hold for it; ok is
// false where it cannot happen in the state. EventDiscover, which leads to
// several states, is asked for with Allowed.
func Next(from State, e Event) (to State, guard Guard, ok bool) {
	for _, t := range Transitions {
		if t.From == from && t.Event == e {
			return t.To, t.Guard, true
		}
	}
	return from, GuardNone, false
}

// Allowed tells whether any event moves an order from one state to another.
func Allowed(from, to State) bool {
	return slices.ContainsFunc(Transitions, func(t Transition) bool { return t.From == from && t.To == to })
}

// Cancellable tells whether a cancellation may be asked for: the policy lists the
// order's state among those it may be cancelled in, and nobody required it.
func (o *Order) Cancellable(in []State) bool {
	return o.Source != SourceRequired && slices.Contains(in, o.State)
}

// InProcess is what of the order's units is still in process.
func (o *Order) InProcess() int64 {
	sellable, unsellable := o.Totals()
	return sellable.InProcess() + unsellable.InProcess()
}
