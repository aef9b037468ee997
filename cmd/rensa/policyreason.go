package main

import (
	"errors"
	"regexp"

	"rensa/pkg/policy"
)

// policyReasons are what the policy finds wrong with a value, and the hints that say
// the same in the user's language.
var policyReasons = []struct {
	key string
	is  *regexp.Regexp
}{
	{"cli.reason.whole", regexp.MustCompile(`is not a whole number$`)},
	{"cli.reason.between", regexp.MustCompile(`is not between (?P<low>\S+) and (?P<high>\S+)$`)},
	{"cli.reason.falling", regexp.MustCompile(`^is not falling$`)},
	{"cli.want.one_of", regexp.MustCompile(`is not one of (?P<words>.+)$`)},
	{"cli.reason.unknown", regexp.MustCompile(`is not known$`)},
	{"cli.reason.twice", regexp.MustCompile(`^holds "(?P<word>.+)" twice$`)},
	{"cli.reason.country", regexp.MustCompile(`^holds "(?P<word>.*)", which is not a country's code$`)},
	{"cli.reason.currency", regexp.MustCompile(`^is not a currency's three capital letters$`)},
	{"cli.hint.time_zone", regexp.MustCompile(`^is not a time zone like`)},
}

// policyValue tells what is wrong with a value of the policy.
func policyValue(key, value string, bad *policy.PolicyError) *fault {
	f := usage("cli.err.policy_value", "key", key, "given", value)
	if bad.Near != "" {
		f = f.hint("cli.hint.did_you_mean", "name", bad.Near)
	}
	for _, r := range policyReasons {
		found := r.is.FindStringSubmatch(bad.Reason)
		if found == nil {
			continue
		}
		var facts []any
		for i, name := range r.is.SubexpNames() {
			if name != "" {
				facts = append(facts, name, found[i])
			}
		}
		return f.hint(r.key, facts...)
	}
	return f.because(errors.New(bad.Reason))
}
