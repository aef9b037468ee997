package storage

import "io"

// Op is one act on the disk, as a Watch hears of it.
type Op string

// The acts on the disk.
const (
	OpCreate     Op = "create"      // a file begins under its hidden name, or a folder is made
	OpWrite      Op = "write"       // bytes of a file
	OpSync       Op = "sync"        // a file's bytes become durable
	OpRename     Op = "rename"      // a name becomes another
	OpSyncFolder Op = "sync folder" // names in a folder become durable
	OpDelete     Op = "delete"
)

// Watch is asked before each act on the disk, with the name of what it is done to
// (of a rename: the new name); what it answers, if not nil, is how the act fails.
// It may be asked from several goroutines.
type Watch func(op Op, name string) error

// SetWatch lets a test hear of every act and make any of them fail. It is called
// before the Dir is used. Nothing else sets one.
func (d *Dir) SetWatch(w Watch) { d.watch = w }

func (d *Dir) ask(op Op, name string) error {
	if d.watch == nil {
		return nil
	}
	return d.watch(op, name)
}

// watched asks before every write.
type watched struct {
	io.Writer
	dir  *Dir
	name string
}

func (w watched) Write(p []byte) (int, error) {
	if err := w.dir.ask(OpWrite, w.name); err != nil {
		return 0, err
	}
	return w.Writer.Write(p)
}

// watching gives w, asked about where somebody watches.
func (d *Dir) watching(w io.Writer, name string) io.Writer {
	if d.watch == nil {
		return w
	}
	return watched{Writer: w, dir: d, name: name}
}
