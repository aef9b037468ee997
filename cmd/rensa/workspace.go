package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// folders are what a workspace holds beside rensa.toml and the ledger.
var folders = []string{"inbox", "work", "archive", "rejected", "reports", "outbound", "snapshots", "policy"}

// findWorkspace returns the workspace's folder: the one given by flag, else by
// RENSA_WORKSPACE, else the nearest folder from cwd upwards that holds rensa.toml.
func findWorkspace(flag string, environ []string, cwd string) (string, error) {
	if flag != "" {
		return namedWorkspace(flag, cwd, "-w")
	}
	if v, ok := lookup(environ, "RENSA_WORKSPACE"); ok && v != "" {
		return namedWorkspace(v, cwd, "RENSA_WORKSPACE")
	}
	for dir := cwd; ; dir = filepath.Dir(dir) {
		found, err := isWorkspace(dir)
		if err != nil || found {
			return dir, err
		}
		if dir == filepath.Dir(dir) {
			return "", usage("cli.err.no_workspace", "dir", cwd).hint("cli.hint.no_workspace")
		}
	}
}

func namedWorkspace(dir, cwd, source string) (string, error) {
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(cwd, dir)
	}
	found, err := isWorkspace(dir)
	if err == nil && !found {
		err = usage("cli.err.not_a_workspace", "dir", dir, "source", source).hint("cli.hint.init", "dir", dir)
	}
	return dir, err
}

func isWorkspace(dir string) (bool, error) {
	info, err := os.Stat(filepath.Join(dir, configName))
	switch {
	case err == nil:
		return info.Mode().IsRegular(), nil
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	}
	return false, usage("cli.err.config_read", "file", filepath.Join(dir, configName)).because(err)
}
