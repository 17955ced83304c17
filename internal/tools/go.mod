// Tools of the tests and of make, pinned, apart from what the library needs.
module github.com/gmind-go/compute/internal/tools

go 1.25.0

tool golang.org/x/perf/cmd/benchstat

require (
	github.com/aclements/go-moremath v0.0.0-20210112150236-f10218a38794 // indirect
	golang.org/x/perf v0.0.0-20260709024250-82a0b07e230d // indirect
)
