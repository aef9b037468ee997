package removal

import "time"

// Merchant is the owner of stock, with the settings of its profile.
type Merchant struct {
	ID string
	// Revision counts the transactions that changed the merchant's stock,
	// orders or settings; a decision made on an older one is made anew.
	Revision int64
	Profile  Profile
	Created  time.Time
}

// Profile is the settings of one merchant. Its keys, defaults and meanings stand
// in the README.
type Profile struct {
	Name          string
	HomeStore     string // two-letter code of a store
	Language      string // "en", "sv" or "de"
	TimeZone      string // IANA name
	Notify        []string
	ReturnAddress Address
	DefaultMethod Method
	Acceptance    Acceptance
	Partial       bool
	Split         bool
	Resubmit      Resubmit
	// ReleaseDelay is how long an order stays in planning before it is handed on.
	ReleaseDelay time.Duration
	// AutoDispose makes the dispose job order what is past its deadline.
	AutoDispose bool
	CSVBOM      bool
	ShiftJIS    bool
	Reports     []string // which files of an upload's reports; empty: all
	// Policy overrides single values of the store's policy, by key.
	Policy map[string]string
}

// Resubmit is what a used order id in a later file means.
type Resubmit string

// The meanings of a used order id.
const (
	ResubmitContinue Resubmit = "continue"
	ResubmitRefuse   Resubmit = "refuse"
)
