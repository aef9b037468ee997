package removal_test

import (
	"testing"

	"rensa/pkg/removal"
)

func TestNearest(t *testing.T) {
	t.Parallel()
	words := []string{"Return", "Disposal", "MerchantSKU"}
	for word, want := range map[string]string{
		"Retrun": "Return", "RETURN": "Return", "retur": "Return", "Dispos": "Disposal",
		"Destroy": "", "MerchantSKU": "MerchantSKU", "Mercant SKU": "MerchantSKU", "": "", "ab": "",
	} {
		if got := removal.Nearest(word, words); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
}
