package process

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"

	"rensa/pkg/ledger"
)

// original is where a run's original lies until it is archived.
func (d *detail) original() string {
	if d.Original != "" {
		return d.Original
	}
	return path.Join(d.Folder, stagedOriginal)
}

// archive moves the original of a run into the archive. One that was claimed may
// have been written to until the end: then what lies there is not what was
// decided about, and goes back into the inbox as a new file.
func (p *Processor) archive(run *ledger.Run, d *detail) error {
	if err := p.dir.MoveOnce(d.original(), run.Archive); err != nil || d.Original == "" {
		if errors.Is(err, fs.ErrNotExist) && d.Original != "" {
			p.Log.Warn().Str("run", run.ID).Str("merchant", run.Merchant).Msg("the original is gone; what was committed stands")
			return nil
		}
		return err
	}
	p.step("original archived")
	f, err := p.dir.Get(run.Archive)
	if err != nil {
		return err
	}
	sum, _, err := hashOf(f)
	if err = errors.Join(err, f.Close()); err != nil || sum == run.SHA256 {
		return err
	}
	p.Log.Warn().Str("run", run.ID).Str("merchant", run.Merchant).Msg("the file was written to after it was decided")
	return p.putBack(run.Merchant, run.FileName, run.Archive)
}

// publishAgain publishes a run that was committed and not published, as after a
// crash. What is staged no longer is made again from the original.
func (p *Processor) publishAgain(ctx context.Context, run *ledger.Run) error {
	log := p.Log.With().Str("run", run.ID).Str("merchant", run.Merchant).Logger()
	_, err := p.publish(ctx, run)
	if errors.Is(err, fs.ErrNotExist) {
		log.Warn().Msg("staged files are gone: made again")
		err = p.republish(ctx, run)
	}
	if errors.Is(err, ErrOriginalGone) {
		// Nobody can make its reports again, and the merchant's next file waits.
		log.Error().Err(err).Msg("the run stays without its reports")
		err = p.Ledger.MarkArchived(ctx, run.Merchant, run.ID, run.Archive)
	}
	if err != nil {
		return fmt.Errorf("run %s: %w", run.ID, err)
	}
	d, err := detailOf(run)
	if err != nil {
		return err
	}
	if d.Folder != "" {
		if err := p.dir.Delete(d.Folder); err != nil {
			return err
		}
	}
	log.Info().Msg("published after an interruption")
	return nil
}
