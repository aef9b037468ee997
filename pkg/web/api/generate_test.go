package api_test

import (
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/oapi-codegen/oapi-codegen/v2/pkg/codegen"
)

var update = flag.Bool("update", false, "generate the client anew")

// TestGenerate: the client beside the tests is the one that is generated from the
// document.
func TestGenerate(t *testing.T) { //nolint:paralleltest // the generator has global state
	s := newServer(t)
	doc, err := openapi3.NewLoader().LoadFromData(s.do("", http.MethodGet, "/openapi.json", nil).body)
	s.must(err)
	s.must(doc.Validate(t.Context()))
	version := "generated"
	config := codegen.Configuration{
		PackageName: "client", NoVCSVersionOverride: &version,
		Generate:      codegen.GenerateOptions{Client: true, Models: true},
		OutputOptions: codegen.OutputOptions{SkipPrune: true},
	}.UpdateDefaults()
	s.must(config.Validate())
	code, err := codegen.Generate(doc, config)
	s.must(err)
	name := filepath.Join("testdata", "client", "client.go")
	if *update {
		s.must(os.WriteFile(name, []byte(code), 0o600))
		return
	}
	kept, err := os.ReadFile(name)
	s.must(err)
	if string(kept) != code {
		t.Errorf("%s is not what the document gives: go test ./pkg/web/api -run TestGenerate -update", name)
	}
}
