-- Hashes of the ids and families of the orders that wait in a block, as a block of
-- their own: so that it can be told that an id is not among them without entering
-- them. Where they are missing (NULL in blocks from before) or damaged, any id may be.

-- +goose Up
ALTER TABLE order_block ADD COLUMN ids BLOB;

-- +goose Down
ALTER TABLE order_block DROP COLUMN ids;
