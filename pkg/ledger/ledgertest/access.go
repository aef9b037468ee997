package ledgertest

import (
	"testing"
	"time"

	"rensa/pkg/ledger"
)

// testUsers: users are added, changed, listed and taken away; a change of what
// they may do ends their sessions.
func testUsers(t *testing.T, l *ledger.Ledger) {
	ctx := t.Context()
	addMerchant(t, l, m)
	anna := ledger.User{ID: "anna", Name: "Anna Å", Access: ledger.Access{Role: ledger.RoleOperator, Merchants: []string{m}}, Language: "sv"}
	if err := l.AddUser(ctx, anna, ledger.Note{Actor: "cli", What: "user added", Subject: "anna"}); err != nil {
		t.Fatal(err)
	}
	checkErr(t, ledger.ErrExists, l.AddUser(ctx, anna))
	checkErr(t, ledger.ErrRefused, l.AddUser(ctx, ledger.User{ID: "bo", Access: ledger.Access{Role: ledger.RoleViewer, Merchants: []string{"nobody"}}}))
	checkErr(t, ledger.ErrRefused, l.AddUser(ctx, ledger.User{ID: "bo", Access: ledger.Access{Role: "king"}}))

	got, err := l.User(ctx, "anna")
	if err != nil {
		t.Fatal(err)
	}
	want := anna
	want.Epoch, want.Created = 1, got.Created
	check(t, "user", want, got)
	if got.Created.IsZero() {
		t.Error("the user has no date")
	}

	got.Theme, got.Name = "dark", "Anna Ö"
	if err := l.SetUser(ctx, got); err != nil {
		t.Fatal(err)
	}
	if u := user(t, l, "anna"); u.Epoch != 1 || u.Theme != "dark" || u.Name != "Anna Ö" {
		t.Errorf("after a change of the theme: %+v", u)
	}
	got.AllMerchants, got.Merchants = true, nil
	if err := l.SetUser(ctx, got); err != nil {
		t.Fatal(err)
	}
	if u := user(t, l, "anna"); u.Epoch != 2 || !u.Sees("any") || len(u.Merchants) != 0 {
		t.Errorf("after a change of the scope: %+v", u)
	}
	if err := l.SetPassword(ctx, "anna", "hash"); err != nil {
		t.Fatal(err)
	}
	if u := user(t, l, "anna"); u.Epoch != 3 || u.Password != "hash" {
		t.Errorf("after a change of the password: %+v", u)
	}
	checkErr(t, ledger.ErrNotFound, l.SetPassword(ctx, "bo", "hash"))
	checkErr(t, ledger.ErrNotFound, l.SetUser(ctx, ledger.User{ID: "bo", Access: ledger.Access{Role: ledger.RoleViewer}}))
	all, err := l.Users(ctx)
	if err != nil || len(all) != 1 {
		t.Errorf("users: %v, %v", all, err)
	}
	if err := l.RemoveUser(ctx, "anna"); err != nil {
		t.Fatal(err)
	}
	checkErr(t, ledger.ErrNotFound, l.RemoveUser(ctx, "anna"))
	notes, _, err := l.Notes(ctx, 0, "")
	if err != nil || len(notes) != 1 || notes[0].What != "user added" || notes[0].At.IsZero() {
		t.Errorf("notes: %+v, %v", notes, err)
	}
}

