package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// User is somebody who may sign in.
type User struct {
	ID   string // the name to sign in with
	Name string // as it is shown; ID where it is ""
	Access
	Language string // "" : the browser's
	Theme    string // "light", "dark"; "": the browser's
	// Password is its encoded hash, "" where none is set yet: nobody can sign in.
	Password string
	// Epoch rises when sessions that were begun before have to end.
	Epoch   int64
	Created time.Time
}

// Shown is the name under which people know the user.
func (u *User) Shown() string {
	if u.Name != "" {
		return u.Name
	}
	return u.ID
}

// AddUser adds a user. ErrExists: the id is in use. ErrRefused: a merchant of the
// scope is not known.
func (l *Ledger) AddUser(ctx context.Context, u User, notes ...Note) error {
	return l.writeUser(ctx, "add", u.ID, notes, func(tx *tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO app_user (id, name, role, all_merchants, language, theme, password, created)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			u.ID, u.Name, string(u.Role), bit(u.AllMerchants), u.Language, u.Theme, null(u.Password), tx.now.UnixMicro())
		if err != nil {
			return err
		}
		return tx.putScope(ctx, `INSERT INTO app_user_merchant (app_user, merchant) VALUES ($1, $2)`, u.ID, &u.Access)
	})
}

// SetUser replaces a user's name, role, scope, language and theme; the password
// stays. Where role or scope change, the user's sessions end. ErrNotFound.
func (l *Ledger) SetUser(ctx context.Context, u User, notes ...Note) error {
	return l.writeUser(ctx, "change", u.ID, notes, func(tx *tx) error {
		before, err := tx.users(ctx, `u.id = $1`, u.ID)
		if err != nil {
			return err
		}
		if len(before) == 0 {
			return ErrNotFound
		}
		epoch := before[0].Epoch
		if !sameAccess(&before[0].Access, &u.Access) {
			epoch++
		}
		if err := tx.one(ctx, `UPDATE app_user SET name = $1, role = $2, all_merchants = $3, language = $4, theme = $5, epoch = $6 WHERE id = $7`,
			u.Name, string(u.Role), bit(u.AllMerchants), u.Language, u.Theme, epoch, u.ID); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM app_user_merchant WHERE app_user = $1`, u.ID); err != nil {
			return err
		}
		return tx.putScope(ctx, `INSERT INTO app_user_merchant (app_user, merchant) VALUES ($1, $2)`, u.ID, &u.Access)
	})
}

// SetPassword gives a user another password, as an encoded hash. All sessions
// and links of the user end. ErrNotFound.
func (l *Ledger) SetPassword(ctx context.Context, id, hash string, notes ...Note) error {
	return l.writeUser(ctx, "set the password of", id, notes, func(tx *tx) error { return tx.setPassword(ctx, id, hash) })
}

func (t *tx) setPassword(ctx context.Context, id, hash string) error {
	if err := t.one(ctx, `UPDATE app_user SET password = $1, epoch = epoch + 1 WHERE id = $2`, null(hash), id); err != nil {
		return err
	}
	_, err := t.ExecContext(ctx, `DELETE FROM sign_in_link WHERE app_user = $1`, id)
	return err
}

// RemoveUser takes a user away, with the tokens that the user made. ErrNotFound.
func (l *Ledger) RemoveUser(ctx context.Context, id string, notes ...Note) error {
	return l.writeUser(ctx, "remove", id, notes, func(tx *tx) error {
		return tx.one(ctx, `DELETE FROM app_user WHERE id = $1`, id)
	})
}

func (l *Ledger) writeUser(ctx context.Context, doing, id string, notes []Note, fn func(*tx) error) error {
	err := l.write(ctx, func(tx *tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		return tx.putNotes(ctx, notes)
	})
	if err != nil {
		return fmt.Errorf("%s user %s: %w", doing, id, err)
	}
	return nil
}

func sameAccess(a, b *Access) bool {
	if a.Role != b.Role || a.AllMerchants != b.AllMerchants {
		return false
	}
	if a.AllMerchants {
		return true
	}
	has := map[string]bool{}
	for _, m := range a.Merchants {
		has[m] = true
	}
	for _, m := range b.Merchants {
		if !has[m] {
			return false
		}
		delete(has, m)
	}
	return len(has) == 0
}

// putScope enters the merchants that somebody may see.
func (t *tx) putScope(ctx context.Context, insert, id string, a *Access) error {
	if a.AllMerchants {
		return nil
	}
	for _, m := range a.Merchants {
		if _, err := t.ExecContext(ctx, insert, id, m); err != nil {
			return fmt.Errorf("merchant %s: %w", m, err)
		}
	}
	return nil
}

// User gives one user. ErrNotFound.
func (l *Ledger) User(ctx context.Context, id string) (u User, err error) {
	err = l.read(ctx, func(tx *tx) error {
		found, err := tx.users(ctx, `u.id = $1`, id)
		if err == nil && len(found) == 0 {
			err = ErrNotFound
		}
		if err == nil {
			u = found[0]
		}
		return err
	})
	if err != nil {
		return User{}, fmt.Errorf("user %s: %w", id, err)
	}
	return u, nil
}

// Users gives all users in the order of their ids.
func (l *Ledger) Users(ctx context.Context) (all []User, err error) {
	err = l.read(ctx, func(tx *tx) error {
		all, err = tx.users(ctx, `true`)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("users: %w", err)
	}
	return all, nil
}

func (t *tx) users(ctx context.Context, condition string, args ...any) (all []User, err error) {
	place := map[string]int{}
	err = t.each(ctx, func(rows *sql.Rows) error {
		var u User
		err := rows.Scan(&u.ID, &u.Name, &u.Role, &u.AllMerchants, &u.Language, &u.Theme, text{&u.Password}, &u.Epoch, moment{&u.Created})
		place[u.ID] = len(all)
		all = append(all, u)
		return err
	}, `SELECT u.id, u.name, u.role, u.all_merchants, u.language, u.theme, u.password, u.epoch, u.created
		FROM app_user AS u WHERE `+condition+` ORDER BY u.id`, args...)
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
	}, `SELECT u.id, m.merchant FROM app_user AS u JOIN app_user_merchant AS m ON m.app_user = u.id
		WHERE `+condition+` ORDER BY u.id, m.merchant`, args...)
}

// AddLink gives a user a link, by the hash of its secret, that sets a password
// once and until a moment. Links that the user had before end. ErrRefused: no
// such user.
func (l *Ledger) AddLink(ctx context.Context, user, hash string, expires time.Time, notes ...Note) error {
	return l.writeUser(ctx, "link", user, notes, func(tx *tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM sign_in_link WHERE app_user = $1`, user); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO sign_in_link (hash, app_user, expires) VALUES ($1, $2, $3)`, hash, user, expires.UnixMicro())
		return err
	})
}

// Link gives the user of a link that is still good, without using it. ErrNotFound.
func (l *Ledger) Link(ctx context.Context, hash string) (User, error) {
	var user string
	err := l.read(ctx, func(tx *tx) error { return tx.linkOf(ctx, hash, &user) })
	if err != nil {
		return User{}, fmt.Errorf("sign-in link: %w", err)
	}
	return l.User(ctx, user)
}

// UseLink sets the password of a link's user and ends the link: of several who
// use it at once, one does. ErrNotFound.
func (l *Ledger) UseLink(ctx context.Context, hash, password string, note func(user string) Note) (User, error) {
	var user string
	err := l.write(ctx, func(tx *tx) error {
		err := tx.linkOf(ctx, hash, &user)
		if err == nil {
			err = tx.setPassword(ctx, user, password)
		}
		if err == nil {
			err = tx.putNotes(ctx, []Note{note(user)})
		}
		return err
	})
	if err != nil {
		return User{}, fmt.Errorf("sign-in link: %w", err)
	}
	return l.User(ctx, user)
}

func (t *tx) linkOf(ctx context.Context, hash string, user *string) error {
	err := t.QueryRowContext(ctx, `SELECT app_user FROM sign_in_link WHERE hash = $1 AND expires > $2`, hash, t.now.UnixMicro()).Scan(user)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return err
}
