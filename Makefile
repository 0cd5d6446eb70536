# One runner for everything: `make` alone lists what there is. A step longer
# than three lines of shell is a Go program under internal/gen.

# Every name that bin/spinel is started under; each is a symbolic link to it.
PROGRAMS = spinel-server redis-server valkey-server spinel-cli redis-cli valkey-cli \
	spinel-benchmark redis-benchmark valkey-benchmark \
	spinel-check-aof redis-check-aof valkey-check-aof spinel-check-rdb redis-check-rdb valkey-check-rdb

# fuzz: how long each target runs.
T = 30s
# run, bench: more arguments.
ARGS =
# conformance: these units only.
UNIT =
# bench: what bench/compare measures.
SCENARIO = speed

export CGO_ENABLED = 0

.DEFAULT_GOAL = help
.PHONY: help build run test race lint fuzz bench conformance e2e clients shop check clean

help: ## list the targets
	@awk -F ' *## *' '/^[a-z0-9]+:.*##/ {split($$1, t, ":"); printf "make %-13s %s\n", t[1], $$2}' Makefile

build: ## bin/spinel, and a link to it for each program name
	go build -trimpath -o bin/spinel ./cmd/spinel
	@for name in $(PROGRAMS); do ln -sf spinel bin/$$name; done

run: build ## build, then start the server on port 6379; ARGS='--port 7000'
	bin/spinel-server $(ARGS)

# What an invariant's check allocates hides what the program does, so the tests that
# count run again without them.
test: ## every unit test, with invariants checked; under five minutes
	@go run ./internal/gen/gotest -tags invariants -timeout 4m ./... -- -run Alloc -timeout 2m ./...

race: export CGO_ENABLED = 1
race: ## the same under the race detector
	@go run ./internal/gen/gotest -race -tags invariants -timeout 15m ./...

lint: ## format, vet, other systems, staticcheck, and what internal/lint holds
	@files=$$(gofmt -l .); test -z "$$files" || { echo "gofmt would change:" $$files; exit 1; }
	go vet ./...
	go vet -tags invariants ./...
	GOOS=darwin go build ./...
	GOOS=windows go build ./...
	go tool staticcheck ./...
	go test ./internal/lint/...

fuzz: ## every fuzz target in turn, each for T=30s
	@go run ./internal/gen/fuzzall -time $(T) ./...

bench: build ## beside Valkey: SCENARIO=speed|speed-all|memory|snapshot|load|connections
	bench/compare --ours bin/spinel-server $(SCENARIO) $(ARGS)

conformance: build ## Redis's own suite on bin/spinel; UNIT='unit/type/string unit/expire'
	test/conformance/suite --binary bin/spinel $(UNIT)

e2e: ## the real program started, killed and mistreated; SPINEL_KILL_ROUNDS=1000 for long
	@go run ./internal/gen/gotest -count 1 -timeout 30m ./test/e2e

clients: ## programs written with the client libraries of other languages
	@go run ./internal/gen/gotest -count 1 -timeout 10m ./test/clients

shop: build ## a Django shop on bin/redis-server, and its visitors
	@test/shop/suite --bin bin

check: lint test build ## what CI runs
	test/conformance/suite --binary bin/spinel --expect test/conformance/passing.txt

clean: ## remove bin/
	rm -rf bin
