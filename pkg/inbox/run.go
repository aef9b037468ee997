package inbox

import (
	"context"
	"errors"
	"path"
	"time"
)

// between is the least time from one look to the next, however many events come:
// a large file that is being copied in makes thousands.
const between = 50 * time.Millisecond

// Run looks until ctx ends: on events where the file system has them, on a timer
// everywhere. taken is called after every look that took something.
func (b *Inbox) Run(ctx context.Context, taken func()) error {
	w := newWatcher(b.Log)
	defer w.close()
	failing := ""
	for {
		looked, err := b.Look(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && err.Error() != failing:
			failing = err.Error()
			b.Log.Error().Err(err).Msg("looking at the inbox failed; it is tried again")
		case err == nil:
			failing = ""
		}
		if looked.Taken > 0 {
			taken()
		}
		wait := b.Poll
		if b.watch(w) {
			wait *= 10
		}
		if err == nil && looked.Next > 0 {
			wait = min(wait, looked.Next)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-b.After(max(wait, time.Millisecond)):
			continue
		case <-w.events:
		}
		select { // a little patience, in which events gather
		case <-ctx.Done():
			return nil
		case <-b.After(between):
		}
		w.drain()
	}
}

// watch asks for events of all folders; it tells whether they can be relied on.
func (b *Inbox) watch(w *watcher) bool {
	ok := w.add(b.path(Folder))
	for m := range b.made {
		ok = w.add(b.path(path.Join(Folder, m))) && ok
	}
	return ok
}

// errNoEvents says that a file system tells nobody of its changes.
var errNoEvents = errors.New("no events on this file system")
