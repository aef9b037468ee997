package web

import "net/http"

// goTo sends the browser to another page of the merchant's, given by its path and
// query after /m/{merchant}/.
func goTo(w http.ResponseWriter, r *http.Request, v *visit, path string) error {
	return see(w, r, merchantPath(v.merchant.ID)+"/"+path)
}
