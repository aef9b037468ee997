package inbox

import (
	"path"

	"rensa/pkg/storage"
)

// Meant tells whether what lies in a merchant's folder is a file that will be
// taken, as far as its name tells.
func Meant(e storage.Entry) bool {
	name := path.Base(e.Name)
	return e.Regular && !ignored(name) && !isSentinel(name)
}
