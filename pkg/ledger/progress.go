package ledger

import (
	"encoding/json"
	"fmt"
	"time"

	"rensa/pkg/removal"
)

// storedProgress is the progress of an order as its column has it: JSON, times in
// microseconds. When the order was requested has a column of its own.
type storedProgress struct {
	Updated   int64        `json:"updated,omitempty"`
	CancelAll bool         `json:"cancel,omitempty"`
	Lines     []storedLine `json:"lines,omitempty"`
}

type storedLine struct {
	SKU       string            `json:"sku"`
	Condition removal.Condition `json:"condition,omitempty"`
	Updated   int64             `json:"updated,omitempty"`
	Before    int64             `json:"before,omitempty"`
	Asked     bool              `json:"cancel,omitempty"`
	Left      []storedLeft      `json:"left,omitempty"`
}

type storedLeft struct {
	At       int64 `json:"at"`
	Units    int64 `json:"units"`
	Disposed bool  `json:"disposed,omitempty"`
	Dated    bool  `json:"dated,omitempty"`
}

func storedTime(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func timeOf(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

// encodeProgress gives nil for an order of which nothing is known.
func encodeProgress(p *removal.Progress) (any, error) {
	if p.Requested.IsZero() && p.Updated.IsZero() && len(p.Lines) == 0 && !p.CancelAll {
		return nil, nil
	}
	s := storedProgress{Updated: storedTime(p.Updated), CancelAll: p.CancelAll}
	for _, l := range p.Lines {
		line := storedLine{SKU: l.SKU, Condition: l.Condition, Updated: storedTime(l.Updated), Before: l.Before, Asked: l.CancelAsked}
		for _, left := range l.Left {
			line.Left = append(line.Left, storedLeft{left.At.UnixMicro(), left.Units, left.Disposed, left.Dated})
		}
		s.Lines = append(s.Lines, line)
	}
	text, err := json.Marshal(s)
	return string(text), err
}

func decodeProgress(text string, p *removal.Progress) error {
	var s storedProgress
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return fmt.Errorf("progress: %w", err)
	}
	p.Updated, p.CancelAll = timeOf(s.Updated), s.CancelAll
	for _, l := range s.Lines {
		line := removal.LineProgress{SKU: l.SKU, Condition: l.Condition, Updated: timeOf(l.Updated), Before: l.Before, CancelAsked: l.Asked}
		for _, left := range l.Left {
			line.Left = append(line.Left, removal.Left{At: timeOf(left.At), Units: left.Units, Disposed: left.Disposed, Dated: left.Dated})
		}
		p.Lines = append(p.Lines, line)
	}
	return nil
}
