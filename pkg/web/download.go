package web

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
)

// reportFolder finds where the reports of a run lie; "" where they are gone.
func (s *Server) reportFolder(m *removal.Merchant, run *ledger.Run) (string, error) {
	zone, err := time.LoadLocation(m.Profile.TimeZone)
	if err != nil {
		zone = time.UTC
	}
	// The zone may have been another one when the run was made.
	day := run.Started.In(zone)
	for _, d := range []time.Time{day, day.AddDate(0, 0, -1), day.AddDate(0, 0, 1)} {
		folder := path.Join("reports", run.Merchant, d.Format(time.DateOnly), run.ID)
		there, err := s.Dir.Exists(folder)
		if err != nil || there {
			return folder, err
		}
	}
	return "", nil
}

// openReport opens a report of a run. errGone: it is no longer there.
func (s *Server) openReport(m *removal.Merchant, run *ledger.Run, name string) (*os.File, error) {
	if !slices.ContainsFunc(run.Outputs, func(o ledger.Output) bool { return o.Name == name }) {
		return nil, errNotFound
	}
	folder, err := s.reportFolder(m, run)
	if err != nil {
		return nil, err
	}
	if folder == "" {
		return nil, ErrGone
	}
	return s.openFile(path.Join(folder, name))
}

func (s *Server) openFile(name string) (*os.File, error) {
	f, err := s.Dir.Get(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrGone
	}
	return f, err
}

// readSome reads the beginning of a file of the workspace. errNotFound.
func (s *Server) readSome(name string, most int64) (string, error) {
	f, err := s.Dir.Get(name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", errNotFound
	}
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(io.LimitReader(f, most))
	return strings.ToValidUTF8(string(text), ""), errors.Join(err, f.Close())
}

// download gives a report of a run, made again where its file is gone.
func (s *Server) download(w http.ResponseWriter, r *http.Request, v *visit) error {
	run, err := s.Ledger.Run(r.Context(), v.merchant.ID, r.PathValue("run"))
	if err != nil {
		return err
	}
	name := r.PathValue("name")
	f, err := s.openReport(v.merchant, &run, name)
	if errors.Is(err, ErrGone) {
		f, err = s.rebuilt(r.Context(), &run, name)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	return s.serveFile(w, r, f, attachmentName(run.FileName, name))
}

// rebuilt makes a report again into a file that nobody else sees. ErrGone.
func (s *Server) rebuilt(ctx context.Context, run *ledger.Run, name string) (_ *os.File, err error) {
	if s.Rebuild == nil {
		return nil, ErrGone
	}
	f, err := os.CreateTemp("", "rensa-report-")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close())
		}
	}()
	if err := os.Remove(f.Name()); err != nil { // it lives as long as it is open
		return nil, err
	}
	if err := s.Rebuild(ctx, run.Merchant, run.ID, name, f); err != nil {
		return nil, err
	}
	_, err = f.Seek(0, io.SeekStart)
	return f, err
}

// downloadOutbound gives a file that a run sent out.
func (s *Server) downloadOutbound(w http.ResponseWriter, r *http.Request, v *visit) error {
	m, name := v.merchant.ID, r.PathValue("name")
	sent, err := s.Ledger.Sent(r.Context(), m, r.PathValue("run"))
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(sent, func(o ledger.Outbound) bool { return o.Name == name }) {
		return errNotFound
	}
	f, err := s.openFile(path.Join("outbound", m, name))
	if err != nil {
		return err
	}
	defer f.Close()
	return s.serveFile(w, r, f, name)
}

// downloadOriginal gives the file as it was dropped.
func (s *Server) downloadOriginal(w http.ResponseWriter, r *http.Request, v *visit) error {
	run, err := s.Ledger.Run(r.Context(), v.merchant.ID, r.PathValue("run"))
	if err != nil {
		return err
	}
	if run.Archive == "" {
		return ErrGone
	}
	f, err := s.openFile(run.Archive)
	if err != nil {
		return err
	}
	defer f.Close()
	return s.serveFile(w, r, f, run.FileName)
}

// serveFile sends a file to be kept, never to be shown: what somebody uploaded
// must not run as a page of ours.
func (s *Server) serveFile(w http.ResponseWriter, r *http.Request, f *os.File, name string) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	kind := map[string]string{
		".csv": "text/csv; charset=utf-8", ".tsv": "text/tab-separated-values; charset=utf-8", ".txt": "text/plain; charset=utf-8",
		".json": "application/json", ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	}[strings.ToLower(path.Ext(name))]
	if kind == "" {
		kind = "application/octet-stream"
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", disposition(name))
	http.ServeContent(w, r, "", info.ModTime(), f)
	return nil
}

func disposition(name string) string {
	if d := mime.FormatMediaType("attachment", map[string]string{"filename": name}); d != "" {
		return d
	}
	return "attachment"
}

// attachmentName tells a report's file from those of other runs: "week 47 errors.csv".
func attachmentName(input, report string) string {
	return strings.TrimSuffix(input, path.Ext(input)) + " " + report
}
