package removal

import "time"

// HoldReason is why units are held: what makes them be disposed of in the end.
type HoldReason string

// The reasons, each with days of its own in the store's policy.
const (
	HoldUnsellable HoldReason = "unsellable"
	HoldExpiry     HoldReason = "expiry" // unsellable goods with an expiry date
	HoldRecalled   HoldReason = "recalled"
	HoldStranded   HoldReason = "stranded"
)

// HoldReasons are all reasons. Where two of them end on one day the first counts.
var HoldReasons = []HoldReason{HoldRecalled, HoldExpiry, HoldUnsellable, HoldStranded}

// The steps of a hold's notices that are no number of days. The others are the
// days before the deadline: "14", "7".
const (
	StepOpening  = "opening"
	StepDisposal = "disposal" // the order was made
)

// NoticeKind tells the two messages apart that holds lead to.
type NoticeKind string

// The kinds of notice.
const (
	NoticeDigest   NoticeKind = "notice"   // what is held, and what can be done
	NoticeDisposal NoticeKind = "disposal" // what was ordered to be disposed of
)

// Notice is what one message to a merchant says, before any wording: the
// templates make its subject, its text and its HTML of it. Days are midnight UTC
// of the day in the store's zone.
type Notice struct {
	Kind         NoticeKind `json:"kind"`
	Merchant     string     `json:"merchant"`
	MerchantName string     `json:"merchant_name,omitempty"`
	Store        string     `json:"store"`
	Language     string     `json:"language"`
	Date         time.Time  `json:"date"`
	// Rows are sorted by deadline, at most MaxNoticeRows of them; More counts
	// those that only the attached list has.
	Rows []NoticeRow `json:"rows"`
	More int         `json:"more,omitempty"`
	// Holds and Units count all rows; so do Fee, and NoFee, which counts the
	// units without a figure, the first for the reason NoFeeReason.
	Holds       int    `json:"holds"`
	Units       int64  `json:"units"`
	Fee         Amount `json:"fee"`
	Currency    string `json:"currency"`
	NoFee       int64  `json:"no_fee,omitempty"`
	NoFeeReason string `json:"no_fee_reason,omitempty"`
	// First is the earliest deadline.
	First time.Time `json:"first"`
	// AutoDispose says that a disposal order is made when the deadline is past.
	AutoDispose bool `json:"auto_dispose,omitempty"`
	// Method is what the attached upload asks for. NoUpload says why there is
	// none: NoUploadAddress; "" where one is attached.
	Method   string `json:"method,omitempty"`
	NoUpload string `json:"no_upload,omitempty"`
	// Orders are the disposal orders that were made.
	Orders []string `json:"orders,omitempty"`
}

// NoUploadAddress says that the profile has no address that units could be
// returned to.
const NoUploadAddress = "no_return_address"

// MaxNoticeRows bounds the table in a message; the attached list has all.
const MaxNoticeRows = 200

// NoticeRow is one hold in a message.
type NoticeRow struct {
	Hold      int64      `json:"hold"`
	FNSKU     string     `json:"fnsku,omitempty"`
	SKU       string     `json:"sku"`
	Title     string     `json:"title,omitempty"`
	Condition string     `json:"condition"` // sellable, unsellable
	Units     int64      `json:"units"`
	Reason    HoldReason `json:"reason"`
	Since     time.Time  `json:"since"`
	Deadline  time.Time  `json:"deadline"`
	DaysLeft  int        `json:"days_left"` // below zero when the deadline is past
	// Step is the newest step that is due: StepOpening, days before the
	// deadline, or StepDisposal.
	Step string `json:"step"`
	// Fee is what the disposal of all its units costs if nothing is done.
	Fee         Amount `json:"fee,omitempty"`
	HasFee      bool   `json:"has_fee,omitempty"`
	NoFeeReason string `json:"no_fee_reason,omitempty"` // a policy.Reason word
	// Covered are units of the hold that open removal orders take already; they
	// are not among Units.
	Covered   int64    `json:"covered,omitempty"`
	CoveredBy []string `json:"covered_by,omitempty"`
	Order     string   `json:"order,omitempty"` // the disposal order
}
