//go:build !linux

package inbox

// hasEvents: what cannot be told is believed; the timer makes up for it.
func hasEvents(string) bool { return true }
