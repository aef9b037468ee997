package desk

// Version counts the changes of a draft: whoever changes one that they looked at
// before can tell in Edit's fn whether somebody else was first.
func (d *Draft) Version() int64 { return d.version }
