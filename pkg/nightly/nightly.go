// Package nightly holds the work that is done on a schedule: the Recommended
// Removal report, holds and their notices, disposals, releases, reports and
// housekeeping.
//
// Every job is a function of the ledger, the policy and a moment: it knows no
// clock and starts nothing by itself. A job may be run again for the same moment;
// what was decided stays decided. A rehearsal, which a moment that lies ahead is
// too, writes reports and nothing else: no order, no message, no ledger row.
//
// Which jobs are due, and that each is run once, is package schedule's concern;
// sending what a job wrote is package notify's.
package nightly

import (
	"context"
	"fmt"
	"time"

	"rensa/pkg/desk"
	"rensa/pkg/inventory"
	"rensa/pkg/ledger"
	"rensa/pkg/policy"
	"rensa/pkg/removal"
	"rensa/pkg/storage"
)

// Options is what the jobs work with; all is required.
type Options struct {
	Ledger *ledger.Ledger
	Policy *policy.Set
	Desk   *desk.Desk
	// Storage is the workspace's folder: reports go below reports/<merchant>/.
	Storage *storage.Dir
	// Current opens the merchant's current snapshot; nil, nil, nil where there is
	// none. It stays the giver's to close.
	Current func(ctx context.Context, merchant string) (*ledger.Snapshot, *inventory.Snapshot, error)
	// Retention is for Housekeeping. Deleting keeps backups from beginning until
	// release is called, and waits for one that is being made.
	Retention Retention
	Deleting  func(ctx context.Context) (release func() error, err error)
}

// Jobs does scheduled work. It may be used by several goroutines.
type Jobs struct{ Options }

// New makes Jobs. It holds nothing open.
func New(opt Options) *Jobs { return &Jobs{Options: opt} }

// Outcome is what a job did for one merchant.
type Outcome struct {
	// ReportDir is the folder of its reports below the workspace, with slashes;
	// "" where it wrote none.
	ReportDir string
	// Counts say how much of what, by the names of the job's documentation.
	Counts map[string]int64
}

// scene is a merchant with the policy in force where it is, at a job's moment.
type scene struct {
	merchant removal.Merchant
	store    policy.Store
	zone     *time.Location
	at       time.Time // in zone
}

// scene reads the merchant as it is, and the policy of the moment's day.
func (j *Jobs) scene(ctx context.Context, merchant string, at time.Time) (*scene, error) {
	m, err := j.Ledger.Merchant(ctx, merchant)
	if err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation(m.Profile.TimeZone)
	if err != nil {
		return nil, fmt.Errorf("merchant %s: %w", m.ID, err)
	}
	s := &scene{merchant: m, zone: zone, at: at.In(zone)}
	s.store, err = j.Policy.Store(m.Profile.HomeStore, s.at, m.Profile.Policy)
	return s, err
}
