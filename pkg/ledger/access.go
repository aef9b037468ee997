package ledger

import (
	"slices"
)

// Role is what somebody may do. Each role may do what those before it may.
type Role string

// The roles: look; change orders and drop files; change settings.
const (
	RoleViewer   Role = "viewer"
	RoleOperator Role = "operator"
	RoleAdmin    Role = "admin"
)

// Roles lists the roles, the least first.
func Roles() []Role { return []Role{RoleViewer, RoleOperator, RoleAdmin} }

// Known tells whether r is one of Roles.
func (r Role) Known() bool { return slices.Contains(Roles(), r) }

// Covers tells whether whoever has r may do what needs the role least.
func (r Role) Covers(least Role) bool {
	return r.Known() && slices.Index(Roles(), r) >= slices.Index(Roles(), least)
}

// Access is what somebody may do, and with which merchants.
type Access struct {
	Role Role
	// AllMerchants: every merchant, those too that are added later; Merchants
	// does not matter then.
	AllMerchants bool
	Merchants    []string
}

// Sees tells whether the merchant is in scope.
func (a *Access) Sees(merchant string) bool {
	return merchant != "" && (a.AllMerchants || slices.Contains(a.Merchants, merchant))
}

// Everything tells whether settings that concern all merchants are in scope:
// users, tokens, new merchants.
func (a *Access) Everything() bool { return a.AllMerchants && a.Role == RoleAdmin }
