//go:build !linux

package inventory

// wholePages is for systems that can be asked for large pages.
func wholePages([]byte) {}
