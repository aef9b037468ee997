package web

import (
	"bytes"
	"errors"
	"net/http"
	"unicode"
	"unicode/utf8"

	"rensa/pkg/desk"
	"rensa/pkg/ledger"
	"rensa/pkg/removal"
	"rensa/pkg/report"
)

// reviewView is a draft as it would be placed now.
type reviewView struct {
	*desk.Review
	ShipTo   []string
	Problems []reviewProblem
	Errors   int
	HasFee   bool
	// Sellable and Unsellable are the units that would be taken.
	Sellable, Unsellable int64
}

// reviewProblem is one problem with the field of the form that it concerns.
type reviewProblem struct {
	Code          string
	Error         bool
	SKU           string
	Message, Hint string
	// Field is the id of the form's field, "" where it concerns none.
	Field string
}

func (s *Server) reviewDraft(w http.ResponseWriter, r *http.Request, v *visit) error {
	id := r.URL.Query().Get("id")
	review, err := s.Desk.Review(r.Context(), v.merchant.ID, id)
	if errors.Is(err, ledger.ErrNotFound) {
		return s.placedMeanwhile(w, r, v, id, err)
	}
	if err != nil {
		return err
	}
	return s.render(w, r, v, "review.html", map[string]any{"Review": s.reviewView(v, review)})
}

func (s *Server) reviewView(v *visit, review *desk.Review) *reviewView {
	view := &reviewView{Review: review}
	if review.Method == removal.Return {
		view.ShipTo = addressLines(review.Draft.Address)
	}
	for i := range review.Items {
		it := &review.Items[i]
		if !review.Placeable { // nothing is taken: what is asked for is shown
			it.TakenSellable, it.TakenUnsellable = it.Item.Sellable, it.Item.Unsellable
		}
		view.Sellable += it.TakenSellable
		view.Unsellable += it.TakenUnsellable
		view.HasFee = view.HasFee || it.HasFee
	}
	for i := range review.Problems {
		p := s.reviewProblem(v, &review.Problems[i])
		if p.Error {
			view.Errors++
		}
		view.Problems = append(view.Problems, p)
	}
	return view
}

func (s *Server) reviewProblem(v *visit, p *removal.Problem) reviewProblem {
	out := reviewProblem{Code: p.Code.String(), Error: p.Code.IsError(), SKU: p.SKU}
	out.Message, out.Hint = report.Say(v.texts, s.Policy, p)
	out.Message, out.Hint = sentence(out.Message), sentence(out.Hint)
	if desk.SpeaksOfFile(p.Code) {
		out.Hint = ""
	}
	switch name, part := addressNames[p.Field]; {
	case part:
		out.Field = "address-" + name
	case p.Field == removal.FieldOrderID:
		out.Field = "new-id"
	case p.Field == removal.FieldMethod:
		out.Field = "method"
	case p.SKU != "":
		out.Field = "items"
	}
	return out
}

// markProblems puts what the review finds beside the fields of the form.
func (s *Server) markProblems(r *http.Request, v *visit, f *draftForm) error {
	review, err := s.Desk.Review(r.Context(), v.merchant.ID, f.ID)
	if errors.Is(err, desk.ErrNoSnapshot) {
		return nil
	}
	if err != nil {
		return err
	}
	for i := range review.Problems {
		p := s.reviewProblem(v, &review.Problems[i])
		if p.Error {
			f.mark(&p)
		}
	}
	return nil
}

// mark puts a problem beside the field that it concerns.
func (f *draftForm) mark(p *reviewProblem) {
	text := p.Message
	if p.Hint != "" {
		text += " – " + p.Hint
	}
	for i := range f.Items {
		if p.SKU != "" && f.Items[i].SKU == p.SKU {
			f.Items[i].Wrong = append(f.Items[i].Wrong, text)
			return
		}
	}
	for i := range f.Address {
		if p.Field == "address-"+f.Address[i].Name {
			f.Address[i].Wrong = text
			return
		}
	}
	if p.Field == "new-id" {
		f.NewID.Wrong = text
		return
	}
	f.Wrong = append(f.Wrong, text)
}

// placeDraft places a draft and hands on what is due. One that cannot be placed is
// answered with its review.
func (s *Server) placeDraft(w http.ResponseWriter, r *http.Request, v *visit) error {
	ctx, merchant, id := r.Context(), v.merchant.ID, r.PostForm.Get("id")
	placed, err := s.Desk.Place(ctx, merchant, id, v.actor())
	if not, ok := errors.AsType[*desk.NotPlaced](err); ok {
		return s.renderStatus(w, r, v, http.StatusConflict, "review.html", map[string]any{
			"Review": s.reviewView(v, not.Review), "Refused": true,
		})
	}
	if errors.Is(err, ledger.ErrNotFound) {
		return s.placedMeanwhile(w, r, v, id, err)
	}
	if err != nil {
		return err
	}
	s.flash(r, v.texts.T("web.draft.placed", "id", placed[0].ID, "orders", len(placed)))
	// The order is placed whatever comes of handing it on, which is tried again.
	if _, err := s.Desk.ReleaseDue(ctx, merchant); err != nil {
		s.Log.Error().Err(err).Str("merchant", merchant).Msg("orders cannot be handed on; it is tried again")
	}
	return goTo(w, r, v, orderPath(placed[0].ID))
}

// draftUpload gives the ready upload file of an order that can be made by file only.
func (s *Server) draftUpload(w http.ResponseWriter, r *http.Request, v *visit) error {
	review, err := s.Desk.Review(r.Context(), v.merchant.ID, r.URL.Query().Get("id"))
	if err != nil {
		return err
	}
	if !review.UploadRequired {
		return errNotFound
	}
	return s.sendBytes(w, r, review.UploadName, bytes.NewReader(review.Upload))
}

// sentence begins a text with a capital, where it begins with a letter.
func sentence(text string) string {
	r, n := utf8.DecodeRuneInString(text)
	if n == 0 {
		return ""
	}
	return string(unicode.ToUpper(r)) + text[n:]
}
