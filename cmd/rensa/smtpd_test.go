package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"

	"rensa/pkg/notify/notifytest"
)

// smtpd DIR [USER PASSWORD] starts a mail server on this machine that puts each
// mail into a folder, as NUMBER.eml, its recipient in the first line. The
// environment says where it is (SMTP_PORT). Recipients called gone are refused,
// those called grey are refused for the moment.
func smtpd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 && len(args) != 3 {
		ts.Fatalf("usage: smtpd DIR [USER PASSWORD]")
	}
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o755))
	s, err := notifytest.Open(notifytest.NoTLS)
	ts.Check(err)
	ts.Defer(func() { _ = s.Close() })
	if len(args) == 3 {
		s.Want(args[1], args[2])
	}
	var mu sync.Mutex
	n := 0
	s.Fail(notifytest.Faults{
		Rcpt: func(to string) error {
			switch {
			case strings.HasPrefix(to, "gone@"):
				return notifytest.Refusal(550, 5, 1, 1, "no such user here")
			case strings.HasPrefix(to, "grey@"):
				return notifytest.Refusal(451, 4, 7, 1, "come back later")
			}
			return nil
		},
		Data: func(m *notifytest.Mail, _ func()) (bool, error) {
			mu.Lock()
			defer mu.Unlock()
			n++
			text := "X-Envelope-To: " + strings.Join(m.To, " ") + "\n" + strings.ReplaceAll(string(m.Raw), "\r\n", "\n")
			return true, os.WriteFile(filepath.Join(dir, fmt.Sprint(n, ".eml")), []byte(text), 0o600)
		},
	})
	ts.Setenv("SMTP_PORT", strconv.Itoa(s.Port))
}
