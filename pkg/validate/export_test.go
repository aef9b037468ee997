package validate

// KeepAtHand lets a decider with a shelf hold no more than n orders.
func KeepAtHand(d *Decider, n int) { d.orders.most = n }
