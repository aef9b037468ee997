package inventory

import (
	"sync"
	"sync/atomic"
)

// onDemand is a part of a snapshot that is made when it is first asked for, once, and
// again after it was let go. Whoever has it keeps it as it is.
type onDemand[T any] struct {
	made atomic.Pointer[T]
	mu   sync.Mutex
}

func (o *onDemand[T]) get(make func() *T) *T {
	if v := o.made.Load(); v != nil {
		return v
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	v := o.made.Load()
	if v == nil {
		v = make()
		o.made.Store(v)
	}
	return v
}

// LetGo lets go of what was made for WhyUnknown, Suggest and FindPool, 26 MB and more
// for a million MSKUs. It may be called at any time, also while others ask; whoever
// asks after it waits until it is made again. It is for those who will ask no more.
func (s *Snapshot) LetGo() {
	s.fuzzy.made.Store(nil)
	s.digits.made.Store(nil)
	s.asins.made.Store(nil)
	s.chain.made.Store(nil)
	if s.loadFNSKUs != nil {
		s.fnskus.made.Store(nil)
	}
}
