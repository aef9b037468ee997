package inventory

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Whatever keys a snapshot has, all its FNSKUs are found in its file, and a key that
// is none is not; the index is read for neither where it need not be.
func TestFNSKUsByTheirBeginning(t *testing.T) {
	key := rapid.OneOf(rapid.StringMatching(`[XB][0-9A-C]{0,3}`), rapid.StringMatching(`[A-Z]{0,40}`), rapid.Just(""))
	rapid.Check(t, func(rt *rapid.T) {
		lines := []string{manageHead}
		for n, fnsku := range rapid.SliceOfN(key, 1, 60).Draw(rt, "fnskus") {
			lines = append(lines, fmt.Sprintf("SKU-%d%s|%s|||||1|0", n, strings.Repeat("L", n), fnsku))
		}
		made := read(t, bars(lines...)).Snapshot
		opened, err := openBytes(t, bytesOf(t, made))
		if err != nil {
			rt.Fatal(err)
		}
		for i := range int32(made.Len()) {
			if f := made.FNSKU(i); len(f) > 0 && opened.FindPool(string(f)) != made.PoolOf(i) {
				rt.Fatalf("%s is pool %d, want %d", f, opened.FindPool(string(f)), made.PoolOf(i))
			}
		}
		other := key.Filter(func(k string) bool { return k != "" }).Draw(rt, "other")
		if a, b := made.FindPool(other), opened.FindPool(other); a != b {
			rt.Fatalf("%s is pool %d, opened %d", other, a, b)
		}
		keys := []string{other, "", "\x00" + other}
		for i := range int32(made.Len()) {
			keys = append(keys, made.PoolKey(made.PoolOf(i)), string(made.FNSKU(i)), "\x00"+string(made.SKU(i)))
		}
		together := make([]int32, len(keys))
		opened.FindPools(keys, together)
		for k, key := range keys {
			if want := made.FindPool(key); together[k] != want {
				rt.Fatalf("%q is pool %d among others, %d alone", key, together[k], want)
			}
		}
	})
	long := read(t, bars(manageHead, "A|X000000001|||||1|0", strings.Repeat("L", 60)+"|Q1|||||1|0")).Snapshot
	if opened, err := openBytes(t, bytesOf(t, long)); err != nil || opened.FindPool("Q1") != 1 {
		t.Errorf("the FNSKU of a long MSKU was not found (%v)", err)
	}
	made := read(t, bars(manageHead, "A|X000000001|||||1|0", "B|X000000002|||||1|0")).Snapshot
	opened, err := openBytes(t, bytesOf(t, made))
	if err != nil {
		t.Fatal(err)
	}
	for _, sku := range []string{"X00000001", "XX00000001", "BLUE-MUG-1", "X"} {
		if got := opened.WhyUnknown([]byte(sku), false); got.String() != "sku_unknown" {
			t.Errorf("%s: %s", sku, got)
		}
	}
	if opened.fnskus.made.Load() != nil {
		t.Error("the index was read for keys that are like none in it")
	}
	if got := opened.WhyUnknown([]byte("X000000002"), false); got.String() != "sku_is_fnsku" {
		t.Errorf("an FNSKU is %s", got)
	}
}
