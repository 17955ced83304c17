# make bench         measure the devices of this machine; ARGS="-device any" and so on
# make bench-opencl  compare the OpenCL backend with its limits: copies, launches, transfers; and with CLBlast
# make bench-peers   compare the speed with oneDNN, PyTorch and others, on the CPU
# make check-peers   compare the bits, and the errors of functions; ARGS="-device any"
# make coverage      how much of the code the tests run
# make exhaustive    every operation on all 2^32 inputs, and on more than 2^31 elements
# make faults        make every OpenCL call fail, in every way
# make fuzz          every fuzz target for TIME, 30s unless set
# make golden        remake the hashes of all functions with MPFR; ARGS="exp tanh"
# make hashes        train a network on every device and instruction set; its weights must be equal
# make load          256 goroutines on each backend for TIME, 1m unless set; two processes
# make machines      run the tests as on other machines; ARGS="one-core rusticl"
# make programs      a million random programs on the CPU, ten thousand on OpenCL
# make soak          a million operations on each backend; memory must not grow
# make static        format, vet, staticcheck, generated files, on all ports
# make test          all tests; installs PoCL to test OpenCL, unless SETUP=0
.PHONY: bench bench-opencl bench-peers check-peers coverage faults exhaustive fuzz golden hashes programs soak load machines static test cross

# Without the version the OpenCL headers print a note for every file of the binding.
# scripts/pkg-config makes the binding link without the OpenCL loader. Go's build cache does
# not depend on the output of pkg-config, so a flag separates these builds from those of
# other programs with the binding.
apart := -DCOMPUTE_LINKS_NO_OPENCL
export CGO_CFLAGS := $(filter-out $(apart),$(or $(CGO_CFLAGS),-g -O2 -DCL_TARGET_OPENCL_VERSION=120)) $(apart)
export PKG_CONFIG := '$(CURDIR)/scripts/pkg-config'

bench:
	@go build $$(scripts/opencl-tags) -o bin/bench ./cmd/bench
	@bin/bench $(ARGS)

bench-peers:
	@internal/peers/run $(ARGS)

check-peers:
	@internal/peers/run -check $(ARGS)

# On the device of COMPUTE_OPENCL_DEVICE, or any.
bench-opencl:
	@go test -count=1 -tags opencl -run - -bench . -benchtime 51x $(ARGS) ./gpu/internal/opencl

coverage:
	@scripts/coverage

faults:
	@FAULTS=all go test -count=1 -tags opencl -timeout 60m -run '^TestFaults$$' -v ./gpu

exhaustive:
	@scripts/exhaustive

machines:
	@scripts/machines $(ARGS)

static:
	@scripts/static

fuzz:
	@scripts/fuzz $(or $(TIME),30s)

golden:
	@scripts/golden $(ARGS)

hashes:
	@go test -count=1 $$(scripts/opencl-tags) -run '^TestSameWeights$$' -v ./examples/digits

programs:
	@COMPUTE_PROGRAMS=1000000 go test -count=1 -timeout 120m -run '^TestRandomPrograms$$' -v ./cpu
	@COMPUTE_PROGRAMS=10000 go test -count=1 $$(scripts/opencl-tags) -timeout 120m -run '^TestRandomPrograms$$' -v .

soak:
	@SOAK=1000000 go test -count=1 $$(scripts/opencl-tags) -run '^TestSoak$$' -v . ./gpu

load:
	@LOAD=$(or $(TIME),1m) go test -count=1 $$(scripts/opencl-tags) -timeout 60m -run '^TestLoad' -v .

test:
	@scripts/setup
	@scripts/test

# CI builds this too.
cross:
	@for target in $(or $(TARGETS),windows/amd64 darwin/amd64 darwin/arm64 linux/arm64 linux/386 js/wasm); do \
		echo "build $$target"; \
		CGO_ENABLED=0 GOOS=$${target%/*} GOARCH=$${target#*/} go vet ./... && \
		CGO_ENABLED=0 GOOS=$${target%/*} GOARCH=$${target#*/} go build -o /dev/null ./cmd/bench || exit 1; \
	done
