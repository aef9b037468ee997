package desk

import (
	"regexp"

	"rensa/pkg/ledger"
)

// sentences are those in which the desk keeps what happened to an order, by event,
// and the text that says the same in the reader's language.
var sentences = map[string][]sentence{
	"status":            {{"units", unitsTold}},
	"external":          {{"units", unitsTold}},
	"placed":            {{"fee", feeTold}},
	"required":          {{"required", regexp.MustCompile(`^deadline past on (?P<day>\S+); ` + feeTold.String()[1:])}},
	"cancelled":         {{"cancelled", regexp.MustCompile(`^(?P<units>\d+) units(?: (?P<file>.+))?$`)}},
	"status_late":       {{"row", rowTold}},
	"status_unbalanced": {{"row", rowTold}},
}

type sentence struct {
	key string
	is  *regexp.Regexp
}

const quantitiesTold = `cancelled (?P<cancelled>-?\d+), disposed (?P<disposed>-?\d+), shipped (?P<shipped>-?\d+), in process (?P<in_process>-?\d+)$`

var (
	unitsTold = regexp.MustCompile(`^` + quantitiesTold)
	rowTold   = regexp.MustCompile(`^(?P<day>\S+) (?P<sku>.+) (?P<condition>sellable|unsellable): requested (?P<requested>-?\d+), ` + quantitiesTold)
	feeTold   = regexp.MustCompile(`^fee (?:without a figure|(?P<fee>\S+ \S*?))(?:, (?P<without>\d+) without a figure)?(?:, part of (?P<part>.+))?$`)
)

// Told finds the text "word.told.KEY", and its facts, name and value in turn, that says
// why an event of an order happened; no key where there is none, and the event's own
// words are to be shown.
func Told(e *ledger.Event) (key string, facts []any) {
	for _, s := range sentences[e.What] {
		found := s.is.FindStringSubmatch(e.Why)
		if found == nil {
			continue
		}
		for i, name := range s.is.SubexpNames() {
			if name != "" {
				facts = append(facts, name, found[i])
			}
		}
		return s.key, facts
	}
	return "", nil
}
