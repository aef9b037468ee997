package web

import (
	"errors"
	"fmt"
	"html/template"
	"reflect"
	"strconv"

	"rensa/templates"
)

// functions are what templates can call, beside the methods of view.
//
//	t KEY NAME VALUE …   a text
//	has KEY              whether there is such a text
//	num N                whole number, grouped as the language does
//	bytes N              number of bytes as KiB, MiB, GiB
//	icon NAME            an icon of icons/
//	asset NAME           path of a file of static/
//	dict NAME VALUE …    several values for a partial
//	percent PART WHOLE   0 to 100
func (s *Server) functions(texts *templates.Texts) template.FuncMap {
	return template.FuncMap{
		"t":     func(key string, args ...any) string { return texts.T(key, args...) },
		"has":   texts.Has,
		"num":   func(n any) (string, error) { return number(texts, n) },
		"bytes": func(n int64) string { return texts.T("web.bytes", "n", n) },
		"icon":  s.assets.icon,
		"asset": s.assets.path,
		"dict":  dict,
		"percent": func(part, whole int64) int64 {
			if whole <= 0 {
				return 0
			}
			return min(100, part*100/whole)
		},
	}
}

func number(texts *templates.Texts, n any) (string, error) {
	v := reflect.ValueOf(n)
	switch {
	case v.CanInt():
		return texts.T("web.number", "n", v.Int()), nil
	case v.CanUint():
		return texts.T("web.number", "n", strconv.FormatUint(v.Uint(), 10)), nil
	}
	return "", fmt.Errorf("num of a %T", n)
}

func dict(args ...any) (map[string]any, error) {
	if len(args)%2 != 0 {
		return nil, errors.New("dict takes names and values")
	}
	d := make(map[string]any, len(args)/2)
	for i := 0; i < len(args); i += 2 {
		name, ok := args[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict: %v is not a name", args[i])
		}
		d[name] = args[i+1]
	}
	return d, nil
}
