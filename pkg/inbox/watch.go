package inbox

import (
	"github.com/fsnotify/fsnotify"
	"github.com/rs/zerolog"
)

// watcher gathers the events of folders into one channel. Where there are none
// it is silent.
type watcher struct {
	events chan struct{}
	inner  *fsnotify.Watcher // nil where the system has no events
	log    zerolog.Logger
	told   map[string]bool
	ended  chan struct{}
}

func newWatcher(log zerolog.Logger) *watcher {
	w := &watcher{events: make(chan struct{}, 1), log: log, told: map[string]bool{}, ended: make(chan struct{})}
	inner, err := fsnotify.NewWatcher()
	if err != nil {
		log.Warn().Err(err).Msg("the system gives no events of folders: they are looked at every second")
		close(w.ended)
		return w
	}
	w.inner = inner
	go w.gather()
	return w
}

func (w *watcher) gather() {
	defer close(w.ended)
	for {
		select {
		case _, ok := <-w.inner.Events:
			if !ok {
				return
			}
		case err, ok := <-w.inner.Errors:
			if !ok {
				return
			}
			// Events may be lost (a queue that ran over): a look finds what they meant.
			w.log.Debug().Err(err).Msg("events of folders")
		}
		select {
		case w.events <- struct{}{}:
		default:
		}
	}
}

// add asks for the events of a folder. Asking again does no harm, and is how a
// folder that was gone and came back is heard again.
func (w *watcher) add(folder string) bool {
	if w.inner == nil {
		return false
	}
	err := errNoEvents
	if hasEvents(folder) {
		err = w.inner.Add(folder)
	}
	if err != nil && !w.told[folder] {
		w.log.Info().Err(err).Str("folder", folder).Msg("the folder gives no events: it is looked at on a timer")
	}
	w.told[folder] = err != nil
	return err == nil
}

func (w *watcher) drain() {
	select {
	case <-w.events:
	default:
	}
}

func (w *watcher) close() {
	if w.inner != nil {
		if err := w.inner.Close(); err != nil {
			w.log.Debug().Err(err).Msg("ending the events of folders")
		}
	}
	<-w.ended
}
