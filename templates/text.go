package templates

import (
	"fmt"
	"strings"
	"sync"
)

// text is one text of a language. It is compiled when it is first used: most runs
// of the program need a few of them, and must not wait for all.
type text struct {
	key, file string
	source    string   // with plural forms the general one
	forms     []string // the other plural forms; nil for a text without any
	// compileFunc is compile, given at run time: the functions that compile knows
	// render texts themselves.
	compileFunc func(name, source string) (program, error)

	once sync.Once
	made program
}

// program is the text compiled; that of no text is empty.
func (x *text) program() program {
	if x == nil {
		return nil
	}
	x.once.Do(func() {
		var err error
		if x.made, err = x.compileFunc(x.key, x.source); err != nil {
			panic(fmt.Sprintf("embedded texts: %s: %v", x.file, err))
		}
	})
	return x.made
}

// render makes the sentence.
func (x *text) render(s *scope) string {
	if x != nil && !strings.Contains(x.source, "{{") {
		return x.source
	}
	return x.program().render(s)
}
