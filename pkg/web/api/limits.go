package api

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// limits counts requests by whoever makes them. It forgets those who have been
// quiet long enough to have their whole allowance again.
type limits struct {
	rate  rate.Limit
	burst int
	now   func() time.Time

	mu      sync.Mutex
	of      map[string]*rate.Limiter
	cleared time.Time
}

func newLimits(perSecond float64, burst int, now func() time.Time) *limits {
	return &limits{rate: rate.Limit(perSecond), burst: burst, now: now, of: map[string]*rate.Limiter{}}
}

// take counts a request; where there were too many it gives how long to wait.
func (l *limits) take(who string) (wait time.Duration, ok bool) {
	now := l.now()
	r := l.limiter(who, now).ReserveN(now, 1)
	if wait = r.DelayFrom(now); wait > 0 {
		r.CancelAt(now)
		return wait, false
	}
	return 0, true
}

func (l *limits) limiter(who string, now time.Time) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if full := time.Duration(float64(l.burst)/float64(l.rate)*float64(time.Second)) + time.Minute; now.Sub(l.cleared) > full {
		l.cleared = now
		for key, one := range l.of {
			if one.TokensAt(now) >= float64(l.burst) {
				delete(l.of, key)
			}
		}
	}
	one := l.of[who]
	if one == nil {
		one = rate.NewLimiter(l.rate, l.burst)
		l.of[who] = one
	}
	return one
}
