package process

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
	"rensa/pkg/report"
	"rensa/pkg/storage"
)

// place is where the files of a run lie before the commit: in the run's own
// folder, synced, under the names that they will have.
type place struct {
	temp            string
	files, outgoing *storage.Stage // nil for a check
	reports         report.Create
}

// Folders inside a run's own.
const (
	stagedOriginal = "original"
	stagedReports  = "reports"
	stagedOutbound = "outbound"
)

func (p *Processor) stage(j *job) (*place, error) {
	if j.Check {
		dir := filepath.Join(j.temp, stagedReports)
		if err := os.Mkdir(dir, 0o750); err != nil {
			return nil, err
		}
		return &place{temp: dir, reports: func(name string) (io.WriteCloser, error) {
			return os.Create(filepath.Join(dir, name))
		}}, nil
	}
	files, err := p.dir.Stage(j.folder + "/" + stagedReports)
	if err != nil {
		return nil, err
	}
	outgoing, err := p.dir.Stage(j.folder + "/" + stagedOutbound)
	if err != nil {
		return nil, errors.Join(err, files.Discard())
	}
	return &place{files: files, outgoing: outgoing, reports: files.Create}, nil
}

// sync makes everything durable where it lies.
func (pl *place) sync() error { return errors.Join(pl.files.Sync(), pl.outgoing.Sync()) }

// discard clears away what was not given its place.
func (pl *place) discard() error {
	if pl.files == nil {
		return os.RemoveAll(pl.temp)
	}
	return errors.Join(pl.files.Discard(), pl.outgoing.Discard())
}

// give copies the reports of a check to the folder that the user named.
func (pl *place) give(folder string) (_ string, err error) {
	if folder == "" {
		return "", nil
	}
	to, err := storage.Open(folder)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	names, err := os.ReadDir(pl.temp)
	if err != nil {
		return "", err
	}
	for _, e := range names {
		f, err := os.Open(filepath.Join(pl.temp, e.Name()))
		if err != nil {
			return "", err
		}
		_, err = to.Replace(e.Name(), f)
		if err = errors.Join(err, f.Close()); err != nil {
			return "", err
		}
	}
	return folder, nil
}

// manifest says what an outgoing file holds; it lies beside it.
type manifest struct {
	File    string   `json:"file"`
	SHA256  string   `json:"sha256"`
	Bytes   int64    `json:"bytes"`
	Run     string   `json:"run_id"`
	Created string   `json:"created"`
	Orders  []string `json:"orders"`
}

// outgoingFile makes the n-th outgoing file of a run from whole orders.
func outgoingFile(j *job, run *ledger.Run, orders []removal.Order, n int) (ledger.Outbound, []byte, error) {
	var body bytes.Buffer
	if err := writeOrders(&body, orders); err != nil {
		return ledger.Outbound{}, nil, err
	}
	o := outboundOf(j, run, n)
	for i := range orders {
		o.Orders = append(o.Orders, orders[i].ID)
	}
	sum := sha256.Sum256(body.Bytes())
	o.SHA256, o.Bytes = hex.EncodeToString(sum[:]), int64(body.Len())
	return o, body.Bytes(), nil
}

// outboundOf begins what the ledger keeps of the n-th outgoing file of a run: all but
// its content.
func outboundOf(j *job, run *ledger.Run, n int) ledger.Outbound {
	return ledger.Outbound{
		Merchant: j.Merchant, Name: fmt.Sprintf("removal-%s-%d.tsv", run.ID, n), Run: run.ID, Created: j.started,
	}
}

// putOutbound stages an outgoing file and its manifest, and enters hash and length.
func (pl *place) putOutbound(j *job, o *ledger.Outbound, body []byte) error {
	f, err := pl.outgoing.Put(o.Name, body)
	if err != nil {
		return err
	}
	o.SHA256, o.Bytes = f.SHA256, f.Bytes
	beside, err := outgoingManifest(j, o)
	if err != nil {
		return err
	}
	_, err = pl.outgoing.Put(manifestName(o.Name), beside)
	return err
}

func manifestName(file string) string { return file + ".manifest.json" }

func outgoingManifest(j *job, o *ledger.Outbound) ([]byte, error) {
	m := manifest{
		File: o.Name, SHA256: o.SHA256, Bytes: o.Bytes, Run: o.Run,
		Created: o.Created.In(j.zone).Format(time.RFC3339), Orders: o.Orders,
	}
	if o.List == nil {
		text, err := json.MarshalIndent(m, "", "  ")
		return append(text, '\n'), err
	}
	list, err := o.List()
	if err != nil {
		return nil, err
	}
	m.Orders = []string{}
	text, err := report.List(list).Object(&m, "")
	return append(text, '\n'), err
}
