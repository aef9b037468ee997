package removal

// Nearest is the candidate that word was most likely meant to be: the one that
// the fewest changed, added, dropped or swapped letters make of it, at most one
// in three. It is "" where none comes near. Case does not count; of equals the first wins.
func Nearest(word string, candidates []string) string {
	best, bestDistance := "", len([]rune(word))/3+1
	for _, c := range candidates {
		if d := editDistance(fold(word), fold(c), bestDistance); d < bestDistance {
			best, bestDistance = c, d
		}
	}
	return best
}

func fold(s string) []rune {
	r := []rune(s)
	for i := range r {
		if r[i] >= 'A' && r[i] <= 'Z' {
			r[i] += 'a' - 'A'
		}
	}
	return r
}

// editDistance counts the changes between a and b, a swap of neighbours as one;
// from limit on it may answer any number that is not below limit.
func editDistance(a, b []rune, limit int) int {
	if d := len(a) - len(b); d >= limit || -d >= limit {
		return limit
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		last[j] = j
	}
	for i := range a {
		row[0] = i + 1
		least := row[0]
		for j := range b {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(row[j]+1, last[j+1]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
			least = min(least, row[j+1])
		}
		if least >= limit {
			return limit
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
