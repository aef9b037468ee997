package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
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
		return copyFile(name, target)
	})
}

func copyFile(from, to string) error {
	r, err := os.Open(from)
	if err != nil {
		return err
	}
	w, err := os.Create(to)
	if err != nil {
		return errors.Join(err, r.Close())
	}
	_, err = io.Copy(w, r)
	return errors.Join(err, w.Close(), r.Close())
}

var accepted = regexp.MustCompile(`([\d,]+) accepted, ([\d,]+) rejected`)

// rowsOf reads accepted and rejected rows from what the program says.
func rowsOf(output string) (string, error) {
	found := accepted.FindStringSubmatch(output)
	if found == nil {
		return "", errors.New("no run in the answer")
	}
	return strings.ReplaceAll(found[1]+" "+found[2], ",", ""), nil
}

// stockedWith makes a workspace that has taken some files.
func stockedWith(ctx context.Context, rensa, dir string, files ...string) error {
	if err := workspaceOf(rensa, dir); err != nil {
		return err
	}
	for _, f := range files {
		take := exec.CommandContext(ctx, rensa, "-w", dir, "process", f)
		if out, err := take.CombinedOutput(); err != nil && take.ProcessState.ExitCode() != okExit {
			return fmt.Errorf("taking %s: %w: %s", f, err, out)
		}
	}
	return nil
}

// handOnLater makes the workspace whose orders a run does not hand on.
func (b *bench) handOnLater(ctx context.Context) error {
	if err := again(b.stocked, b.later); err != nil {
		return err
	}
	set := exec.CommandContext(ctx, b.rensa, "-w", b.later, "merchants", "set", "m", "release_delay=24h")
	if out, err := set.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// okExit tells that some rows of a file came back.
const okExit = 3

// lastLine is how the other tools print their counts.
func lastLine(output string) (string, error) {
	lines := strings.Split(strings.TrimSpace(output), "\n")
	return strings.Join(strings.Fields(lines[len(lines)-1]), " "), nil
}
