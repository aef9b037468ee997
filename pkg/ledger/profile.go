package ledger

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"rensa/pkg/removal"
)

// ErrUnknownSetting says that a profile has no such key.
var ErrUnknownSetting = errors.New("unknown setting")

// Setting is one key of a profile with its value as text.
type Setting struct{ Key, Value string }

// policyPrefix begins the keys that override one value of the store's policy.
const policyPrefix = "policy."

// setting is one key of a profile: how its value is written and read. set
// answers with what it wants where the text is not that.
type setting struct {
	key string
	get func(*removal.Profile) string
	set func(p *removal.Profile, value string) (want string)
}

// settings are the keys in the order in which they are shown. What a store or
// time zone may be is not known here: whoever sets one looks it up before.
var settings = []setting{
	textSetting("name", func(p *removal.Profile) *string { return &p.Name }),
	textSetting("home_store", func(p *removal.Profile) *string { return &p.HomeStore }),
	textSetting("language", func(p *removal.Profile) *string { return &p.Language }),
	textSetting("time_zone", func(p *removal.Profile) *string { return &p.TimeZone }),
	listSetting("notify", "", func(p *removal.Profile) *[]string { return &p.Notify }),
	textSetting("return_address.name", func(p *removal.Profile) *string { return &p.ReturnAddress.Name }),
	textSetting("return_address.line1", func(p *removal.Profile) *string { return &p.ReturnAddress.Line1 }),
	textSetting("return_address.line2", func(p *removal.Profile) *string { return &p.ReturnAddress.Line2 }),
	textSetting("return_address.line3", func(p *removal.Profile) *string { return &p.ReturnAddress.Line3 }),
	textSetting("return_address.city", func(p *removal.Profile) *string { return &p.ReturnAddress.City }),
	textSetting("return_address.country", func(p *removal.Profile) *string { return &p.ReturnAddress.Country }),
	textSetting("return_address.postal_code", func(p *removal.Profile) *string { return &p.ReturnAddress.PostalCode }),
	textSetting("return_address.state", func(p *removal.Profile) *string { return &p.ReturnAddress.State }),
	textSetting("return_address.phone", func(p *removal.Profile) *string { return &p.ReturnAddress.Phone }),
	choiceSetting("default_method", func(p *removal.Profile) *removal.Method { return &p.DefaultMethod },
		func(m removal.Method) string { return strings.ToLower(m.String()) }, removal.Return, removal.Disposal),
	choiceSetting("acceptance", func(p *removal.Profile) *removal.Acceptance { return &p.Acceptance },
		func(a removal.Acceptance) string { return string(a) }, removal.AcceptRow, removal.AcceptOrder, removal.AcceptFile),
	boolSetting("partial", func(p *removal.Profile) *bool { return &p.Partial }),
	boolSetting("split", func(p *removal.Profile) *bool { return &p.Split }),
	choiceSetting("resubmit", func(p *removal.Profile) *removal.Resubmit { return &p.Resubmit },
		func(r removal.Resubmit) string { return string(r) }, removal.ResubmitContinue, removal.ResubmitRefuse),
	durationSetting("release_delay", func(p *removal.Profile) *time.Duration { return &p.ReleaseDelay }),
	boolSetting("auto_dispose", func(p *removal.Profile) *bool { return &p.AutoDispose }),
	boolSetting("csv_bom", func(p *removal.Profile) *bool { return &p.CSVBOM }),
	boolSetting("shift_jis", func(p *removal.Profile) *bool { return &p.ShiftJIS }),
	listSetting("reports", "all", func(p *removal.Profile) *[]string { return &p.Reports }),
}

// DefaultProfile is the profile that a merchant has as long as nothing is set.
// Language and time zone are the store's, so they are left to the caller.
func DefaultProfile() removal.Profile {
	return removal.Profile{
		HomeStore: "SE", DefaultMethod: removal.Return, Acceptance: removal.AcceptRow,
		Split: true, Resubmit: removal.ResubmitContinue,
	}
}

// SettingKeys lists the keys of a profile. Beside them stands policy.KEY for any KEY.
func SettingKeys() []string {
	keys := make([]string, len(settings))
	for i, s := range settings {
		keys[i] = s.key
	}
	return keys
}

// Settings writes a profile out, every key with its value, those of the policy last.
func Settings(p removal.Profile) []Setting {
	all := make([]Setting, 0, len(settings)+len(p.Policy))
	for _, s := range settings {
		all = append(all, Setting{s.key, s.get(&p)})
	}
	for _, key := range slices.Sorted(maps.Keys(p.Policy)) {
		all = append(all, Setting{policyPrefix + key, p.Policy[key]})
	}
	return all
}

