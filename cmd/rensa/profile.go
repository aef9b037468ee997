package main

import (
	"errors"
	"fmt"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"rensa/pkg/policy"
	"rensa/pkg/removal"
	"rensa/templates"
)

// profileKey is one setting of a merchant: how it is written and read.
type profileKey struct {
	name string
	get  func(*removal.Profile) string
	set  func(e *profileEdit, value string) error
}

// profileEdit changes a profile key by key and is checked as a whole at its end.
type profileEdit struct {
	removal.Profile
	policy *policy.Set
	on     time.Time
	given  []string // keys that were set, in their order
}

const (
	policyPrefix = "policy."
	defaultStore = "SE" // of a new merchant
)

// profileKeys lists the keys of a profile in the order in which they are shown,
// those of the policy's overrides aside.
func profileKeys() []profileKey {
	keys := []profileKey{
		{"name", func(p *removal.Profile) string { return p.Name }, setName},
		{"home_store", func(p *removal.Profile) string { return p.HomeStore }, setHomeStore},
		{
			"language", func(p *removal.Profile) string { return p.Language },
			func(e *profileEdit, v string) error {
				return setWord(&e.Language, "language", v, templates.Languages())
			},
		},
		{"time_zone", func(p *removal.Profile) string { return p.TimeZone }, setTimeZone},
		{"notify", func(p *removal.Profile) string { return strings.Join(p.Notify, ",") }, setNotify},
	}
	keys = append(keys, addressKeys()...)
	return append(keys,
		profileKey{
			"default_method", func(p *removal.Profile) string { return methodWord(p.DefaultMethod) },
			func(e *profileEdit, v string) error {
				word := ""
				if err := setWord(&word, "default_method", v, methodWords()); err != nil {
					return err
				}
				e.DefaultMethod = methodOf(word)
				return nil
			},
		},
		profileKey{
			"acceptance", func(p *removal.Profile) string { return string(p.Acceptance) },
			func(e *profileEdit, v string) error {
				return setWord(&e.Acceptance, "acceptance", v, []removal.Acceptance{removal.AcceptRow, removal.AcceptOrder, removal.AcceptFile})
			},
		},
		boolKey("partial", func(p *removal.Profile) *bool { return &p.Partial }),
		boolKey("split", func(p *removal.Profile) *bool { return &p.Split }),
		profileKey{
			"resubmit", func(p *removal.Profile) string { return string(p.Resubmit) },
			func(e *profileEdit, v string) error {
				return setWord(&e.Resubmit, "resubmit", v, []removal.Resubmit{removal.ResubmitContinue, removal.ResubmitRefuse})
			},
		},
		profileKey{
			"release_delay", func(p *removal.Profile) string { return delayText(p.ReleaseDelay) },
			func(e *profileEdit, v string) error {
				d, err := time.ParseDuration(strings.ToLower(strings.ReplaceAll(v, " ", "")))
				if err != nil || d < 0 || d > maxDelay {
					return usage("cli.err.profile_value", "key", "release_delay", "given", v).hint("cli.want.delay")
				}
				e.ReleaseDelay = d
				return nil
			},
		},
		boolKey("auto_dispose", func(p *removal.Profile) *bool { return &p.AutoDispose }),
		boolKey("csv_bom", func(p *removal.Profile) *bool { return &p.CSVBOM }),
		boolKey("shift_jis", func(p *removal.Profile) *bool { return &p.ShiftJIS }),
		profileKey{"reports", func(p *removal.Profile) string { return joinReports(p.Reports) }, func(e *profileEdit, v string) error {
			names, err := parseReports(v)
			e.Reports = names
			return err
		}},
	)
}

// maxDelay is the longest that orders can be made to wait.
const maxDelay = 90 * 24 * time.Hour

