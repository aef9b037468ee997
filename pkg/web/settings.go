package web

import "rensa/pkg/ledger"

func (s *Server) settingRoutes() []route {
	return []route{
		{pattern: "GET /me", scope: ofUser, role: ledger.RoleViewer, handle: s.mePage},
		{pattern: "POST /me", scope: ofUser, role: ledger.RoleViewer, handle: s.setMe},
		{pattern: "POST /me/password", scope: ofUser, role: ledger.RoleViewer, handle: s.setPassword},
	}
}
