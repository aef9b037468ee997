package web

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"rensa/pkg/storage"
)

// reportDays is of how many days the page lists what was written.
const reportDays = 31

// reportFolder is what one run of scheduled work wrote.
type reportFolder struct {
	Day, Folder string
	Job         string // "recommended", "notices" …
	At          string // "15:04"
	Rehearsal   bool
	Files       []reportEntry
}

type reportEntry struct {
	Name  string
	Bytes int64
}

// reportsPage lists the reports that can be made now, and those that scheduled work
// wrote. Those of files stand with their runs.
func (s *Server) reportsPage(w http.ResponseWriter, r *http.Request, v *visit) error {
	folders, err := s.reportFolders(v.merchant.ID)
	if err != nil {
		return err
	}
	return s.render(w, r, v, "reports.html", map[string]any{"Made": s.Reports, "Folders": folders})
}

// reportFolders finds the folders of scheduled work, the newest first.
func (s *Server) reportFolders(merchant string) ([]reportFolder, error) {
	days, err := s.Dir.List(path.Join("reports", merchant))
	if err != nil {
		return nil, err
	}
	slices.SortFunc(days, func(a, b storage.Entry) int { return strings.Compare(b.Name, a.Name) })
	var all []reportFolder
	shown := 0
	for _, day := range days {
		if _, err := time.Parse(time.DateOnly, path.Base(day.Name)); err != nil || !day.IsDir {
			continue
		}
		if shown++; shown > reportDays {
			break
		}
		found, err := s.reportsOfDay(day.Name)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

func (s *Server) reportsOfDay(day string) ([]reportFolder, error) {
	entries, err := s.Dir.List(day)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(entries, func(a, b storage.Entry) int { return strings.Compare(b.Name, a.Name) })
	var all []reportFolder
	for _, e := range entries {
		f, ok := folderOf(path.Base(day), path.Base(e.Name))
		if !ok || !e.IsDir {
			continue
		}
		files, err := s.Dir.List(e.Name)
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			if file.Regular {
				f.Files = append(f.Files, reportEntry{path.Base(file.Name), file.Bytes})
			}
		}
		slices.SortFunc(f.Files, func(a, b reportEntry) int { return strings.Compare(a.Name, b.Name) })
		all = append(all, f)
	}
	return all, nil
}

// scheduled are the jobs that write reports.
var scheduled = []string{"recommended", "notices", "dispose", "reports"}

// folderOf reads what a folder's name says: "20261123-041000-recommended", with
// "-rehearsal" and a number behind where it was one, or not the first.
func folderOf(day, name string) (f reportFolder, ok bool) {
	at, err := time.Parse("20060102-150405", name[:min(len(name), 15)])
	if err != nil || len(name) < 17 {
		return f, false
	}
	job, rest, _ := strings.Cut(name[16:], "-")
	f = reportFolder{Day: day, Folder: name, Job: job, At: at.Format("15:04"), Rehearsal: strings.HasPrefix(rest, "rehearsal")}
	return f, slices.Contains(scheduled, job)
}

// reportFile gives a file that scheduled work wrote for the merchant.
func (s *Server) reportFile(w http.ResponseWriter, r *http.Request, v *visit) error {
	day, folder, name := r.PathValue("day"), r.PathValue("folder"), r.PathValue("name")
	if _, ok := folderOf(day, folder); !ok || !isName(day) || !isName(folder) || !isName(name) {
		return errNotFound
	}
	return s.sendFile(w, r, path.Join("reports", v.merchant.ID, day, folder, name), name)
}

// isName tells whether a part of a path names something in its folder that may be shown.
func isName(s string) bool {
	return s != "" && s[0] != '.' && !strings.ContainsAny(s, `/\`) && fs.ValidPath(s)
}

// makeReport makes a report of what is known now. A large one does not fit into
// memory, and a part of one is no report: it is made whole before it is sent.
func (s *Server) makeReport(w http.ResponseWriter, r *http.Request, v *visit) (err error) {
	file := r.PathValue("name")
	name, form, _ := strings.Cut(file, ".")
	if !slices.ContainsFunc(s.Reports, func(m MadeReport) bool { return m.Name == name && slices.Contains(m.Forms, form) }) {
		return errNotFound
	}
	temp, err := os.CreateTemp("", "rensa-report-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, temp.Close(), os.Remove(temp.Name())) }()
	to := bufio.NewWriterSize(temp, 1<<16)
	if err := s.MakeReport(r.Context(), v.merchant.ID, name, form, to); err != nil {
		return err
	}
	if err := to.Flush(); err != nil {
		return err
	}
	if _, err := temp.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return s.sendBytes(w, r, file, temp)
}
