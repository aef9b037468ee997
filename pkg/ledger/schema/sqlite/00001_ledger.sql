-- Keys begin with the merchant. Times are microseconds since 1970 in UTC; NULL
-- is no time. Text sorts bytewise. The same numbers of migrations stand in
-- schema/postgres.

-- +goose Up
CREATE TABLE merchant (
    id       TEXT    NOT NULL PRIMARY KEY CHECK (id <> ''),
    revision INTEGER NOT NULL DEFAULT 0 CHECK (revision >= 0),
    snapshot TEXT,
    -- The numbers given last: the next order, event, run, file has one more.
    orders   INTEGER NOT NULL DEFAULT 0,
    events   INTEGER NOT NULL DEFAULT 0,
    runs     INTEGER NOT NULL DEFAULT 0,
    files    INTEGER NOT NULL DEFAULT 0,
    created  INTEGER NOT NULL
) STRICT;

CREATE TABLE merchant_setting (
    merchant TEXT NOT NULL REFERENCES merchant (id),
    key      TEXT NOT NULL CHECK (key <> ''),
    value    TEXT NOT NULL,
    PRIMARY KEY (merchant, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE centre (
    merchant    TEXT    NOT NULL REFERENCES merchant (id),
    ord         INTEGER NOT NULL,
    id          TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    line1       TEXT    NOT NULL,
    city        TEXT    NOT NULL,
    country     TEXT    NOT NULL,
    postal_code TEXT    NOT NULL,
    PRIMARY KEY (merchant, ord)
) STRICT, WITHOUT ROWID;

CREATE TABLE run (
    merchant        TEXT    NOT NULL REFERENCES merchant (id),
    id              TEXT    NOT NULL CHECK (id <> ''),
    seq             INTEGER NOT NULL,
    kind            TEXT    NOT NULL,
    file_name       TEXT    NOT NULL,
    sha256          TEXT    NOT NULL,
    bytes           INTEGER NOT NULL CHECK (bytes >= 0),
    layout          TEXT    NOT NULL,
    encoding        TEXT    NOT NULL,
    delimiter       TEXT    NOT NULL,
    container       TEXT    NOT NULL,
    sheet           TEXT    NOT NULL,
    heading         INTEGER NOT NULL,
    snapshot        TEXT    NOT NULL,
    snapshot_date   INTEGER,
    policy_version  TEXT    NOT NULL,
    acceptance      TEXT    NOT NULL CHECK (acceptance IN ('', 'row', 'order', 'file')),
    started         INTEGER,
    finished        INTEGER,
    committed       INTEGER NOT NULL,
    rows_read       INTEGER NOT NULL CHECK (rows_read >= 0),
    rows_accepted   INTEGER NOT NULL CHECK (rows_accepted >= 0),
    rows_rejected   INTEGER NOT NULL CHECK (rows_rejected >= 0),
    rows_seen       INTEGER NOT NULL CHECK (rows_seen >= 0),
    orders_accepted INTEGER NOT NULL CHECK (orders_accepted >= 0),
    orders_refused  INTEGER NOT NULL CHECK (orders_refused >= 0),
    -- 1 where the kind of file makes or changes orders.
    makes_orders    INTEGER NOT NULL CHECK (makes_orders IN (0, 1)),
    -- The orders that the run made have seq order_after < seq <= order_last.
    order_after     INTEGER NOT NULL,
    order_last      INTEGER NOT NULL CHECK (order_last >= order_after),
    status          TEXT    NOT NULL CHECK (status IN ('committed', 'published', 'archived')),
    report_version  INTEGER NOT NULL,
    language        TEXT    NOT NULL,
    archive         TEXT    NOT NULL,
    detail          TEXT,
    PRIMARY KEY (merchant, id),
    CHECK (rows_read = rows_accepted + rows_rejected + rows_seen)
) STRICT;
CREATE UNIQUE INDEX run_seq ON run (merchant, seq);
-- The same bytes make orders once, whoever reads them and however often.
CREATE UNIQUE INDEX run_made ON run (merchant, sha256) WHERE makes_orders = 1 AND rows_accepted > 0;
CREATE INDEX run_open ON run (merchant, seq) WHERE status <> 'archived';

CREATE TABLE output (
    merchant TEXT    NOT NULL,
    run      TEXT    NOT NULL,
    ord      INTEGER NOT NULL,
    name     TEXT    NOT NULL CHECK (name <> ''),
    sha256   TEXT    NOT NULL,
    bytes    INTEGER NOT NULL CHECK (bytes >= 0),
    PRIMARY KEY (merchant, run, name),
    FOREIGN KEY (merchant, run) REFERENCES run (merchant, id)
) STRICT, WITHOUT ROWID;

-- The work list: what came in, in the order in which it came.
CREATE TABLE file (
    merchant    TEXT    NOT NULL REFERENCES merchant (id),
    id          TEXT    NOT NULL CHECK (id <> ''),
    seq         INTEGER NOT NULL,
    name        TEXT    NOT NULL,
    place       TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    sha256      TEXT    NOT NULL,
    bytes       INTEGER NOT NULL CHECK (bytes >= 0),
    state       TEXT    NOT NULL CHECK (state IN ('claimed', 'committed', 'published', 'archived', 'rejected', 'closed')),
    run         TEXT,
    attempts    INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    lease_owner TEXT,
    lease_until INTEGER,
    claimed     INTEGER NOT NULL,
    reason      TEXT,
    PRIMARY KEY (merchant, id)
) STRICT;
CREATE UNIQUE INDEX file_seq ON file (merchant, seq);
CREATE INDEX file_open ON file (merchant, seq) WHERE state IN ('claimed', 'committed', 'published');

CREATE TABLE snapshot (
    merchant      TEXT    NOT NULL REFERENCES merchant (id),
    id            TEXT    NOT NULL CHECK (id <> ''),
    date          INTEGER NOT NULL,
    date_has_time INTEGER NOT NULL CHECK (date_has_time IN (0, 1)),
    kind          TEXT    NOT NULL,
    run           TEXT    NOT NULL,
    sha256        TEXT    NOT NULL,
    path          TEXT    NOT NULL,
    skus          INTEGER NOT NULL CHECK (skus >= 0),
    pools         INTEGER NOT NULL CHECK (pools >= 0),
    sellable      INTEGER NOT NULL CHECK (sellable >= 0),
    unsellable    INTEGER NOT NULL CHECK (unsellable >= 0),
    created       INTEGER NOT NULL,
    PRIMARY KEY (merchant, id)
) STRICT;

-- Addresses stand apart from the orders, so that they can be erased. The number
-- is that of the first order that has the address: numbers rise, and a rising key
-- is several times as quick to insert as a hash.
CREATE TABLE address (
    merchant    TEXT NOT NULL,
    seq         INTEGER NOT NULL,
    name        TEXT NOT NULL,
    line1       TEXT NOT NULL,
    line2       TEXT NOT NULL,
    line3       TEXT NOT NULL,
    city        TEXT NOT NULL,
    state       TEXT NOT NULL,
    postal_code TEXT NOT NULL,
    country     TEXT NOT NULL,
    phone       TEXT NOT NULL,
    PRIMARY KEY (merchant, seq)
) STRICT, WITHOUT ROWID;

-- One row is an order with its lines. A line is an array: sku, fnsku, asked
-- sellable, asked unsellable, requested sellable, requested unsellable, fee or
-- null, and where any unit is done also cancelled, disposed, shipped sellable
-- and the same three unsellable. View order_line shows them as rows.
CREATE TABLE removal_order (
    merchant              TEXT    NOT NULL,
    seq                   INTEGER NOT NULL,
    id                    TEXT    NOT NULL CHECK (id <> ''),
    -- The order that this one was made from; NULL where it is itself the first.
    family                TEXT,
    state                 TEXT    NOT NULL CHECK (state IN ('planning', 'pending', 'processing', 'draft', 'completed', 'cancelled', 'refused')),
    method                INTEGER NOT NULL CHECK (method IN (1, 2)),
    source                TEXT    NOT NULL CHECK (source IN ('upload', 'draft', 'required', 'external')),
    run                   TEXT,
    row                   INTEGER NOT NULL,
    created               INTEGER NOT NULL,
    generated             INTEGER NOT NULL CHECK (generated IN (0, 1)),
    header_hash           INTEGER NOT NULL,
    address               INTEGER,
    notes                 TEXT,
    fee                   INTEGER NOT NULL,
    currency              TEXT    NOT NULL,
    no_fee                INTEGER NOT NULL CHECK (no_fee >= 0),
    no_fee_reason         TEXT,
    cancel_requested      INTEGER NOT NULL DEFAULT 0 CHECK (cancel_requested IN (0, 1)),
    items                 INTEGER NOT NULL CHECK (items >= 0),
    sellable_requested    INTEGER NOT NULL CHECK (sellable_requested >= 0),
    sellable_cancelled    INTEGER NOT NULL DEFAULT 0 CHECK (sellable_cancelled >= 0),
    sellable_disposed     INTEGER NOT NULL DEFAULT 0 CHECK (sellable_disposed >= 0),
    sellable_shipped      INTEGER NOT NULL DEFAULT 0 CHECK (sellable_shipped >= 0),
    -- What remains: requested is the sum of the other four by construction.
    sellable_in_process   INTEGER NOT NULL AS (sellable_requested - sellable_cancelled - sellable_disposed - sellable_shipped)
                          CHECK (sellable_in_process >= 0),
    unsellable_requested  INTEGER NOT NULL CHECK (unsellable_requested >= 0),
    unsellable_cancelled  INTEGER NOT NULL DEFAULT 0 CHECK (unsellable_cancelled >= 0),
    unsellable_disposed   INTEGER NOT NULL DEFAULT 0 CHECK (unsellable_disposed >= 0),
    unsellable_shipped    INTEGER NOT NULL DEFAULT 0 CHECK (unsellable_shipped >= 0),
    unsellable_in_process INTEGER NOT NULL AS (unsellable_requested - unsellable_cancelled - unsellable_disposed - unsellable_shipped)
                          CHECK (unsellable_in_process >= 0),
    lines                 TEXT    NOT NULL,
    FOREIGN KEY (merchant, address) REFERENCES address (merchant, seq)
) STRICT;
-- A refused order's id may be used again.
CREATE UNIQUE INDEX removal_order_id ON removal_order (merchant, id) WHERE state <> 'refused';
CREATE UNIQUE INDEX removal_order_seq ON removal_order (merchant, seq);
CREATE INDEX removal_order_state ON removal_order (merchant, state, seq);
CREATE INDEX removal_order_family ON removal_order (merchant, family) WHERE family IS NOT NULL;
CREATE INDEX removal_order_header ON removal_order (merchant, header_hash, seq) WHERE generated = 1;

CREATE VIEW order_line AS
SELECT o.merchant, o.id AS order_id, o.seq AS order_seq, l.key + 1 AS line,
       json_extract(l.value, '$[0]') AS sku,
       json_extract(l.value, '$[1]') AS fnsku,
       json_extract(l.value, '$[2]') AS sellable_asked,
       json_extract(l.value, '$[4]') AS sellable_requested,
       coalesce(json_extract(l.value, '$[7]'), 0) AS sellable_cancelled,
       coalesce(json_extract(l.value, '$[8]'), 0) AS sellable_disposed,
       coalesce(json_extract(l.value, '$[9]'), 0) AS sellable_shipped,
       json_extract(l.value, '$[3]') AS unsellable_asked,
       json_extract(l.value, '$[5]') AS unsellable_requested,
       coalesce(json_extract(l.value, '$[10]'), 0) AS unsellable_cancelled,
       coalesce(json_extract(l.value, '$[11]'), 0) AS unsellable_disposed,
       coalesce(json_extract(l.value, '$[12]'), 0) AS unsellable_shipped,
       json_extract(l.value, '$[6]') / 10000.0 AS fee
FROM removal_order AS o, json_each(o.lines) AS l;

-- Which ids are certainly new: layers of a Bloom filter over the ids and
-- families of the orders up to seq.
CREATE TABLE id_filter (
    merchant TEXT    NOT NULL REFERENCES merchant (id),
    layer    INTEGER NOT NULL,
    seq      INTEGER NOT NULL,
    block    BLOB    NOT NULL,
    PRIMARY KEY (merchant, layer)
) STRICT;

-- What removals took of the pools: one block a commit, never changed. A base
-- stands for all before it.
CREATE TABLE movement (
    merchant TEXT    NOT NULL REFERENCES merchant (id),
    seq      INTEGER NOT NULL,
    kind     TEXT    NOT NULL CHECK (kind IN ('base', 'commit')),
    run      TEXT,
    entries  INTEGER NOT NULL CHECK (entries > 0),
    block    BLOB    NOT NULL,
    PRIMARY KEY (merchant, seq)
) STRICT;

-- What was decided about the rows ('row') and orders ('order') of a run's file.
CREATE TABLE outcome (
    merchant  TEXT    NOT NULL,
    run       TEXT    NOT NULL,
    kind      TEXT    NOT NULL CHECK (kind IN ('row', 'order')),
    part      INTEGER NOT NULL,
    entries   INTEGER NOT NULL CHECK (entries >= 0),
    first_row INTEGER NOT NULL,
    last_row  INTEGER NOT NULL,
    block     BLOB    NOT NULL,
    PRIMARY KEY (merchant, run, kind, part),
    FOREIGN KEY (merchant, run) REFERENCES run (merchant, id)
) STRICT;

CREATE TABLE event (
    merchant   TEXT    NOT NULL REFERENCES merchant (id),
    seq        INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    actor      TEXT    NOT NULL,
    subject    TEXT    NOT NULL CHECK (subject <> ''),
    id         TEXT    NOT NULL,
    what       TEXT    NOT NULL CHECK (what <> ''),
    from_value TEXT    NOT NULL,
    to_value   TEXT    NOT NULL,
    why        TEXT    NOT NULL,
    run        TEXT    NOT NULL,
    -- 1 where the event happened to every order that the run made.
    each_order INTEGER NOT NULL CHECK (each_order IN (0, 1)),
    PRIMARY KEY (merchant, seq)
) STRICT;
CREATE INDEX event_subject ON event (merchant, subject, id, seq);
CREATE INDEX event_run ON event (merchant, run, seq) WHERE each_order = 1;

-- Files that went out: what each held, fixed when it was decided.
CREATE TABLE outbound (
    merchant TEXT    NOT NULL REFERENCES merchant (id),
    name     TEXT    NOT NULL CHECK (name <> ''),
    ord      INTEGER NOT NULL,
    sha256   TEXT    NOT NULL,
    bytes    INTEGER NOT NULL CHECK (bytes >= 0),
    run      TEXT    NOT NULL,
    created  INTEGER NOT NULL,
    orders   TEXT    NOT NULL,
    PRIMARY KEY (merchant, name)
) STRICT;
CREATE INDEX outbound_run ON outbound (merchant, run, ord);

-- +goose Down
DROP VIEW order_line;
DROP TABLE outbound;
DROP TABLE event;
DROP TABLE outcome;
DROP TABLE movement;
DROP TABLE id_filter;
DROP TABLE removal_order;
DROP TABLE address;
DROP TABLE snapshot;
DROP TABLE file;
DROP TABLE output;
DROP TABLE run;
DROP TABLE centre;
DROP TABLE merchant_setting;
DROP TABLE merchant;
