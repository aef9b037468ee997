package web

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// limiters keep people from trying passwords: so many at once, then one every so
// often, by name and by address. They are of this process; several do not know of
// one another.
type limiters struct {
	now     func() time.Time
	mu      sync.Mutex
	names   map[string]*limiter
	clients map[string]*limiter
}

type limiter struct {
	*rate.Limiter
	used time.Time
}

const (
	triesOfName   = 8
	nameAgain     = 30 * time.Second
	triesOfClient = 20
	clientAgain   = 5 * time.Second
	// maxLimiters is how many are remembered; the oldest are forgotten first.
	maxLimiters = 10_000
)

func newLimiters(now func() time.Time) *limiters {
	return &limiters{now: now, names: map[string]*limiter{}, clients: map[string]*limiter{}}
}

// try tells whether a password may be tried, and if not, after how long.
func (l *limiters) try(name, client string) (bool, time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	of := take(l.clients, client, now, triesOfClient, clientAgain)
	who := take(l.names, name, now, triesOfName, nameAgain)
	if of.TokensAt(now) < 1 || who.TokensAt(now) < 1 {
		return false, max(untilOne(of, now, clientAgain), untilOne(who, now, nameAgain))
	}
	return of.AllowN(now, 1) && who.AllowN(now, 1), 0
}

// passed gives a name its tries back: whoever knows the password tried no other.
func (l *limiters) passed(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.names, name)
}

func untilOne(l *limiter, now time.Time, every time.Duration) time.Duration {
	missing := 1 - l.TokensAt(now)
	if missing <= 0 {
		return 0
	}
	return time.Duration(missing * float64(every))
}

func take(all map[string]*limiter, key string, now time.Time, burst int, every time.Duration) *limiter {
	l := all[key]
	if l == nil {
		if len(all) >= maxLimiters {
			forget(all, now)
		}
		l = &limiter{Limiter: rate.NewLimiter(rate.Every(every), burst)}
		all[key] = l
	}
	l.used = now
	return l
}

// forget drops those that are full again, or else the one unused for longest.
func forget(all map[string]*limiter, now time.Time) {
	oldest := ""
	for key, l := range all {
		if l.TokensAt(now) >= float64(l.Burst()) {
			delete(all, key)
		} else if oldest == "" || l.used.Before(all[oldest].used) {
			oldest = key
		}
	}
	if len(all) >= maxLimiters {
		delete(all, oldest)
	}
}
