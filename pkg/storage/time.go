package storage

import (
	"fmt"
	"time"
)

// SetTime gives a file the time at which it was changed last, as List tells it.
func (d *Dir) SetTime(name string, t time.Time) error {
	if err := d.root.Chtimes(name, t, t); err != nil {
		return fmt.Errorf("storage: %w", err)
	}
	return nil
}
