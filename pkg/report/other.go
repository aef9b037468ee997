package report

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"rensa/pkg/removal"
)

// Other writes the files of an input that is no upload, errors.csv and
// summary.json, as far as which names them (none: both). problems stand in the
// order of the file, each with its full place and value; problems of the whole
// file come first.
func Other(in *Input, problems []removal.Problem, create Create, which []string) (*Summary, []File, error) {
	wants := func(name string) bool { return len(which) == 0 || slices.Contains(which, name) }
	sum := newSummary(in)
	for i := range problems {
		sum.counts[problems[i].Code]++
	}
	sum.end(in, in.Run.Finished, in.Outbound)
	if wants(Errors) {
		f, err := newFile(FileName(Errors), create)
		if err != nil {
			return nil, nil, fmt.Errorf("report: %w", err)
		}
		if err := errors.Join(writeFaults(in, problems, f), f.close()); err != nil {
			return nil, nil, fmt.Errorf("report: %w", err)
		}
		sum.Files = append(sum.Files, f.file())
	}
	files := sum.Files
	if wants(Summaries) {
		f, err := writeSummary(sum, create)
		if err != nil {
			return nil, nil, fmt.Errorf("report: %w", err)
		}
		files = append(slices.Clip(files), f)
	}
	return sum, files, nil
}

func writeFaults(in *Input, problems []removal.Problem, w io.Writer) error {
	ofFileFirst := slices.Clone(problems)
	slices.SortStableFunc(ofFileFirst, func(a, b removal.Problem) int {
		return ofFile(&a).Row - ofFile(&b).Row
	})
	texts := newRenderer(in)
	f, err := newErrors(in, texts, func() (io.Writer, error) { return w, nil })
	if err != nil {
		return err
	}
	for i := range ofFileFirst {
		p := ofFile(&ofFileFirst[i])
		f.buf = appendFault(f.buf, &p, texts.say(&p))
	}
	return f.close()
}

// Problems writes problems as plain text for people, errors and warnings, each
// with its place, what is wrong and what to do: the note that is put beside a
// file that was refused.
func Problems(w io.Writer, in *Input, problems []removal.Problem) error {
	texts := newRenderer(in)
	for i := range problems {
		p := &problems[i]
		if p.Code.Severity() == removal.SeverityInfo {
			continue
		}
		s := texts.say(p)
		text := s.message + "\r\n"
		if place := placeText(in, p); place != "" {
			text = place + ": " + text
		}
		if s.hint != "" {
			text += "  " + s.hint + "\r\n"
		}
		if _, err := fmt.Fprintf(w, "%s  (%s)\r\n\r\n", text, p.Code); err != nil {
			return fmt.Errorf("report: %w", err)
		}
	}
	return nil
}

func placeText(in *Input, p *removal.Problem) string {
	switch {
	case p.Cell != "":
		return in.Texts.T("report.place.cell", "cell", p.Cell)
	case p.Row > 0:
		return in.Texts.T("report.place.row", "row", p.Row)
	case p.Line > 0:
		return in.Texts.T("report.place.line", "line", p.Line)
	}
	return ""
}
