package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"rensa/pkg/inbox"
	"rensa/pkg/ledger"
	"rensa/pkg/removal"
	"rensa/pkg/report"
)

// maxFixes is how many rows a page lists; all of them are corrected.
const maxFixes = 200

// fixes are the rows of a run that get another SKU.
type fixes struct {
	Run   ledger.Run
	Rows  []fix
	More  int // rows beyond those listed
	All   bool
	Query url.Values
	// by place in rejected.tsv
	skus map[int64]string
	// Still is how many of the rows have other problems too.
	Still int
}

// fix is one row with the SKU that it gets.
type fix struct {
	Row       int
	From, To  string
	Remaining []string // codes of its other errors
}

// fixesOf finds what was asked for: the rows that an address or a form names, or
// with all every row of the run for which there is one candidate. The candidates
// are looked up again: what a form says is not taken for them.
func (s *Server) fixesOf(ctx context.Context, v *visit, run *ledger.Run, q url.Values) (*fixes, error) {
	f := &fixes{Run: *run, All: q.Get("all") != "", Query: url.Values{}, skus: map[int64]string{}}
	var rejected int64
	add := func(o *removal.Outcome, place int64) {
		to, remaining := "", []string(nil)
		for i := range o.Problems {
			if sku := instead(&o.Problems[i]); sku != "" && to == "" {
				to = sku
			} else if o.Problems[i].Code.IsError() {
				remaining = append(remaining, o.Problems[i].Code.String())
			}
		}
		if to == "" {
			return
		}
		f.skus[place] = to
		if len(remaining) > 0 {
			f.Still++
		}
		if len(f.Rows) < maxFixes {
			f.Rows = append(f.Rows, fix{Row: o.Row, To: to, Remaining: remaining})
		} else {
			f.More++
		}
	}
	if f.All {
		f.Query.Set("all", "1")
		for block, err := range s.Ledger.Outcomes(ctx, run.Merchant, run.ID) {
			if err != nil {
				return nil, err
			}
			for i := range block {
				if block[i].Status == removal.Rejected {
					add(&block[i], rejected)
					rejected++
				}
			}
		}
	} else {
		var rows []int
		for _, text := range q["row"] {
			n, err := strconv.Atoi(text)
			if err != nil || n <= 0 || len(rows) >= 1000 {
				return nil, refuse(http.StatusBadRequest, "web.err.form")
			}
			rows = append(rows, n)
			f.Query.Add("row", text)
		}
		found, err := s.Ledger.OutcomesOf(ctx, run.Merchant, run.ID, rows)
		if err != nil {
			return nil, err
		}
		slices.Sort(rows)
		for _, n := range slices.Compact(rows) {
			if o, ok := found[n]; ok && o.Status == removal.Rejected {
				add(&o.Outcome, o.RejectedBefore)
			}
		}
	}
	if len(f.skus) == 0 {
		return nil, refuse(http.StatusUnprocessableEntity, "web.err.no_fix")
	}
	return f, nil
}

// fixRun is the run and the fixes of a request, and its rejected rows.
func (s *Server) fixRun(r *http.Request, v *visit, q url.Values) (*fixes, *os.File, error) {
	run, err := s.Ledger.Run(r.Context(), v.merchant.ID, r.PathValue("run"))
	if err != nil {
		return nil, nil, err
	}
	f, err := s.fixesOf(r.Context(), v, &run, q)
	if err != nil {
		return nil, nil, err
	}
	name := report.FileName(report.Rejected)
	rejected, err := s.openReport(v.merchant, &run, name)
	if errors.Is(err, ErrGone) {
		rejected, err = s.rebuilt(r.Context(), &run, name)
	}
	return f, rejected, err
}

// fixPage shows which SKUs would be replaced, before anything is done.
func (s *Server) fixPage(w http.ResponseWriter, r *http.Request, v *visit) error {
	f, rejected, err := s.fixRun(r, v, r.URL.Query())
	if err != nil {
		return err
	}
	defer rejected.Close()
	// What stands there now, for the rows that are listed.
	found, err := s.Ledger.OutcomesOf(r.Context(), v.merchant.ID, f.Run.ID, rowsOf(f.Rows))
	if err != nil {
		return err
	}
	values, err := s.rejectedValues(v, &f.Run, found)
	if err != nil {
		return err
	}
	for i := range f.Rows {
		if row := values[f.Rows[i].Row]; row != nil {
			f.Rows[i].From = row[removal.FieldSKU]
		}
	}
	return s.render(w, r, v, "fix.html", f)
}

func rowsOf(all []fix) []int {
	rows := make([]int, len(all))
	for i := range all {
		rows[i] = all[i].Row
	}
	return rows
}

// downloadFixed gives the corrected file.
func (s *Server) downloadFixed(w http.ResponseWriter, r *http.Request, v *visit) error {
	f, rejected, err := s.fixRun(r, v, r.URL.Query())
	if err != nil {
		return err
	}
	defer rejected.Close()
	// Most are small; what fails half-way must not look whole.
	var b bytes.Buffer
	if info, err := rejected.Stat(); err == nil && info.Size() < 8<<20 {
		if _, err := report.Correct(&b, rejected, f.sku); err != nil {
			return err
		}
		s.fixedHeaders(w, f)
		_, err = b.WriteTo(w)
		return ignoreGone(s, err)
	}
	s.fixedHeaders(w, f)
	if _, err := report.Correct(w, rejected, f.sku); err != nil {
		s.Log.Warn().Err(err).Str("run", f.Run.ID).Msg("a corrected file was broken off")
		panic(http.ErrAbortHandler) // the way to say so once something was sent
	}
	return nil
}

func ignoreGone(s *Server, err error) error {
	if err != nil {
		s.Log.Debug().Err(err).Msg("the client went away")
	}
	return nil
}

func (f *fixes) sku(place int64) string { return f.skus[place] }

func (s *Server) fixedHeaders(w http.ResponseWriter, f *fixes) {
	w.Header().Set("Content-Type", "text/tab-separated-values; charset=utf-8")
	w.Header().Set("Content-Disposition", disposition(f.name()))
}

// Encoded is what was asked for, as an address has it.
func (f *fixes) Encoded() string { return f.Query.Encode() }

// name is what the corrected file is called.
func (f *fixes) name() string {
	return strings.TrimSuffix(f.Run.FileName, path.Ext(f.Run.FileName)) + " corrected.tsv"
}

// dropFixed puts the corrected file on the list, as if it had been dropped.
func (s *Server) dropFixed(w http.ResponseWriter, r *http.Request, v *visit) (err error) {
	f, rejected, err := s.fixRun(r, v, r.PostForm)
	if err != nil {
		return err
	}
	defer rejected.Close()
	from, to := io.Pipe()
	go func() {
		_, err := report.Correct(to, rejected, f.sku)
		to.CloseWithError(err)
	}()
	d, err := inbox.Receive(s.Dir, v.merchant.ID, f.name(), from)
	if err != nil {
		return errors.Join(fmt.Errorf("the corrected file: %w", err), from.CloseWithError(err))
	}
	defer func() { err = errors.Join(err, d.Discard()) }()
	tickets, err := s.takeAll(r.Context(), v, []*inbox.Delivery{d})
	if err != nil {
		return err
	}
	return see(w, r, merchantPath(v.merchant.ID, "files", tickets[0].ID))
}