// delayText writes a time span without its zero parts: 2h, 1h30m, 0s.
func delayText(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func addressKeys() []profileKey {
	parts := []struct {
		name string
		at   func(*removal.Address) *string
	}{
		{"name", func(a *removal.Address) *string { return &a.Name }},
		{"line1", func(a *removal.Address) *string { return &a.Line1 }},
		{"line2", func(a *removal.Address) *string { return &a.Line2 }},
		{"line3", func(a *removal.Address) *string { return &a.Line3 }},
		{"city", func(a *removal.Address) *string { return &a.City }},
		{"state", func(a *removal.Address) *string { return &a.State }},
		{"postal_code", func(a *removal.Address) *string { return &a.PostalCode }},
		{"country", func(a *removal.Address) *string { return &a.Country }},
		{"phone", func(a *removal.Address) *string { return &a.Phone }},
	}
	keys := make([]profileKey, 0, len(parts)+1)
	for _, part := range parts {
		key := "return_address." + part.name
		keys = append(keys, profileKey{
			key, func(p *removal.Profile) string { return *part.at(&p.ReturnAddress) },
			func(e *profileEdit, v string) error {
				if err := plainText(key, v, 60); err != nil {
					return err
				}
				*part.at(&e.ReturnAddress) = v
				return nil
			},
		})
	}
	return keys
}

func boolKey(name string, at func(*removal.Profile) *bool) profileKey {
	return profileKey{
		name, func(p *removal.Profile) string { return strconv.FormatBool(*at(p)) },
		func(e *profileEdit, v string) error {
			word := ""
			if err := setWord(&word, name, v, []string{"true", "false"}); err != nil {
				return err
			}
			*at(&e.Profile) = word == "true"
			return nil
		},
	}
}

// defaultProfile is the profile of a new merchant of a store.
func defaultProfile(store policy.Store) removal.Profile {
	return removal.Profile{
		HomeStore: store.Code, Language: storeLanguage(store), TimeZone: store.TimeZone,
		DefaultMethod: removal.Return, Acceptance: removal.AcceptRow, Split: true, Resubmit: removal.ResubmitContinue,
	}
}

// storeLanguage is the first of the store's languages that has texts.
func storeLanguage(store policy.Store) string {
	for _, l := range store.Languages {
		if slices.Contains(templates.Languages(), l) {
			return l
		}
	}
	return "en"
}

// apply sets key=value, in the user's writing.
func (e *profileEdit) apply(assignment string) error {
	name, value, ok := strings.Cut(assignment, "=")
	if !ok {
		return usage("cli.err.assignment", "given", assignment).hint("cli.hint.assignment")
	}
	value = strings.TrimSpace(value)
	e.given = append(e.given, name)
	if key, ok := strings.CutPrefix(name, policyPrefix); ok {
		return e.setPolicy(key, value)
	}
	if name == "return_address" && value == "" {
		e.ReturnAddress = removal.Address{}
		return nil
	}
	names := []string{policyPrefix + "KEY"}
	for _, k := range profileKeys() {
		if k.name == name {
			return k.set(e, value)
		}
		names = append(names, k.name)
	}
	return usage("cli.err.profile_key", "key", name).near(name, names).
		hint("cli.hint.profile_keys", "keys", strings.Join(names, ", "))
}

// setPolicy overrides one value of the store's policy; an empty value takes the
// override away.
func (e *profileEdit) setPolicy(key, value string) error {
	changed := make(map[string]string, len(e.Policy)+1)
	for k, v := range e.Policy {
		changed[k] = v
	}
	changed[key] = value
	if value == "" {
		delete(changed, key)
	}
	_, err := e.policy.Store(e.HomeStore, e.on, changed)
	bad, ok := errors.AsType[*policy.PolicyError](err)
	switch {
	case err == nil:
		e.Policy = changed
		return nil
	case !ok:
		return err
	case !slices.Contains(policy.Keys(), key):
		f := usage("cli.err.profile_key", "key", policyPrefix+key)
		if bad.Near != "" {
			f = f.hint("cli.hint.did_you_mean", "name", policyPrefix+bad.Near)
		}
		return f.hint("cli.hint.policy_keys", "keys", strings.Join(policy.Keys(), ", "))
	}
	f := usage("cli.err.policy_value", "key", key, "given", value)
	if bad.Near != "" {
		f = f.hint("cli.hint.did_you_mean", "name", bad.Near)
	}
	if bad.What == "" {
		return f.because(errors.New(bad.Reason))
	}
	return f.hint("cli.reason."+bad.What, bad.Facts...)
}

// finish checks what concerns several keys at once.
func (e *profileEdit) finish() error {
	if _, err := e.policy.Store(e.HomeStore, e.on, e.Policy); err != nil {
		return usage("cli.err.policy_store", "store", e.HomeStore).because(err)
	}
	a := e.ReturnAddress
	if a.IsZero() {
		return nil
	}
	for _, part := range []struct{ key, value string }{
		{"name", a.Name}, {"line1", a.Line1}, {"city", a.City}, {"country", a.Country},
	} {
		if part.value == "" {
			return usage("cli.err.address_part", "key", "return_address."+part.key)
		}
	}
	country, ok := e.policy.Country(a.Country)
	if !ok {
		f := usage("cli.err.country", "given", a.Country)
		if code, ok := e.policy.CountryByName(a.Country); ok {
			f = f.hint("cli.hint.did_you_mean", "name", code)
		} else if code, ok := e.policy.CountryAlias(a.Country); ok {
			f = f.hint("cli.hint.did_you_mean", "name", code)
		}
		return f
	}
	return e.checkPlace(country)
}

func (e *profileEdit) checkPlace(country policy.Country) error {
	a := &e.ReturnAddress
	if a.PostalCode == "" && country.PostalRequired {
		return usage("cli.err.address_part", "key", "return_address.postal_code")
	}
	if a.PostalCode != "" && !country.PostalValid(a.PostalCode) {
		f := usage("cli.err.postal", "given", a.PostalCode, "country", country.Code)
		if s := country.SuggestPostal(a.PostalCode); s != "" {
			return f.hint("cli.hint.did_you_mean", "name", s)
		}
		return f
	}
	if a.State == "" && country.StateRequired {
		return usage("cli.err.address_part", "key", "return_address.state")
	}
	if a.State != "" {
		code, ok := country.State(a.State)
		if !ok {
			f := usage("cli.err.state", "given", a.State, "country", country.Code)
			if s := country.NearestState(a.State); s != "" {
				return f.hint("cli.hint.did_you_mean", "name", s)
			}
			return f
		}
		if code != "" {
			a.State = code
		}
	}
	if a.Phone != "" && !policy.PhoneValid(country.Code, a.Phone) {
		return usage("cli.err.phone", "given", a.Phone, "country", country.Code)
	}
	return nil
}

// policyNames are the keys that are overridden, sorted.
func policyNames(p *removal.Profile) []string {
	names := make([]string, 0, len(p.Policy))
	for k := range p.Policy {
		names = append(names, k)
	}
	slices.Sort(names)
	return names
}

func setName(e *profileEdit, v string) error {
	if err := plainText("name", v, 100); err != nil {
		return err
	}
	e.Name = v
	return nil
}

// setHomeStore changes the store. Language and zone follow it where they were the
// old store's own.
func setHomeStore(e *profileEdit, v string) error {
	store, err := findStore(e.policy, v, e.on)
	if err != nil {
		return err
	}
	old, err := e.policy.Store(e.HomeStore, e.on, nil)
	if err != nil {
		return fmt.Errorf("the merchant's store: %w", err)
	}
	if e.Language == storeLanguage(old) && !slices.Contains(e.given, "language") {
		e.Language = storeLanguage(store)
	}
	if e.TimeZone == old.TimeZone && !slices.Contains(e.given, "time_zone") {
		e.TimeZone = store.TimeZone
	}
	e.HomeStore = store.Code
	return nil
}

// findStore looks a store up as users write its code.
func findStore(set *policy.Set, code string, on time.Time) (policy.Store, error) {
	store, err := set.Store(strings.ToUpper(strings.TrimSpace(code)), on, nil)
	if err == nil {
		return store, nil
	}
	f := usage("cli.err.store", "given", code)
	if bad, ok := errors.AsType[*policy.PolicyError](err); ok && bad.Near != "" {
		f = f.hint("cli.hint.did_you_mean", "name", bad.Near)
	}
	return store, f.hint("cli.want.one_of", "words", strings.Join(set.Stores(), ", "))
}

func setTimeZone(e *profileEdit, v string) error {
	if _, err := time.LoadLocation(v); err != nil || v == "" || v == "Local" {
		return usage("cli.err.time_zone", "given", v).hint("cli.hint.time_zone")
	}
	e.TimeZone = v
	return nil
}

func setNotify(e *profileEdit, v string) error {
	var all []string
	for _, one := range strings.Split(v, ",") {
		one = strings.TrimSpace(one)
		if one == "" {
			continue
		}
		if a, err := mail.ParseAddress(one); err != nil || a.Address != one {
			return usage("cli.err.mail_address", "given", one)
		}
		all = append(all, one)
	}
	e.Notify = all
	return nil
}

func setWord[T ~string](to *T, key, value string, known []T) error {
	words := make([]string, len(known))
	for i, k := range known {
		if words[i] = string(k); strings.EqualFold(words[i], value) {
			*to = k
			return nil
		}
	}
	f := usage("cli.err.profile_value", "key", key, "given", value).near(value, words)
	f.hints = append(f.hints, oneOf(words))
	return f
}

func plainText(key, v string, most int) error {
	if utf8.RuneCountInString(v) > most {
		return usage("cli.err.too_long", "key", key, "max", most)
	}
	if !utf8.ValidString(v) || strings.ContainsFunc(v, unicode.IsControl) {
		return usage("cli.err.profile_value", "key", key, "given", v)
	}
	return nil
}