// SetSetting sets one key of a profile. An empty value takes away a text, a list
// or an override of the policy. ErrUnknownSetting names the nearest key; other
// errors say what the value has to be.
func SetSetting(p *removal.Profile, key, value string) error {
	value = strings.TrimSpace(value)
	if name, ok := strings.CutPrefix(key, policyPrefix); ok && name != "" {
		p.Policy = maps.Clone(p.Policy) // a copied profile keeps its own
		if value == "" {
			delete(p.Policy, name)
			return nil
		}
		if p.Policy == nil {
			p.Policy = map[string]string{}
		}
		p.Policy[name] = value
		return nil
	}
	for _, s := range settings {
		if s.key != key {
			continue
		}
		if want := s.set(p, value); want != "" {
			return fmt.Errorf("%s is %q, but has to be %s", key, value, want)
		}
		return nil
	}
	if near := removal.Nearest(key, SettingKeys()); near != "" {
		return fmt.Errorf("%w %q, did you mean %s?", ErrUnknownSetting, key, near)
	}
	return fmt.Errorf("%w %q", ErrUnknownSetting, key)
}

func textSetting(key string, at func(*removal.Profile) *string) setting {
	return setting{key,
		func(p *removal.Profile) string { return *at(p) },
		func(p *removal.Profile, v string) string { *at(p) = v; return "" }}
}

// listSetting is a list with commas; the word none stands for an empty one.
func listSetting(key, none string, at func(*removal.Profile) *[]string) setting {
	return setting{key,
		func(p *removal.Profile) string {
			if len(*at(p)) == 0 {
				return none
			}
			return strings.Join(*at(p), ",")
		},
		func(p *removal.Profile, v string) string {
			var list []string
			for item := range strings.SplitSeq(v, ",") {
				if item = strings.TrimSpace(item); item != "" && v != none {
					list = append(list, item)
				}
			}
			*at(p) = list
			return ""
		}}
}

func boolSetting(key string, at func(*removal.Profile) *bool) setting {
	return setting{key,
		func(p *removal.Profile) string { return strconv.FormatBool(*at(p)) },
		func(p *removal.Profile, v string) string {
			b, err := strconv.ParseBool(strings.ToLower(v))
			if err != nil {
				return "true or false"
			}
			*at(p) = b
			return ""
		}}
}

// durationSetting is a time span such as 90s, 15m or 2h30m, never below zero.
func durationSetting(key string, at func(*removal.Profile) *time.Duration) setting {
	return setting{key,
		func(p *removal.Profile) string { return at(p).String() },
		func(p *removal.Profile, v string) string {
			d, err := time.ParseDuration(strings.ToLower(strings.ReplaceAll(v, " ", "")))
			if err != nil || d < 0 {
				return "a time span such as 0s, 15m or 2h30m"
			}
			*at(p) = d
			return ""
		}}
}

// choiceSetting is one of a few values; case does not count.
func choiceSetting[T comparable](key string, at func(*removal.Profile) *T, name func(T) string, choices ...T) setting {
	return setting{key,
		func(p *removal.Profile) string { return name(*at(p)) },
		func(p *removal.Profile, v string) string {
			var names []string
			for _, c := range choices {
				if strings.EqualFold(name(c), v) {
					*at(p) = c
					return ""
				}
				names = append(names, name(c))
			}
			return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
		}}
}

// putProfile replaces the settings of a merchant. Keys that only a newer program
// knows stay.
func (t *tx) putProfile(ctx context.Context, merchant string, p removal.Profile) error {
	base := DefaultProfile()
	if p.DefaultMethod == removal.MethodNone {
		p.DefaultMethod = base.DefaultMethod
	}
	if p.Acceptance == "" {
		p.Acceptance = base.Acceptance
	}
	if p.Resubmit == "" {
		p.Resubmit = base.Resubmit
	}
	args := []any{merchant, policyPrefix}
	for _, key := range SettingKeys() {
		args = append(args, key)
	}
	_, err := t.ExecContext(ctx, `DELETE FROM merchant_setting WHERE merchant = $1
		AND (substr(key, 1, 7) = $2 OR key IN (`+t.dialect.marks(3, len(settings))+`))`, args...)
	if err != nil {
		return err
	}
	for _, s := range Settings(p) {
		_, err := t.ExecContext(ctx, `INSERT INTO merchant_setting (merchant, key, value) VALUES ($1, $2, $3)`, merchant, s.Key, s.Value)
		if err != nil {
			return fmt.Errorf("setting %s: %w", s.Key, err)
		}
	}
	return nil
}
