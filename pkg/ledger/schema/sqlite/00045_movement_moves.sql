-- Whether a block of movements has, or may have, more than placings of orders (1): who
-- asks what is left of the stock looks at those first, and need not read twice what a
-- large file did. Of blocks from before it is not known.

-- +goose Up
ALTER TABLE movement ADD COLUMN moves INTEGER NOT NULL DEFAULT 1 CHECK (moves IN (0, 1));

-- +goose Down
ALTER TABLE movement DROP COLUMN moves;
