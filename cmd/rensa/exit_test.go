package main

import "testing"

func TestGraver(t *testing.T) {
	t.Parallel()
	order := []int{130, 1, 2, 5, 4, 3, 6, 0}
	for i, heavy := range order {
		for _, light := range order[i:] {
			if got := graver(heavy, light); got != heavy {
				t.Errorf("graver(%d, %d) = %d, want %d", heavy, light, got, heavy)
			}
			if got := graver(light, heavy); got != heavy {
				t.Errorf("graver(%d, %d) = %d, want %d", light, heavy, got, heavy)
			}
		}
	}
	if got := graver(77, 78); got != exitInternal {
		t.Errorf("unknown codes count as %d, want %d", got, exitInternal)
	}
}
