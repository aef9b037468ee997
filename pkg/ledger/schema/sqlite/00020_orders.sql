-- What follows an order after it was accepted: drafts, status, shipments, outgoing
-- files on their way, and finding orders by SKU.

-- +goose Up
-- requested: when the order was made at the marketplace, as a status file has it.
-- progress: what status files and cancellations told beside the quantities.
ALTER TABLE removal_order ADD COLUMN requested INTEGER;
ALTER TABLE removal_order ADD COLUMN progress TEXT;
CREATE INDEX removal_order_requested ON removal_order (merchant, requested) WHERE requested IS NOT NULL;

-- Lists by method, and by date: orders rise in both, so entries are put at the end.
CREATE INDEX removal_order_method ON removal_order (merchant, method, seq);
CREATE INDEX removal_order_created ON removal_order (merchant, created);

-- The state machine, as removal.Transitions has it.
CREATE TABLE order_move (
    from_state TEXT NOT NULL,
    to_state   TEXT NOT NULL,
    PRIMARY KEY (from_state, to_state)
) STRICT, WITHOUT ROWID;
INSERT INTO order_move (from_state, to_state) VALUES
    ('planning', 'cancelled'), ('planning', 'pending'), ('planning', 'processing'), ('planning', 'completed'),
    ('pending', 'processing'), ('pending', 'completed'), ('pending', 'cancelled'), ('pending', 'refused'),
    ('processing', 'completed'), ('processing', 'cancelled'), ('processing', 'refused');

-- +goose StatementBegin
CREATE TRIGGER removal_order_moves BEFORE UPDATE OF state ON removal_order
WHEN OLD.state <> NEW.state
 AND NOT EXISTS (SELECT 1 FROM order_move WHERE from_state = OLD.state AND to_state = NEW.state)
BEGIN
    SELECT RAISE(ABORT, 'an order cannot move between these states');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER removal_order_final BEFORE UPDATE ON removal_order
WHEN OLD.state IN ('completed', 'cancelled', 'refused')
 AND (OLD.sellable_requested <> NEW.sellable_requested OR OLD.sellable_cancelled <> NEW.sellable_cancelled
   OR OLD.sellable_disposed <> NEW.sellable_disposed OR OLD.sellable_shipped <> NEW.sellable_shipped
   OR OLD.unsellable_requested <> NEW.unsellable_requested OR OLD.unsellable_cancelled <> NEW.unsellable_cancelled
   OR OLD.unsellable_disposed <> NEW.unsellable_disposed OR OLD.unsellable_shipped <> NEW.unsellable_shipped)
BEGIN
    SELECT RAISE(ABORT, 'the quantities of a finished order stay');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER removal_order_open BEFORE UPDATE OF state ON removal_order
WHEN NEW.state IN ('completed', 'cancelled', 'refused') AND OLD.state <> NEW.state
 AND NEW.sellable_requested + NEW.unsellable_requested <> NEW.sellable_cancelled + NEW.sellable_disposed + NEW.sellable_shipped
   + NEW.unsellable_cancelled + NEW.unsellable_disposed + NEW.unsellable_shipped
BEGIN
    SELECT RAISE(ABORT, 'an order with open units is not finished');
END;
-- +goose StatementEnd

-- Orders that a person is making. They reserve nothing. body is JSON: method,
-- address, items.
CREATE TABLE draft (
    merchant TEXT    NOT NULL REFERENCES merchant (id),
    id       TEXT    NOT NULL CHECK (id <> ''),
    version  INTEGER NOT NULL CHECK (version > 0),
    created  INTEGER NOT NULL,
    updated  INTEGER NOT NULL,
    actor    TEXT    NOT NULL,
    body     TEXT    NOT NULL,
    PRIMARY KEY (merchant, id)
) STRICT;

-- Parcels, as shipment reports tell of them, also of orders that are not known yet.
CREATE TABLE shipment (
    merchant     TEXT    NOT NULL REFERENCES merchant (id),
    order_id     TEXT    NOT NULL,
    sku          TEXT    NOT NULL,
    condition    INTEGER NOT NULL CHECK (condition IN (0, 1)),
    shipped_at   INTEGER NOT NULL,
    tracking     TEXT    NOT NULL,
    carrier      TEXT    NOT NULL,
    fnsku        TEXT    NOT NULL,
    type         TEXT    NOT NULL,
    units        INTEGER NOT NULL CHECK (units >= 0),
    requested    INTEGER,
    run          TEXT    NOT NULL,
    PRIMARY KEY (merchant, order_id, sku, condition, shipped_at, tracking, carrier)
) STRICT;
CREATE INDEX shipment_date ON shipment (merchant, shipped_at);

-- answered: the run of the processing report that answered the file.
ALTER TABLE outbound ADD COLUMN kind TEXT NOT NULL DEFAULT 'orders' CHECK (kind IN ('orders', 'cancel'));
ALTER TABLE outbound ADD COLUMN answered TEXT;
CREATE INDEX outbound_open ON outbound (merchant, created) WHERE answered IS NULL AND kind = 'orders';

-- Outgoing files that are decided and not in their place yet, with their bytes.
CREATE TABLE outbound_body (
    merchant TEXT NOT NULL,
    name     TEXT NOT NULL,
    body     BLOB NOT NULL,
    PRIMARY KEY (merchant, name),
    FOREIGN KEY (merchant, name) REFERENCES outbound (merchant, name)
) STRICT;

-- Which orders have a SKU, by the SKU's hash, for the orders up to the mark.
CREATE TABLE order_sku (
    merchant TEXT    NOT NULL,
    hash     INTEGER NOT NULL,
    seq      INTEGER NOT NULL,
    PRIMARY KEY (merchant, hash, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE order_sku_mark (
    merchant TEXT    NOT NULL PRIMARY KEY REFERENCES merchant (id),
    seq      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE order_sku_mark;
DROP TABLE order_sku;
DROP TABLE outbound_body;
DROP INDEX outbound_open;
ALTER TABLE outbound DROP COLUMN answered;
ALTER TABLE outbound DROP COLUMN kind;
DROP TABLE shipment;
DROP TABLE draft;
DROP TRIGGER removal_order_open;
DROP TRIGGER removal_order_final;
DROP TRIGGER removal_order_moves;
DROP TABLE order_move;
DROP INDEX removal_order_created;
DROP INDEX removal_order_method;
DROP INDEX removal_order_requested;
ALTER TABLE removal_order DROP COLUMN progress;
ALTER TABLE removal_order DROP COLUMN requested;
