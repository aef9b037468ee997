package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// workspaceOf makes a workspace with one merchant in the United States whose
// returns may go anywhere, which is what the other tools' rules say.
func workspaceOf(rensa, dir string) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	for _, words := range [][]string{
		{"init", dir, "--merchant", "m", "--home-store", "US"},
		{"-w", dir, "merchants", "set", "m", "policy.cross_border=any"},
	} {
		if out, err := exec.Command(rensa, words...).CombinedOutput(); err != nil {
			return fmt.Errorf("rensa %s: %w: %s", strings.Join(words, " "), err, out)
		}
	}
	return nil
}

// again makes to the same workspace as from. Large files, which no one writes to,
// are linked.
func again(from, to string) error {
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	return filepath.WalkDir(from, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := filepath.Join(to, strings.TrimPrefix(name, from))
		switch {
		case d.IsDir():
			return os.MkdirAll(target, 0o755)
		case filepath.Ext(name) == ".snap" || filepath.Base(filepath.Dir(filepath.Dir(name))) == "archive":
			return os.Link(name, target)
		}
		b, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		return os.WriteFile(target, b, 0o644)
	})
}

// rowsOf reads accepted and rejected rows from the program's JSON.
func rowsOf(output string) (string, error) {
	var doc struct {
		Runs []struct {
			Rows struct{ Accepted, Rejected int }
		}
	}
	if err := json.Unmarshal([]byte(output), &doc); err != nil {
		return "", err
	}
	if len(doc.Runs) != 1 {
		return "", errors.New("no run in the answer")
	}
	return fmt.Sprint(doc.Runs[0].Rows.Accepted, " ", doc.Runs[0].Rows.Rejected), nil
}

// lastLine is how the other tools print their counts.
func lastLine(output string) (string, error) {
	lines := strings.Split(strings.TrimSpace(output), "\n")
	return strings.Join(strings.Fields(lines[len(lines)-1]), " "), nil
}
