package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// What a new password costs to try: the least that OWASP advises for argon2id,
// since a seller's machine checks files beside it. Hashes carry their own figures.
const (
	argonTime    = 2
	argonMemory  = 19 * 1024 // KiB
	argonThreads = 1
	argonKey     = 32
	argonSalt    = 16
)

// The length of a password, in characters and in bytes.
const (
	minPassword = 10
	maxPassword = 200
)

// ErrPassword says that a password is too short, too long or the user's own name.
var ErrPassword = errors.New("the password cannot be used")

// CheckPassword tells whether a user may choose a password. ErrPassword.
func CheckPassword(user, password string) error {
	n := utf8.RuneCountInString(password)
	if n < minPassword || len(password) > maxPassword || !utf8.ValidString(password) || strings.EqualFold(user, password) {
		return ErrPassword
	}
	return nil
}

// HashPassword gives the encoded hash that the ledger keeps.
func HashPassword(password string) string {
	salt := make([]byte, argonSalt)
	rand.Read(salt) // never fails: crypto/rand ends the program instead
	key := argon2.IDKey([]byte(password), salt, argonTime, argonMemory, argonThreads, argonKey)
	enc := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonThreads,
		enc.EncodeToString(salt), enc.EncodeToString(key))
}

// errHash says that a stored hash is not one of HashPassword's.
var errHash = errors.New("not a password hash")

func passwordMatches(encoded, password string) (bool, error) {
	parts := strings.Split(encoded, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return false, errHash
	}
	var version int
	var memory, times uint32
	var threads uint8
	if _, err := fmt.Sscanf(parts[2], "v=%d", &version); err != nil || version != argon2.Version {
		return false, errHash
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &times, &threads); err != nil || times == 0 || threads == 0 {
		return false, errHash
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[4])
	key, err2 := base64.RawStdEncoding.DecodeString(parts[5])
	if err := errors.Join(err1, err2); err != nil || len(key) == 0 {
		return false, errHash
	}
	got := argon2.IDKey([]byte(password), salt, times, memory, threads, uint32(len(key)))
	return subtle.ConstantTimeCompare(got, key) == 1, nil
}

// verifier checks passwords, a few at a time: each takes memory and a core.
type verifier struct {
	turns chan struct{}
	// nobody is compared where there is no such user, so that the answer takes
	// as long.
	nobody string
}

func newVerifier() *verifier {
	return &verifier{turns: make(chan struct{}, 2), nobody: HashPassword(newSecret())}
}

func (v *verifier) matches(ctx context.Context, encoded, password string) (bool, error) {
	select {
	case v.turns <- struct{}{}:
		defer func() { <-v.turns }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	known := encoded != ""
	if !known {
		encoded = v.nobody
	}
	if len(password) > maxPassword {
		password = "" // nobody's
	}
	ok, err := passwordMatches(encoded, password)
	return ok && known, err
}

// newSecret is a secret of 130 bits or more, fit for addresses.
func newSecret() string { return strings.ToLower(rand.Text()) }

// hashSecret is how the ledger keeps secrets that are long enough not to be guessed.
func hashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
