package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"rensa/pkg/inbox"
	"rensa/pkg/ledger"
)

// filesAtOnce is how many runs one page lists.
const filesAtOnce = 50

func (s *Server) fileRoutes() []route {
	look, do := ledger.RoleViewer, ledger.RoleOperator
	return []route{
		{pattern: "GET /m/{merchant}/files", scope: ofMerchant, role: look, handle: s.filesPage},
		{pattern: "POST /m/{merchant}/files", scope: ofMerchant, role: do, handle: s.upload, body: aStream},
		{pattern: "GET /m/{merchant}/files/live", scope: ofMerchant, role: look, handle: s.filesLive, live: true},
		{pattern: "GET /m/{merchant}/files/{file}", scope: ofMerchant, role: look, handle: s.claimPage},
		{pattern: "GET /m/{merchant}/files/{file}/live", scope: ofMerchant, role: look, handle: s.claimLive, live: true},
		{pattern: "GET /m/{merchant}/runs/{run}", scope: ofMerchant, role: look, handle: s.runPage},
		{pattern: "GET /m/{merchant}/runs/{run}/files/{name}", scope: ofMerchant, role: look, handle: s.download},
		{pattern: "GET /m/{merchant}/runs/{run}/outbound/{name}", scope: ofMerchant, role: look, handle: s.downloadOutbound},
		{pattern: "GET /m/{merchant}/runs/{run}/original", scope: ofMerchant, role: look, handle: s.downloadOriginal},
		{pattern: "GET /m/{merchant}/runs/{run}/fix", scope: ofMerchant, role: do, handle: s.fixPage},
		{pattern: "GET /m/{merchant}/runs/{run}/corrected", scope: ofMerchant, role: do, handle: s.downloadFixed},
		{pattern: "POST /m/{merchant}/runs/{run}/fix", scope: ofMerchant, role: do, handle: s.dropFixed},
	}
}

// fileList is the page of files: what is on its way, and what came of the others.
type fileList struct {
	Waiting   []waitingFile
	Entries   []fileEntry
	MaxUpload int64
	Next      string
	First     string
	Stock     bool // the merchant has inventory
}

// fileEntry is one file that is done: Run is nil where it ended without one.
type fileEntry struct {
	At   time.Time
	Run  *ledger.Run
	Work *ledger.Work
}

func (s *Server) filesPage(w http.ResponseWriter, r *http.Request, v *visit) error {
	list, err := s.fileList(r, v)
	if err != nil {
		return err
	}
	if r.URL.Query().Get("part") == "done" {
		return s.renderPart(w, r, v, "files.html", "done", list)
	}
	return s.render(w, r, v, "files.html", list)
}

func (s *Server) fileList(r *http.Request, v *visit) (*fileList, error) {
	ctx, q, m := r.Context(), r.URL.Query(), v.merchant.ID
	list := &fileList{MaxUpload: s.MaxUpload}
	runs, next, err := s.Ledger.Runs(ctx, ledger.RunFilter{Merchant: m, Limit: filesAtOnce, Cursor: q.Get("cursor")})
	if err != nil {
		return nil, err
	}
	for i := range runs {
		list.Entries = append(list.Entries, fileEntry{At: runs[i].Finished, Run: &runs[i]})
	}
	// Files that ended without a run stand among the runs of their time.
	until, from := int64(1<<62), int64(0)
	if before, err := strconv.ParseInt(q.Get("before"), 36, 64); err == nil && q.Get("cursor") != "" {
		until = before
	}
	if next != "" {
		from = runs[len(runs)-1].Finished.UnixMicro()
		list.Next = merchantPath(m, "files") + "?" + url.Values{"cursor": {next}, "before": {strconv.FormatInt(from, 36)}}.Encode()
	}
	if q.Get("cursor") != "" {
		list.First = merchantPath(m, "files")
	}
	ended, err := s.Ledger.WithoutRun(ctx, m, 0)
	if err != nil {
		return nil, err
	}
	for i := range ended {
		if at := ended[i].Claimed.UnixMicro(); at < until && at >= from {
			list.Entries = append(list.Entries, fileEntry{At: ended[i].Claimed, Work: &ended[i]})
		}
	}
	slices.SortStableFunc(list.Entries, func(a, b fileEntry) int { return b.At.Compare(a.At) })
	if list.First == "" {
		if list.Waiting, err = s.waiting(r, v); err != nil {
			return nil, err
		}
	}
	snapshot, err := s.Ledger.Snapshot(ctx, m)
	list.Stock = snapshot != nil
	return list, err
}

// waitingFile is a file that is not done.
type waitingFile struct {
	Name  string
	ID    string // "" while it lies in the inbox
	Steps []step
	Bytes int64
	// Problem is why it is tried again.
	Problem string
	Retry   time.Time
	Since   time.Time
}

// waiting are the files on the list that are not done, and those that still rest
// in the inbox.
func (s *Server) waiting(r *http.Request, v *visit) ([]waitingFile, error) {
	open, err := s.Ledger.Waiting(r.Context(), v.merchant.ID)
	if err != nil {
		return nil, err
	}
	var all []waitingFile
	for i := range open {
		all = append(all, s.waitingFile(&open[i]))
	}
	entries, err := s.Dir.List(inbox.Folder + "/" + v.merchant.ID)
	if err != nil {
		s.Log.Warn().Err(err).Str("merchant", v.merchant.ID).Msg("the inbox cannot be read")
		return all, nil
	}
	for _, e := range entries {
		if inbox.Meant(e) {
			all = append(all, waitingFile{Name: baseName(e.Name), Bytes: e.Bytes, Since: e.Time, Steps: steps(-1)})
		}
	}
	return all, nil
}

// step is one thing that happens to a file: done, now or later.
type step struct{ Name, State string }

// The steps of a file, by the text web.step.NAME.
var stepNames = []string{"received", "queued", "checked", "written"}

// steps tells how far a file is: those before now are done. At -1 it is not on
// the list yet.
func steps(now int) []step {
	all := make([]step, len(stepNames))
	for i, name := range stepNames {
		all[i] = step{name, "later"}
		if i < now {
			all[i].State = "done"
		} else if i == now || i == 0 && now < 0 {
			all[i].State = "now"
		}
	}
	return all
}

func (s *Server) waitingFile(w *ledger.Work) waitingFile {
	now := 1
	switch {
	case w.State == ledger.FileCommitted, w.State == ledger.FilePublished, w.Target != "":
		now = 3
	case !w.Open():
		now = len(stepNames)
	case w.LeaseOwner != "" && w.LeaseUntil.After(s.Now()):
		now = 2
	}
	f := waitingFile{Name: w.Name, ID: w.ID, Steps: steps(now), Since: w.Claimed}
	if w.Failures > 0 && w.Open() {
		f.Problem, f.Retry = w.Reason, w.RetryAfter
	}
	return f
}