func user(t *testing.T, l *ledger.Ledger, id string) ledger.User {
	t.Helper()
	u, err := l.User(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// testLinks: a link sets a password once, and not after its time.
func testLinks(t *testing.T, l *ledger.Ledger) {
	ctx := t.Context()
	if err := l.AddUser(ctx, ledger.User{ID: "anna", Access: ledger.Access{Role: ledger.RoleAdmin, AllMerchants: true}}); err != nil {
		t.Fatal(err)
	}
	late := time.Now().Add(time.Hour)
	checkErr(t, ledger.ErrRefused, l.AddLink(ctx, "nobody", "h0", late))
	for _, hash := range []string{"h1", "h2"} {
		if err := l.AddLink(ctx, "anna", hash, late); err != nil {
			t.Fatal(err)
		}
	}
	note := func(user string) ledger.Note {
		return ledger.Note{Actor: user, What: "password set", Subject: user}
	}
	_, err := l.Link(ctx, "h1")
	checkErr(t, ledger.ErrNotFound, err) // the second took its place
	u, err := l.Link(ctx, "h2")
	if err != nil || u.ID != "anna" {
		t.Fatalf("link: %+v, %v", u, err)
	}
	if u, err = l.UseLink(ctx, "h2", "hash", note); err != nil || u.Password != "hash" {
		t.Fatalf("used link: %+v, %v", u, err)
	}
	_, err = l.UseLink(ctx, "h2", "other", note)
	checkErr(t, ledger.ErrNotFound, err)
	if err := l.AddLink(ctx, "anna", "h3", time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	_, err = l.UseLink(ctx, "h3", "other", note)
	checkErr(t, ledger.ErrNotFound, err)
	if u := user(t, l, "anna"); u.Password != "hash" {
		t.Errorf("the password is %q", u.Password)
	}
}

// testSessions: a session is there until it ends or expires.
func testSessions(t *testing.T, l *ledger.Ledger) {
	ctx := t.Context()
	late := time.Now().Add(time.Hour)
	get := func(hash, want string) {
		t.Helper()
		data, err := l.Session(ctx, hash)
		if err != nil || string(data) != want {
			t.Errorf("session %s: %q, %v, want %q", hash, data, err, want)
		}
	}
	get("s1", "")
	for _, put := range []string{"one", "two"} {
		if err := l.PutSession(ctx, "s1", []byte(put), late); err != nil {
			t.Fatal(err)
		}
		get("s1", put)
	}
	if err := l.PutSession(ctx, "s2", []byte("old"), time.Now().Add(-time.Minute)); err != nil {
		t.Fatal(err)
	}
	get("s2", "")
	for range 2 {
		if err := l.DropSession(ctx, "s1"); err != nil {
			t.Fatal(err)
		}
	}
	get("s1", "")
}

// testTokens: a token is found by its secret's hash until it expires or is taken away.
func testTokens(t *testing.T, l *ledger.Ledger) {
	ctx := t.Context()
	addMerchant(t, l, m)
	if err := l.AddUser(ctx, ledger.User{ID: "anna", Access: ledger.Access{Role: ledger.RoleAdmin, AllMerchants: true}}); err != nil {
		t.Fatal(err)
	}
	scope := ledger.Access{Role: ledger.RoleViewer, Merchants: []string{m}}
	for _, k := range []ledger.Token{
		{ID: "k1", Name: "connector", Hash: "h1", Access: scope, User: "anna", Expires: time.Now().Add(time.Hour)},
		{ID: "k2", Name: "old", Hash: "h2", Access: scope, Expires: time.Now().Add(-time.Hour)},
		{ID: "k3", Name: "for ever", Hash: "h3", Access: ledger.Access{Role: ledger.RoleAdmin, AllMerchants: true}},
	} {
		if err := l.AddToken(ctx, k); err != nil {
			t.Fatal(err)
		}
	}
	checkErr(t, ledger.ErrExists, l.AddToken(ctx, ledger.Token{ID: "k1", Hash: "h9", Access: scope}))
	checkErr(t, ledger.ErrRefused, l.AddToken(ctx, ledger.Token{ID: "k4", Hash: "h4", Access: scope, User: "nobody"}))
	k, err := l.TokenOf(ctx, "h1")
	if err != nil || k.ID != "k1" || !k.Sees(m) || k.Sees("other") || k.Used.IsZero() {
		t.Errorf("token: %+v, %v", k, err)
	}
	_, err = l.TokenOf(ctx, "h2")
	checkErr(t, ledger.ErrNotFound, err)
	if k, err = l.TokenOf(ctx, "h3"); err != nil || !k.Everything() {
		t.Errorf("token: %+v, %v", k, err)
	}
	if all, err := l.Tokens(ctx); err != nil || len(all) != 3 {
		t.Errorf("tokens: %+v, %v", all, err)
	}
	if err := l.RemoveToken(ctx, "k3"); err != nil {
		t.Fatal(err)
	}
	checkErr(t, ledger.ErrNotFound, l.RemoveToken(ctx, "k3"))
	if err := l.RemoveUser(ctx, "anna"); err != nil { // with the tokens that she made
		t.Fatal(err)
	}
	_, err = l.TokenOf(ctx, "h1")
	checkErr(t, ledger.ErrNotFound, err)
}

// testNotes: notes come newest first, page by page.
func testNotes(t *testing.T, l *ledger.Ledger) {
	ctx := t.Context()
	for _, what := range []string{"one", "two", "three"} {
		if err := l.AddNote(ctx, ledger.Note{Actor: "anna", What: what, Address: "127.0.0.1"}); err != nil {
			t.Fatal(err)
		}
	}
	first, next, err := l.Notes(ctx, 2, "")
	if err != nil || len(first) != 2 || first[0].What != "three" || next == "" {
		t.Fatalf("notes: %+v, %q, %v", first, next, err)
	}
	rest, next, err := l.Notes(ctx, 2, next)
	if err != nil || len(rest) != 1 || rest[0].What != "one" || next != "" {
		t.Errorf("notes: %+v, %q, %v", rest, next, err)
	}
	_, _, err = l.Notes(ctx, 2, "!")
	checkErr(t, ledger.ErrCursor, err)
}

// testArrivals: files that ended without a run, and those that are not done.
func testArrivals(t *testing.T, l *ledger.Ledger) {
	ctx := t.Context()
	addMerchant(t, l, m)
	var first ledger.Work
	for _, id := range []string{"c1", "c2", "c3"} {
		w, err := l.Claim(ctx, ledger.Work{File: ledger.File{ID: id, Name: "a.tsv", Place: "work/" + id, LeaseOwner: "me", LeaseUntil: time.Now().Add(time.Hour)}, Merchant: m})
		if err != nil {
			t.Fatal(err)
		}
		if first.ID == "" {
			first = w
		}
	}
	if all, err := l.Waiting(ctx, m); err != nil || len(all) != 3 {
		t.Errorf("waiting: %+v, %v", all, err)
	}
	if err := l.Settle(ctx, &first, ledger.FileRejected, "rejected/a.tsv", "file_empty"); err != nil {
		t.Fatal(err)
	}
	if all, err := l.WithoutRun(ctx, m, 0); err != nil || len(all) != 1 || all[0].Reason != "file_empty" {
		t.Errorf("without a run: %+v, %v", all, err)
	}
}
