package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// What a request key is for. Keys of one scope say nothing in the other.
const (
	KeyFile  = "file"
	KeyOrder = "order"
)

// RequestKey is what a client calls one request, so that the same request sent
// again is answered and not done again.
type RequestKey struct {
	Merchant, Scope, Key string
	SHA256               string // of what was sent
	Answer               string // id of what came of it; "" while it is being done
	Created              time.Time
}

const (
	// keyLife is how long a key is remembered.
	keyLife = 7 * 24 * time.Hour
	// keyPatience is after what time a request that has no answer yet is taken for
	// lost, as after a crash.
	keyPatience = time.Minute
)

// goneKey is the condition of a key that is free again: its file was never taken,
// or it has no answer for too long.
const goneKey = `(answer = '' AND created < $4 OR scope = 'file' AND EXISTS (
	SELECT 1 FROM file AS f WHERE f.merchant = $1 AND f.id = request_key.answer AND f.state = 'closed'))`

// KeyOf gives a key that was entered before. ErrNotFound: it is free; "" always is.
func (l *Ledger) KeyOf(ctx context.Context, merchant, scope, key string) (k RequestKey, err error) {
	err = l.read(ctx, func(tx *tx) error {
		k, err = tx.keyOf(ctx, merchant, scope, key)
		return err
	})
	if err != nil {
		return k, fmt.Errorf("request key: %w", err)
	}
	return k, nil
}

func (t *tx) keyOf(ctx context.Context, merchant, scope, key string) (RequestKey, error) {
	k := RequestKey{Merchant: merchant, Scope: scope, Key: key}
	err := t.QueryRowContext(ctx, `SELECT sha256, answer, created FROM request_key
		WHERE merchant = $1 AND scope = $2 AND key = $3 AND NOT `+goneKey,
		merchant, scope, key, t.now.Add(-keyPatience).UnixMicro()).Scan(&k.SHA256, &k.Answer, moment{&k.Created})
	return k, missing(err)
}

// KeepKey enters a key, or gives the one that was entered before: kept says which.
// A key whose file was never taken, or that has no answer for too long, is free
// again. ErrNotFound: no such merchant.
func (l *Ledger) KeepKey(ctx context.Context, k RequestKey) (first RequestKey, kept bool, err error) {
	err = l.write(ctx, func(tx *tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM request_key WHERE merchant = $1 AND created < $2`,
			k.Merchant, tx.now.Add(-keyLife).UnixMicro()); err != nil {
			return err
		}
		if first, err = tx.keyOf(ctx, k.Merchant, k.Scope, k.Key); !errors.Is(err, ErrNotFound) {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM request_key WHERE merchant = $1 AND scope = $2 AND key = $3`,
			k.Merchant, k.Scope, k.Key); err != nil {
			return err
		}
		first, kept = k, true
		first.Created = tx.now
		var one int
		if err := tx.QueryRowContext(ctx, `SELECT 1 FROM merchant WHERE id = $1`, k.Merchant).Scan(&one); err != nil {
			return missing(err)
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO request_key (merchant, scope, key, sha256, answer, created) VALUES ($1, $2, $3, $4, $5, $6)`,
			k.Merchant, k.Scope, k.Key, k.SHA256, k.Answer, tx.now.UnixMicro())
		return err
	})
	if err != nil {
		return RequestKey{}, false, fmt.Errorf("request key: %w", err)
	}
	return first, kept, nil
}

// AnswerKey says what came of the request of a key; "" gives the key free, since
// nothing came of it. A key that is gone is no fault.
func (l *Ledger) AnswerKey(ctx context.Context, k RequestKey, answer string) error {
	query, args := `UPDATE request_key SET answer = $4 WHERE merchant = $1 AND scope = $2 AND key = $3`, []any{k.Merchant, k.Scope, k.Key, answer}
	if answer == "" {
		query, args = `DELETE FROM request_key WHERE merchant = $1 AND scope = $2 AND key = $3`, args[:3]
	}
	err := l.write(ctx, func(tx *tx) error {
		_, err := tx.ExecContext(ctx, query, args...)
		return err
	})
	if err != nil {
		return fmt.Errorf("request key: %w", err)
	}
	return nil
}
