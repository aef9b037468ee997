-- What is held is read by every nightly job and every inventory file, in the order
-- of its ids: what has ended must not be walked over for that, or each night costs
-- more than the one before.

-- +goose Up
DROP INDEX hold_live;
DROP INDEX hold_pool;
CREATE INDEX hold_live ON hold (merchant, id) WHERE state <> 'ended';
CREATE INDEX hold_pool ON hold (merchant, pool, id);

-- +goose Down
DROP INDEX hold_live;
DROP INDEX hold_pool;
CREATE INDEX hold_live ON hold (merchant, deadline) WHERE state <> 'ended';
CREATE INDEX hold_pool ON hold (merchant, pool);
