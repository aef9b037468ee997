# Everything a developer or a machine does with this tree; `make` lists it.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

GO ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo development)
LDFLAGS := -s -w -X main.version=$(VERSION)
GOLANGCI := $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
# How long each fuzz target runs under `make fuzz`.
FUZZTIME ?= 60s
# The largest size of the benchmarks under `make bench`, and flags of `make bench-peers`.
BENCHROWS ?= 1000000
PEERS ?=
DEMO := demo-workspace
GOFILES = $$(find cmd pkg templates samples .ci -name '*.go' -not -path '*/testdata/*')

.PHONY: help
help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## build ./bin/rensa, one static binary
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/rensa ./cmd/rensa

.PHONY: demo
demo: build ## make a fresh ./demo-workspace and process its sample uploads
	@rm -rf $(DEMO)
	@bin/rensa init $(DEMO) --demo
	@echo; echo '$$ rensa -w $(DEMO) process $(DEMO)/demo/*'
	@code=0; bin/rensa -w $(DEMO) process $(DEMO)/demo/* || code=$$?; \
	  if [ $$code -ne 0 ] && [ $$code -ne 3 ] && [ $$code -ne 4 ]; then exit $$code; fi
	@echo; echo '$$ rensa -w $(DEMO) orders list'
	@bin/rensa -w $(DEMO) orders list
	@echo; echo 'Everything that came of it:'
	@find $(DEMO)/reports $(DEMO)/outbound -type f | sort | sed 's/^/  /'

.PHONY: test
test: ## run every test, after installing what they need where that is possible; skipped ones are named at the end (with CI=true a skip fails)
	@for tool in chromium curl; do .ci/need $$tool $$tool || test "$${CI:-}" != true; done
	@$(GO) test -v ./... 2>&1 | awk -v ci="$${CI:-}" -f .ci/test.awk

.PHONY: race
race: ## run every test under the race detector (needs gcc)
	CGO_ENABLED=1 $(GO) test -race ./...

.PHONY: lint
lint: ## formatting, vet, golangci-lint (import rules among it), tidy go.mod
	@bad=$$(gofmt -l $(GOFILES)); if [ -n "$$bad" ]; then echo "not formatted:"; echo "$$bad"; exit 1; fi
	$(GO) vet ./...
	$(GOLANGCI) run
	$(GO) mod tidy -diff

.PHONY: fuzz
fuzz: ## run each fuzz target for FUZZTIME (60s)
	@for dir in $$(grep -rlE '^func Fuzz' --include='*_test.go' cmd pkg | xargs -rn1 dirname | sort -u); do \
	  for target in $$(grep -hoE '^func Fuzz[A-Za-z0-9_]*' $$dir/*_test.go | sed 's/^func //'); do \
	    echo "$$dir $$target"; $(GO) test ./$$dir -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME); \
	  done; done

.PHONY: bench
bench: ## run every benchmark at up to BENCHROWS (1000000) rows; a table with allocations
	@RENSA_BENCH_ROWS=$(BENCHROWS) $(GO) test -run '^$$' -bench . -benchmem -timeout 60m ./... | awk -f .ci/bench.awk

.PHONY: bench-smoke
bench-smoke: ## run every benchmark once, so that they keep working
	$(GO) test -run '^$$' -bench . -benchtime 1x ./...

.PHONY: bench-peers
bench-peers: build ## hold bin/rensa against the tools that are installed, in turn; PEERS='-rows 100000 -slow=false'
	@$(GO) -C .ci/peers run . -rensa $(CURDIR)/bin/rensa $(PEERS)

.PHONY: samples
samples: ## write all expected outputs anew; review the diff
	$(GO) test $$(grep -rl --include='*_test.go' 'flag.Bool("update"' . | xargs -n1 dirname | sort -u) -update
	@git --no-pager diff --stat

.PHONY: clean
clean: ## remove what was built and the demo workspace
	rm -rf bin $(DEMO)
