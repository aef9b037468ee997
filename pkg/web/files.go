package web

import (
	"net/http"

	"rensa/pkg/ledger"
)

// filesAtOnce is how many runs one page lists.
const filesAtOnce = 50

func (s *Server) fileRoutes() []route {
	return []route{
		{pattern: "GET /m/{merchant}/files", scope: ofMerchant, role: ledger.RoleViewer, handle: s.filesPage},
	}
}

// fileList is the page of files: what is on its way, and the runs.
type fileList struct {
	Waiting []ledger.Work
	Runs    []ledger.Run
	Next    string
}

func (s *Server) filesPage(w http.ResponseWriter, r *http.Request, v *visit) error {
	runs, next, err := s.Ledger.Runs(r.Context(), ledger.RunFilter{
		Merchant: v.merchant.ID, Limit: filesAtOnce, Cursor: r.URL.Query().Get("cursor"),
	})
	if err != nil {
		return err
	}
	waiting, err := s.Ledger.Waiting(r.Context(), v.merchant.ID)
	if err != nil {
		return err
	}
	return s.render(w, r, v, "files.html", &fileList{Waiting: waiting, Runs: runs, Next: next})
}
