-- What the work list needs beside the states: how often a file failed, when it
-- may be tried again, and where its original still has to be moved to (target is
-- NULL once it lies in place).

-- +goose Up
ALTER TABLE file ADD COLUMN failures INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0);
ALTER TABLE file ADD COLUMN retry_after INTEGER;
ALTER TABLE file ADD COLUMN target TEXT;
DROP INDEX file_open;
CREATE INDEX file_open ON file (merchant, seq) WHERE state IN ('claimed', 'committed', 'published') OR target IS NOT NULL;
CREATE INDEX file_run ON file (merchant, run) WHERE run IS NOT NULL;
CREATE INDEX file_kept ON file (merchant, claimed) WHERE state = 'archived' AND place <> '';

-- +goose Down
DROP INDEX file_kept;
DROP INDEX file_run;
DROP INDEX file_open;
CREATE INDEX file_open ON file (merchant, seq) WHERE state IN ('claimed', 'committed', 'published');
ALTER TABLE file DROP COLUMN target;
ALTER TABLE file DROP COLUMN retry_after;
ALTER TABLE file DROP COLUMN failures;
