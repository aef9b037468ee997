package validate

import (
	"bytes"

	"rensa/pkg/removal"
)

// methodWords are the accepted spellings, in lower case.
var methodWords = map[string]removal.Method{
	"return": removal.Return, "returnera": removal.Return, "rücksendung": removal.Return,
	"disposal": removal.Disposal, "dispose": removal.Disposal,
	"bortskaffa": removal.Disposal, "entsorgung": removal.Disposal,
}

// methodsElsewhere are words of methods that no store allows for now.
var methodsElsewhere = map[string]string{
	"liquidate": "Liquidate", "liquidations": "Liquidations", "liquidation": "Liquidations",
	"donate": "Donate", "donation": "Donate",
}

// ParseMethod reads a method as users write it: in English, Swedish or German, in any case.
func ParseMethod(v []byte) removal.Method {
	if m := removal.ParseMethod(string(v)); m != removal.MethodNone {
		return m // as the template has it
	}
	return methodWords[string(bytes.ToLower(bytes.TrimSpace(v)))]
}

// method reads the method of an order and says what is wrong with it.
func (r *Rules) method(v []byte) (removal.Method, *removal.Problem) {
	problem := func(code removal.Code, args removal.Args) *removal.Problem {
		return &removal.Problem{Code: code, Field: removal.FieldMethod, Args: args}
	}
	if len(v) == 0 {
		return removal.MethodNone, problem(removal.OrderHeaderMissing, nil)
	}
	m := ParseMethod(v)
	if m == removal.MethodNone {
		word := string(bytes.ToLower(v))
		if known, ok := methodsElsewhere[word]; ok {
			return m, problem(removal.MethodNotAllowed,
				removal.Args{}.Arg("method", known).Arg("store", r.Store.Code))
		}
		return m, problem(removal.MethodUnknown, nearestMethod(word))
	}
	for _, allowed := range r.Store.Methods {
		if allowed == m {
			return m, nil
		}
	}
	return m, problem(removal.MethodNotAllowed, removal.Args{}.Arg("method", m).Arg("store", r.Store.Code))
}

// synonyms are words for a method that are near none of the accepted ones.
var synonyms = map[string]removal.Method{
	"destroy": removal.Disposal, "destruction": removal.Disposal, "scrap": removal.Disposal,
	"kassera": removal.Disposal, "slänga": removal.Disposal, "vernichten": removal.Disposal,
	"send back": removal.Return, "retur": removal.Return, "remission": removal.Return,
	"zurücksenden": removal.Return, "skicka tillbaka": removal.Return,
}

func nearestMethod(word string) removal.Args {
	m, ok := synonyms[word]
	if !ok {
		m = ParseMethod([]byte(removal.Nearest(word, []string{
			"return", "returnera", "rücksendung", "disposal", "dispose", "bortskaffa", "entsorgung",
		})))
	}
	if m == removal.MethodNone {
		return nil
	}
	return removal.Args{}.Arg("nearest", m)
}
