package notify

import (
	"bytes"
	"fmt"
	"net/mail"

	gomail "github.com/wneessen/go-mail"

	"rensa/pkg/ledger"
	"rensa/templates"
)

// build makes the mail of a message for recipients. Whoever it is for and however
// often it is made, its Message-ID and date are the same.
func build(m *ledger.Message, text *templates.Mail, from *mail.Address, to []string) (*gomail.Msg, error) {
	html, err := text.HTML()
	if err != nil {
		return nil, err
	}
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	msg.FromMailAddress(from)
	for _, address := range to {
		if err := msg.AddTo(address); err != nil {
			return nil, fmt.Errorf("recipient %q: %w", address, err)
		}
	}
	msg.Subject(text.Subject)
	msg.SetMessageIDWithValue(m.MessageID)
	msg.SetDateWithValue(m.Created)
	// No holiday answers, please.
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader("Content-Language", text.Lang)
	msg.SetBodyString(gomail.TypeTextPlain, text.Text())
	msg.AddAlternativeString(gomail.TypeTextHTML, html)
	for i := range m.Attachments {
		a := &m.Attachments[i]
		msg.AttachReadSeeker(a.Name, bytes.NewReader(a.Body), gomail.WithFileContentType(gomail.ContentType(a.MediaType)))
	}
	return msg, nil
}
