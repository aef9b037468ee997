package templates

import (
	"fmt"
	"text/template/parse"
)

// Texts are written in the syntax of text/template, of which {{.fact}}, calls of
// functions, if, else and comments are used. They are compiled to closures on
// strings rather than executed by text/template, which calls everything through
// reflection: an upload may have hundreds of thousands of problems, and each
// has two sentences.

// scope is what one text is made from.
type scope struct {
	t     *Texts
	value string // the cell's, as typed
	facts Facts
}

func (s *scope) get(name string) string {
	if s.facts != nil {
		if v := s.facts.Get(name); v != "" {
			return v
		}
	}
	if name == "value" {
		return s.value
	}
	return ""
}

type (
	program []node
	node    func(dst []byte, s *scope) []byte
	// expr is a value in a text; "" is false.
	expr func(s *scope) string
)

func (p program) render(s *scope) string {
	if len(p) == 0 {
		return ""
	}
	return string(p.append(make([]byte, 0, 160), s))
}

func (p program) append(dst []byte, s *scope) []byte {
	for _, n := range p {
		dst = n(dst, s)
	}
	return dst
}

// Execute serves go-i18n.
func (p program) Execute(data any) (string, error) {
	s, ok := data.(*scope)
	if !ok {
		return "", fmt.Errorf("a text is made from a *scope, not from %T", data)
	}
	return p.render(s), nil
}

func compile(name, src string) (program, error) {
	trees, err := parse.Parse(name, src, "", "", functionNames)
	if err != nil {
		return nil, err
	}
	tree := trees[name]
	if tree == nil { // an empty text
		return nil, nil
	}
	p, err := compileList(tree.Root)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}

func compileList(list *parse.ListNode) (program, error) {
	if list == nil {
		return nil, nil
	}
	var p program
	for _, n := range list.Nodes {
		switch n := n.(type) {
		case *parse.TextNode:
			text := string(n.Text)
			p = append(p, func(dst []byte, _ *scope) []byte { return append(dst, text...) })
		case *parse.ActionNode:
			e, err := compilePipe(n.Pipe)
			if err != nil {
				return nil, err
			}
			p = append(p, func(dst []byte, s *scope) []byte { return append(dst, e(s)...) })
		case *parse.IfNode:
			branch, err := compileIf(n)
			if err != nil {
				return nil, err
			}
			p = append(p, branch)
		case *parse.CommentNode:
		default:
			return nil, fmt.Errorf("%s cannot stand in a text", n)
		}
	}
	return p, nil
}

func compileIf(n *parse.IfNode) (node, error) {
	test, err := compilePipe(n.Pipe)
	if err != nil {
		return nil, err
	}
	yes, err := compileList(n.List)
	if err != nil {
		return nil, err
	}
	no, err := compileList(n.ElseList)
	if err != nil {
		return nil, err
	}
	return func(dst []byte, s *scope) []byte {
		if test(s) != "" {
			return yes.append(dst, s)
		}
		return no.append(dst, s)
	}, nil
}

func compilePipe(pipe *parse.PipeNode) (expr, error) {
	if len(pipe.Cmds) != 1 || len(pipe.Decl) != 0 {
		return nil, fmt.Errorf("{{%s}}: neither | nor := can stand in a text", pipe)
	}
	words := pipe.Cmds[0].Args
	id, ok := words[0].(*parse.IdentifierNode)
	if !ok {
		if len(words) != 1 {
			return nil, fmt.Errorf("{{%s}}: only a function takes arguments", pipe)
		}
		return compileWord(words[0])
	}
	f := functions[id.Ident] // the parser has refused names that are not there
	args := make([]expr, 0, len(words)-1)
	for _, w := range words[1:] {
		a, err := compileWord(w)
		if err != nil {
			return nil, err
		}
		args = append(args, a)
	}
	if len(args) < f.min || len(args) > f.max {
		return nil, fmt.Errorf("{{%s}}: %s takes %d to %d arguments", pipe, id.Ident, f.min, f.max)
	}
	return func(s *scope) string { return f.call(s, args) }, nil
}

func compileWord(n parse.Node) (expr, error) {
	switch n := n.(type) {
	case *parse.FieldNode:
		if len(n.Ident) != 1 {
			return nil, fmt.Errorf("%s: a fact has a name of one word", n)
		}
		name := n.Ident[0]
		return func(s *scope) string { return s.get(name) }, nil
	case *parse.StringNode:
		text := n.Text
		return func(*scope) string { return text }, nil
	case *parse.NumberNode:
		text := n.Text
		return func(*scope) string { return text }, nil
	case *parse.PipeNode:
		return compilePipe(n)
	}
	return nil, fmt.Errorf("%s cannot stand in a text", n)
}
