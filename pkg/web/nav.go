package web

import (
	"net/http"
	"strings"

	"rensa/pkg/ledger"
)

// section is one entry of the navigation: a page of a merchant's.
type section struct {
	name string // of its path, its icon and its text web.nav.NAME
	path string // after /m/{merchant}/
	role ledger.Role
}

// sections in the order in which they are shown. One whose page does not exist is
// left out.
var sections = []section{
	{"files", "files", ledger.RoleViewer},
	{"orders", "orders", ledger.RoleViewer},
	{"new", "orders/new", ledger.RoleOperator},
	{"inventory", "inventory", ledger.RoleViewer},
	{"recommended", "recommended", ledger.RoleViewer},
	{"deadlines", "deadlines", ledger.RoleViewer},
	{"schedule", "schedule", ledger.RoleViewer},
	{"reports", "reports", ledger.RoleViewer},
	{"settings", "settings", ledger.RoleViewer},
}

type navItem struct {
	Name, Path string
	Here       bool
}

type merchantLink struct {
	ID, Name, Path string
	Here           bool
}

// navigation is the merchant's pages that exist and that the user may see. The
// longest path that the page's own begins with is where we are.
func (s *Server) navigation(v *visit, path string) []navItem {
	if v.merchant == nil || v.user == nil {
		return nil
	}
	var items []navItem
	here, longest := -1, 0
	// A run is the answer to a file, and stands among them.
	path = strings.Replace(path, merchantPath(v.merchant.ID, "runs")+"/", merchantPath(v.merchant.ID, "files")+"/", 1)
	for _, sec := range sections {
		if !s.has("/m/{merchant}/"+sec.path) || !v.user.Role.Covers(sec.role) {
			continue
		}
		item := navItem{Name: sec.name, Path: merchantPath(v.merchant.ID) + "/" + sec.path}
		if (path == item.Path || strings.HasPrefix(path, item.Path+"/")) && len(item.Path) > longest {
			here, longest = len(items), len(item.Path)
		}
		items = append(items, item)
	}
	if here >= 0 {
		items[here].Here = true
	}
	return items
}

// merchantsOf are the merchants that the user may go to, by id.
func (s *Server) merchantsOf(r *http.Request, v *visit) ([]merchantLink, error) {
	if v.user == nil {
		return nil, nil
	}
	all, err := s.Ledger.Merchants(r.Context())
	if err != nil {
		return nil, err
	}
	var links []merchantLink
	for i := range all {
		m := &all[i]
		if !v.user.Sees(m.ID) {
			continue
		}
		links = append(links, merchantLink{
			ID: m.ID, Name: m.Profile.Name, Path: merchantPath(m.ID, "files"),
			Here: v.merchant != nil && v.merchant.ID == m.ID,
		})
	}
	return links, nil
}
