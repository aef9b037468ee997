package report

import "rensa/templates"

// Texts are the texts of a merchant's language, for those who have reports made and
// say nothing themselves.
func Texts(language string) *templates.Texts { return templates.Load(language) }
