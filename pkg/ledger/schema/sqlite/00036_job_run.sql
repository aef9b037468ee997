-- Runs of scheduled work. The key says which run it is: the local date and time
-- for which it was due, the UTC instant for work at intervals, or a key of its own
-- for one that was begun by hand; so that each is made once, by whomever.

-- +goose Up
CREATE TABLE job_run (
    merchant      TEXT    NOT NULL REFERENCES merchant (id),
    job           TEXT    NOT NULL CHECK (job <> ''),
    key           TEXT    NOT NULL CHECK (key <> ''),
    by_hand       INTEGER NOT NULL CHECK (by_hand IN (0, 1)),
    scheduled_for INTEGER NOT NULL,
    status        TEXT    NOT NULL CHECK (status IN ('running', 'done', 'failed')),
    attempts      INTEGER NOT NULL CHECK (attempts > 0),
    lease_owner   TEXT,
    lease_until   INTEGER,
    retry_after   INTEGER,
    started       INTEGER NOT NULL,
    finished      INTEGER,
    report_dir    TEXT,
    counts        TEXT,
    error         TEXT,
    CHECK ((status = 'running') = (lease_owner IS NOT NULL AND lease_until IS NOT NULL)),
    CHECK ((status = 'running') = (finished IS NULL)),
    CHECK (retry_after IS NULL OR status = 'failed'),
    PRIMARY KEY (merchant, job, key)
) STRICT;
CREATE INDEX job_run_started ON job_run (merchant, job, started);
-- No job of a merchant is done twice at once.
CREATE UNIQUE INDEX job_run_running ON job_run (merchant, job) WHERE status = 'running';

-- +goose Down
DROP TABLE job_run;
