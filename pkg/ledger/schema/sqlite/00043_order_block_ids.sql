-- Hashes of the ids and families of the orders that wait in a block, sorted, 8 bytes
-- each, little endian: so that it can be told that an id is not among them without
-- entering them. NULL in blocks from before: any id may be among those.

-- +goose Up
ALTER TABLE order_block ADD COLUMN ids BLOB;

-- +goose Down
ALTER TABLE order_block DROP COLUMN ids;
