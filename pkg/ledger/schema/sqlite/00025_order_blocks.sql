-- Orders of a large file wait in packed blocks until somebody asks for orders:
-- to enter a hundred thousand rows takes longer than to decide them. base is the
-- merchant's last order number before the file; the orders' places count from it.

-- +goose Up
CREATE TABLE order_block (
    merchant TEXT    NOT NULL REFERENCES merchant (id),
    base     INTEGER NOT NULL,
    part     INTEGER NOT NULL,
    run      TEXT    NOT NULL,
    entries  INTEGER NOT NULL CHECK (entries > 0),
    block    BLOB    NOT NULL,
    PRIMARY KEY (merchant, base, part)
) STRICT;

-- +goose Down
DROP TABLE order_block;
