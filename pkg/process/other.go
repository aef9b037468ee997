package process

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
	"rensa/pkg/report"
)

// otherInput is what the reports of a file that is no upload are made from.
func (p *Processor) otherInput(j *job, run *ledger.Run) *report.Input {
	return &report.Input{Run: *run, Merchant: j.merchant, Zone: j.zone, Policy: p.Policy, Texts: j.texts}
}

// writeOther writes errors.csv and summary.json; outbound is what the run sends out.
func (p *Processor) writeOther(j *job, run *ledger.Run, problems []removal.Problem, outbound []ledger.Outbound, create report.Create, which []string) (*report.Summary, []report.File, error) {
	in := p.otherInput(j, run)
	in.Outbound, in.Changes = outbound, j.changes
	return report.Other(in, problems, create, which)
}

// document is the text of a summary, where it was asked for.
func (j *job) document(s *report.Summary) (json.RawMessage, error) {
	if !j.Document {
		return nil, nil
	}
	return json.Marshal(s)
}

// summaryOf gives the summary of a run that leaves no files.
func (p *Processor) summaryOf(j *job, run *ledger.Run, problems []removal.Problem) (*report.Summary, json.RawMessage, error) {
	sum, _, err := p.writeOther(j, run, problems, nil, func(string) (io.WriteCloser, error) {
		return nowhere{io.Discard}, nil
	}, []string{report.Summaries})
	if err != nil {
		return nil, nil, err
	}
	document, err := j.document(sum)
	return sum, document, err
}

// nowhere takes a file that nobody keeps.
type nowhere struct{ io.Writer }

func (nowhere) Close() error { return nil }

// seenBefore gives the first run's answer to bytes that made orders before; nil
// where they did not.
func (p *Processor) seenBefore(ctx context.Context, j *job) (*Result, error) {
	if j.Check {
		return nil, nil
	}
	first, err := p.Ledger.SeenFile(ctx, j.Merchant, j.sha256)
	if err != nil || first == nil {
		return nil, err
	}
	return p.seenAs(j, first)
}

// seenAs gives the answer of an earlier run to the same bytes.
func (p *Processor) seenAs(j *job, first *ledger.Run) (*Result, error) {
	d, err := detailOf(first)
	if err != nil {
		return nil, err
	}
	folder, err := d.reportFolder(first)
	if err != nil {
		return nil, err
	}
	finding := p.finding(j, seenProblem(j, first))
	result := &Result{
		RunID: first.ID, ReportDir: p.path(folder), ExitCode: ExitSeen,
		FileProblem: &finding, Problems: []Finding{finding}, Seen: first,
	}
	result.Summary, result.Document, err = p.readSummary(j, first, folder)
	return result, err
}

func seenProblem(j *job, first *ledger.Run) removal.Problem {
	return removal.Problem{Code: removal.FileSeen, Field: removal.FieldNone, Args: seenArgs(j, first)}
}

// checkedAgain says of bytes that are checked that they made orders before: their
// rows are judged as those of a new file, which process would not do.
func (p *Processor) checkedAgain(ctx context.Context, j *job) ([]removal.Problem, error) {
	if !j.Check {
		return nil, nil
	}
	first, err := p.Ledger.SeenFile(ctx, j.Merchant, j.sha256)
	if err != nil || first == nil {
		return nil, err
	}
	return []removal.Problem{seenProblem(j, first)}, nil
}

// seenArgs are the facts of file_seen; an upload's kind goes without saying.
func seenArgs(j *job, first *ledger.Run) removal.Args {
	args := removal.Args{}.Arg("run", first.ID).Arg("date", j.day(first.Started)).Arg("file", first.FileName)
	if first.Kind != removal.KindUpload {
		args = args.Arg("kind", first.Kind)
	}
	return args
}

// readSummary gives the summary.json of an earlier run, or, where the file is not
// kept, what the ledger knows.
func (p *Processor) readSummary(j *job, run *ledger.Run, folder string) (sum *report.Summary, document json.RawMessage, err error) {
	f, err := p.dir.Get(folder + "/" + report.FileName(report.Summaries))
	if errors.Is(err, fs.ErrNotExist) {
		return p.summaryOf(j, run, nil)
	}
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	document, err = io.ReadAll(f)
	if err != nil {
		return nil, nil, err
	}
	sum = &report.Summary{}
	return sum, document, json.Unmarshal(document, sum)
}
