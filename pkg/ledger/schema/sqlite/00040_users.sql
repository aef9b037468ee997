-- Who may use the page and the API: users, their sessions and one-time links,
-- tokens, and what was done to and by them. Secrets stand here as hashes alone.

-- +goose Up
CREATE TABLE app_user (
    id             TEXT    NOT NULL PRIMARY KEY CHECK (id <> ''),
    name           TEXT    NOT NULL,
    role           TEXT    NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    -- 1: every merchant, those too that are added later.
    all_merchants  INTEGER NOT NULL CHECK (all_merchants IN (0, 1)),
    language       TEXT    NOT NULL,
    theme          TEXT    NOT NULL CHECK (theme IN ('', 'light', 'dark')),
    password       TEXT,
    -- Rises when sessions that were begun before have to end.
    epoch          INTEGER NOT NULL DEFAULT 1,
    created        INTEGER NOT NULL
) STRICT;

CREATE TABLE app_user_merchant (
    app_user TEXT NOT NULL REFERENCES app_user (id) ON DELETE CASCADE,
    merchant TEXT NOT NULL REFERENCES merchant (id),
    PRIMARY KEY (app_user, merchant)
) STRICT, WITHOUT ROWID;

-- A link by which a user sets a password, once.
CREATE TABLE sign_in_link (
    hash     TEXT    NOT NULL PRIMARY KEY,
    app_user TEXT    NOT NULL REFERENCES app_user (id) ON DELETE CASCADE,
    expires  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE web_session (
    hash    TEXT    NOT NULL PRIMARY KEY,
    expires INTEGER NOT NULL,
    data    BLOB    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX web_session_expires ON web_session (expires);

CREATE TABLE api_token (
    id            TEXT    NOT NULL PRIMARY KEY CHECK (id <> ''),
    hash          TEXT    NOT NULL UNIQUE,
    name          TEXT    NOT NULL,
    role          TEXT    NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    all_merchants INTEGER NOT NULL CHECK (all_merchants IN (0, 1)),
    -- Who made it; it ends with that user. NULL: made on the command line.
    app_user      TEXT REFERENCES app_user (id) ON DELETE CASCADE,
    created       INTEGER NOT NULL,
    expires       INTEGER,
    used          INTEGER
) STRICT;

CREATE TABLE api_token_merchant (
    token    TEXT NOT NULL REFERENCES api_token (id) ON DELETE CASCADE,
    merchant TEXT NOT NULL REFERENCES merchant (id),
    PRIMARY KEY (token, merchant)
) STRICT, WITHOUT ROWID;

-- What concerns no merchant: signing in and out, users, tokens.
CREATE TABLE audit (
    seq     INTEGER NOT NULL PRIMARY KEY,
    at      INTEGER NOT NULL,
    actor   TEXT    NOT NULL,
    what    TEXT    NOT NULL CHECK (what <> ''),
    subject TEXT    NOT NULL,
    detail  TEXT    NOT NULL,
    address TEXT    NOT NULL
) STRICT;

-- +goose Down
DROP TABLE audit;
DROP TABLE api_token_merchant;
DROP TABLE api_token;
DROP INDEX web_session_expires;
DROP TABLE web_session;
DROP TABLE sign_in_link;
DROP TABLE app_user_merchant;
DROP TABLE app_user;
