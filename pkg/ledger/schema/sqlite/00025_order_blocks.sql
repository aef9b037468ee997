-- Orders of a large file wait in packed blocks until somebody asks for orders:
-- to enter a hundred thousand rows takes longer than to decide them. first is the
-- number of a block's first order, the others follow it.

-- +goose Up
CREATE TABLE order_block (
    merchant TEXT    NOT NULL REFERENCES merchant (id),
    first    INTEGER NOT NULL,
    run      TEXT    NOT NULL,
    entries  INTEGER NOT NULL CHECK (entries > 0),
    block    BLOB    NOT NULL,
    PRIMARY KEY (merchant, first)
) STRICT;

-- +goose Down
DROP TABLE order_block;
