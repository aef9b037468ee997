-- What clients of the API call a request of theirs, so that one that is sent again
-- is answered and not done again. answer is the id of what came of it, '' while it
-- is being done. Keys are forgotten after some days.

-- +goose Up
CREATE TABLE request_key (
    merchant TEXT    NOT NULL REFERENCES merchant (id),
    scope    TEXT    NOT NULL CHECK (scope IN ('file', 'order')),
    key      TEXT    NOT NULL CHECK (key <> ''),
    sha256   TEXT    NOT NULL,
    answer   TEXT    NOT NULL,
    created  INTEGER NOT NULL,
    PRIMARY KEY (merchant, scope, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX request_key_created ON request_key (merchant, created);

-- +goose Down
DROP TABLE request_key;
