package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Token lets a program use the API. The secret itself is shown once and kept nowhere.
type Token struct {
	ID   string
	Name string // what it is for
	Hash string // of the secret
	Access
	User    string // who made it and with whom it ends; "" on the command line
	Created time.Time
	Expires time.Time // zero: never
	Used    time.Time // last, to the hour; zero: never
}

// AddToken adds a token. ErrExists: the id is in use. ErrRefused: a merchant or
// the user is not known.
func (l *Ledger) AddToken(ctx context.Context, k Token, notes ...Note) error {
	err := l.write(ctx, func(tx *tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO api_token (id, hash, name, role, all_merchants, app_user, created, expires)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			k.ID, k.Hash, k.Name, string(k.Role), bit(k.AllMerchants), null(k.User), tx.now.UnixMicro(), stamp(k.Expires))
		if err == nil {
			err = tx.putScope(ctx, `INSERT INTO api_token_merchant (token, merchant) VALUES ($1, $2)`, k.ID, &k.Access)
		}
		if err == nil {
			err = tx.putNotes(ctx, notes)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("add token %s: %w", k.ID, err)
	}
	return nil
}

// RemoveToken takes a token away. ErrNotFound.
func (l *Ledger) RemoveToken(ctx context.Context, id string, notes ...Note) error {
	err := l.write(ctx, func(tx *tx) error {
		if err := tx.one(ctx, `DELETE FROM api_token WHERE id = $1`, id); err != nil {
			return err
		}
		return tx.putNotes(ctx, notes)
	})
	if err != nil {
		return fmt.Errorf("remove token %s: %w", id, err)
	}
	return nil
}

// Tokens gives all tokens, the newest first, those too that have expired.
func (l *Ledger) Tokens(ctx context.Context) (all []Token, err error) {
	err = l.read(ctx, func(tx *tx) error {
		all, err = tx.tokens(ctx, `true`)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("tokens: %w", err)
	}
	return all, nil
}

// TokenOf gives the token with a secret of this hash, as long as it has not
// expired, and notes that it was used. ErrNotFound.
func (l *Ledger) TokenOf(ctx context.Context, hash string) (k Token, err error) {
	now := l.now()
	err = l.read(ctx, func(tx *tx) error {
		found, err := tx.tokens(ctx, `k.hash = $1 AND (k.expires IS NULL OR k.expires > $2)`, hash, now.UnixMicro())
		if err == nil && len(found) == 0 {
			err = ErrNotFound
		}
		if err == nil {
			k = found[0]
		}
		return err
	})
	if err == nil && now.Sub(k.Used) >= time.Hour {
		k.Used = micro(now)
		err = l.write(ctx, func(tx *tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE api_token SET used = $1 WHERE id = $2`, now.UnixMicro(), k.ID)
			return err
		})
	}
	if err != nil {
		return Token{}, fmt.Errorf("token: %w", err)
	}
	return k, nil
}

func (t *tx) tokens(ctx context.Context, condition string, args ...any) (all []Token, err error) {
	place := map[string]int{}
	err = t.each(ctx, func(rows *sql.Rows) error {
		var k Token
		err := rows.Scan(&k.ID, &k.Hash, &k.Name, &k.Role, &k.AllMerchants, text{&k.User}, moment{&k.Created}, moment{&k.Expires}, moment{&k.Used})
		place[k.ID] = len(all)
		all = append(all, k)
		return err
	}, `SELECT k.id, k.hash, k.name, k.role, k.all_merchants, k.app_user, k.created, k.expires, k.used
		FROM api_token AS k WHERE `+condition+` ORDER BY k.created DESC, k.id`, args...)
	if err != nil {
		return nil, err
	}
	return all, t.each(ctx, func(rows *sql.Rows) error {
		var id, merchant string
		err := rows.Scan(&id, &merchant)
		if err == nil {
			all[place[id]].Merchants = append(all[place[id]].Merchants, merchant)
		}
		return err
	}, `SELECT k.id, m.merchant FROM api_token AS k JOIN api_token_merchant AS m ON m.token = k.id
		WHERE `+condition+` ORDER BY k.id, m.merchant`, args...)
}
