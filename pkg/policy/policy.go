// Package policy holds what differs by store, by country and by date, as data:
// the stores' rules and limits, fee cards, size tiers, storage surcharges, and
// what an address needs in each country.
//
// The tables are embedded (tables/*.csv, every row with its source and how
// certain it is) and can be overridden by files of the same names. Load checks
// them strictly: what cannot be used is an error with file, line and column,
// never a silent default. A Set does not change after Load and may be used from
// any number of goroutines.
//
// Nothing here decides about an order; that is package validate. Where no
// figure is public there is none, and the reason is given: nothing is guessed.
// Days are calendar days of the time that is passed, in that time's own zone.
package policy

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"rensa/pkg/removal"
)

//go:embed tables/*.csv
var embedded embed.FS

// The names of the tables, embedded and in an override folder alike.
const (
	fileStores    = "stores.csv"
	fileCountries = "countries.csv"
	fileAliases   = "country_aliases.csv"
	fileStates    = "states.csv"
	fileFees      = "removal_fees.csv"
	fileTiers     = "size_tiers.csv"
	fileAged      = "aged_surcharge.csv"
)

var fileNames = []string{
	fileStores, fileCountries, fileAliases, fileStates, fileFees, fileTiers, fileAged,
}

// Set is all tables in force.
type Set struct {
	version string

	storeRows  map[string][]storePeriod // by code, periods that do not overlap
	storeCodes []string

	countries    []Country
	countryIndex [26 * 26]int16 // 1 + place in countries
	aliases      map[string]string
	names        map[string]string // folded name → code

	schedules map[string][]*schedule // by store
	tiers     map[string][]tier      // by region, first fit first
	aged      map[string][]agedRow   // by store

	mu    sync.Mutex
	cards map[cardKey]*FeeCard
}

var loadEmbedded = sync.OnceValues(func() (*Set, error) { return load(nil) })

// Load reads the embedded tables and lays those of override over them; nil, or
// a folder that is not there, overrides nothing. Rows replace embedded rows of
// the same key; rows with a period take precedence on their period; in
// stores.csv, countries.csv and states.csv, columns that the file leaves out
// keep the embedded value. An unusable file gives a *TableError.
func Load(override fs.FS) (*Set, error) {
	own, err := readOwn(override)
	if err != nil {
		return nil, err
	}
	if len(own) == 0 {
		return loadEmbedded()
	}
	return load(own)
}

// readOwn reads the tables of an override folder. Files that are no tables are
// left alone, but a table with a mistyped name would be ignored unseen.
func readOwn(override fs.FS) (map[string][]byte, error) {
	if override == nil {
		return nil, nil
	}
	entries, err := fs.ReadDir(override, ".")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("policy folder: %w", err)
	}
	own := map[string][]byte{}
	for _, e := range entries {
		name := e.Name()
		if e.IsDir() || strings.HasPrefix(name, ".") || !strings.HasSuffix(strings.ToLower(name), ".csv") {
			continue
		}
		if !slices.Contains(fileNames, name) {
			return nil, &TableError{File: name, Reason: "is not a policy table", Near: removal.Nearest(name, fileNames)}
		}
		if own[name], err = fs.ReadFile(override, name); err != nil {
			return nil, fmt.Errorf("policy table %s: %w", name, err)
		}
	}
	return own, nil
}

func load(own map[string][]byte) (*Set, error) {
	s := &Set{cards: map[cardKey]*FeeCard{}}
	l := &loader{own: own, sum: sha256.New()}
	for _, step := range []func(*loader) error{
		s.loadCountries, s.loadAliases, s.loadStates, s.loadNames, s.loadStores, s.loadFees, s.loadTiers, s.loadAged,
	} {
		if err := step(l); err != nil {
			return nil, err
		}
	}
	s.version = hex.EncodeToString(l.sum.Sum(nil)[:6])
	return s, nil
}

// Version is a short hash of every value in force: two sets with the same
// version answer alike.
func (s *Set) Version() string { return s.version }
