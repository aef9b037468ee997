-- Holds, what was written about them, and the outbox. Days are midnight UTC of
-- the day in the store's zone, in microseconds as all times are.

-- +goose Up
-- The outbox. Its row is written in the transaction that decides it; the sender
-- only ever moves it on. message_id is the mail's own, the same on every repeat.
-- data is JSON of the one who wrote it. accepted_at is when the mail server first
-- took it for any recipient; a message that was written as a file has none.
CREATE TABLE message (
    merchant    TEXT    NOT NULL REFERENCES merchant (id),
    id          TEXT    NOT NULL CHECK (id <> ''),
    message_id  TEXT    NOT NULL CHECK (message_id <> ''),
    kind        TEXT    NOT NULL CHECK (kind <> ''),
    language    TEXT    NOT NULL,
    created     INTEGER NOT NULL,
    state       TEXT    NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'sent', 'failed', 'written')),
    attempts    INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    retry_after INTEGER,
    lease_owner TEXT,
    lease_until INTEGER,
    accepted_at INTEGER,
    finished    INTEGER,
    place       TEXT    NOT NULL DEFAULT '',
    reason      TEXT    NOT NULL DEFAULT '',
    data        TEXT    NOT NULL,
    PRIMARY KEY (merchant, id),
    CHECK ((state = 'queued') = (finished IS NULL)),
    CHECK (state <> 'sent' OR accepted_at IS NOT NULL),
    CHECK (state <> 'written' OR accepted_at IS NULL)
) STRICT;
CREATE UNIQUE INDEX message_message_id ON message (message_id);
CREATE INDEX message_due ON message (created) WHERE state = 'queued';

CREATE TABLE message_recipient (
    merchant TEXT    NOT NULL,
    message  TEXT    NOT NULL,
    ord      INTEGER NOT NULL,
    address  TEXT    NOT NULL CHECK (address <> ''),
    state    TEXT    NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'accepted', 'refused')),
    at       INTEGER,
    reason   TEXT    NOT NULL DEFAULT '',
    PRIMARY KEY (merchant, message, address),
    FOREIGN KEY (merchant, message) REFERENCES message (merchant, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE message_attachment (
    merchant   TEXT    NOT NULL,
    message    TEXT    NOT NULL,
    ord        INTEGER NOT NULL,
    name       TEXT    NOT NULL CHECK (name <> ''),
    media_type TEXT    NOT NULL CHECK (media_type <> ''),
    body       BLOB    NOT NULL,
    PRIMARY KEY (merchant, message, ord),
    FOREIGN KEY (merchant, message) REFERENCES message (merchant, id)
) STRICT;

-- A hold is units of one pool and condition that wait for their deadline. units
-- are those that nothing covers; covered those that open orders take; returned
-- those that came back from orders that were cancelled or refused, and resumed
-- those of them that are in a hold after this one, whose origin it is; leaving
-- those that left and that the snapshot still shows.
CREATE TABLE hold (
    merchant  TEXT    NOT NULL REFERENCES merchant (id),
    id        INTEGER NOT NULL,
    pool      TEXT    NOT NULL CHECK (pool <> ''),
    sku       TEXT    NOT NULL,
    fnsku     TEXT    NOT NULL,
    title     TEXT    NOT NULL,
    condition INTEGER NOT NULL CHECK (condition IN (0, 1)),
    reason    TEXT    NOT NULL CHECK (reason IN ('unsellable', 'expiry', 'recalled', 'stranded')),
    since     INTEGER NOT NULL,
    -- 1 where a file gave since, 0 where a snapshot first showed the units then.
    dated     INTEGER NOT NULL CHECK (dated IN (0, 1)),
    deadline  INTEGER NOT NULL CHECK (deadline >= since),
    origin    INTEGER,
    opened    INTEGER NOT NULL,
    first     INTEGER NOT NULL CHECK (first > 0),
    units     INTEGER NOT NULL CHECK (units >= 0),
    covered   INTEGER NOT NULL DEFAULT 0 CHECK (covered >= 0),
    returned  INTEGER NOT NULL DEFAULT 0 CHECK (returned >= 0),
    resumed   INTEGER NOT NULL DEFAULT 0 CHECK (resumed >= 0 AND resumed <= returned),
    leaving   INTEGER NOT NULL DEFAULT 0 CHECK (leaving >= 0),
    state     TEXT    NOT NULL AS (CASE WHEN units > 0 THEN 'open' WHEN covered > 0 OR returned > resumed OR leaving > 0 THEN 'covered' ELSE 'ended' END) STORED,
    ended     INTEGER,
    PRIMARY KEY (merchant, id),
    FOREIGN KEY (merchant, origin) REFERENCES hold (merchant, id)
) STRICT;
CREATE INDEX hold_live ON hold (merchant, deadline) WHERE state <> 'ended';
CREATE INDEX hold_pool ON hold (merchant, pool);

-- Units of a hold that an order takes or took; returned_at is when it was seen
-- last that some came back.
CREATE TABLE hold_cover (
    merchant TEXT    NOT NULL,
    hold     INTEGER NOT NULL,
    order_id TEXT    NOT NULL CHECK (order_id <> ''),
    covered  INTEGER NOT NULL CHECK (covered >= 0),
    gone     INTEGER NOT NULL CHECK (gone >= 0),
    returned INTEGER NOT NULL CHECK (returned >= 0),
    returned_at INTEGER,
    PRIMARY KEY (merchant, hold, order_id),
    FOREIGN KEY (merchant, hold) REFERENCES hold (merchant, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX hold_cover_order ON hold_cover (merchant, order_id);

-- Each step of a hold is told of once, in one message.
CREATE TABLE hold_step (
    merchant TEXT    NOT NULL,
    hold     INTEGER NOT NULL,
    step     TEXT    NOT NULL CHECK (step <> ''),
    day      INTEGER NOT NULL,
    message  TEXT    NOT NULL,
    units    INTEGER NOT NULL CHECK (units > 0),
    PRIMARY KEY (merchant, hold, step),
    FOREIGN KEY (merchant, hold) REFERENCES hold (merchant, id),
    FOREIGN KEY (merchant, message) REFERENCES message (merchant, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX hold_step_message ON hold_step (merchant, message);

-- Up to which order the holds of a merchant know what orders do.
CREATE TABLE hold_mark (
    merchant TEXT    NOT NULL PRIMARY KEY REFERENCES merchant (id),
    orders   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE hold_mark;
DROP TABLE hold_step;
DROP TABLE hold_cover;
DROP TABLE hold;
DROP TABLE message_attachment;
DROP TABLE message_recipient;
DROP TABLE message;
