-- A large commit has its movements in several blocks, its parts: one block would have
-- to be made and written whole in memory.

-- +goose Up
CREATE TABLE movement_parts (
    merchant TEXT    NOT NULL REFERENCES merchant (id),
    seq      INTEGER NOT NULL,
    part     INTEGER NOT NULL CHECK (part >= 0),
    kind     TEXT    NOT NULL CHECK (kind IN ('base', 'commit')),
    run      TEXT,
    entries  INTEGER NOT NULL CHECK (entries > 0),
    block    BLOB    NOT NULL,
    PRIMARY KEY (merchant, seq, part)
) STRICT;
INSERT INTO movement_parts (merchant, seq, part, kind, run, entries, block)
    SELECT merchant, seq, 0, kind, run, entries, block FROM movement;
DROP TABLE movement;
ALTER TABLE movement_parts RENAME TO movement;

-- +goose Down
-- Where a commit has several parts this fails, and all stays as it is.
CREATE TABLE movement_whole (
    merchant TEXT    NOT NULL REFERENCES merchant (id),
    seq      INTEGER NOT NULL,
    kind     TEXT    NOT NULL CHECK (kind IN ('base', 'commit')),
    run      TEXT,
    entries  INTEGER NOT NULL CHECK (entries > 0),
    block    BLOB    NOT NULL,
    PRIMARY KEY (merchant, seq)
) STRICT;
INSERT INTO movement_whole (merchant, seq, kind, run, entries, block)
    SELECT merchant, seq, kind, run, entries, block FROM movement;
DROP TABLE movement;
ALTER TABLE movement_whole RENAME TO movement;
