package ir_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"testing"

	"github.com/gmind-go/compute/internal/testenv"
)

// fused matches the lines of fused multiply-adds in Go's assembly, with the file and the line of
// the source: of FMADDS and VFMADD231SS, for instance. On s390x they are WFMADB and FMADDS.
var fused = regexp.MustCompile(`(?m)^.*\((.*):(\d+)\)\t(V?FN?M(ADD|SUB)|X[SV]N?M(ADD|SUB)|WFN?M[AS][DS]B)[A-Z0-9]*\t.*$`)

// TestNoContraction compiles the reference, what it calls, and the kernels in plain Go for
// every processor for which Go contracts x*y + z to one operation, and checks that the compiler
// never did: a product is rounded by a conversion. A line may call math.FMA, which is one fused
// operation.
func TestNoContraction(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles for six processors")
	}
	testenv.NeedsGo(t)
	for _, target := range [][]string{
		{"GOARCH=amd64", "GOAMD64=v3"}, {"GOARCH=arm64"}, {"GOARCH=ppc64le"}, {"GOARCH=s390x"}, {"GOARCH=riscv64"}, {"GOARCH=loong64"},
	} {
		assembly := func(packages ...string) []byte {
			build := exec.Command("go", append([]string{"build", "-gcflags=-S"}, packages...)...)
			build.Env = append(append(os.Environ(), "GOOS=linux", "CGO_ENABLED=0"), target...)
			out, err := build.CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %v\n%s", target, err, out)
			}
			return out
		}
		if !fused.Match(assembly("./testdata/contracted")) {
			t.Errorf("%v: no fused operation found where there is one", target)
		}
		listing := assembly(".", "../..", "../rounded", "../single", "../threefry", "../../cpu")
		for _, function := range []string{"internal/ir.(*Program).Eval ", "internal/rounded.Exp ", "internal/single.FMA ", "cpu.mulF32Generic "} {
			if !bytes.Contains(listing, []byte("compute/"+function+"STEXT")) {
				t.Errorf("%v: %sis not in the listing", target, function)
			}
		}
		found := map[[2]string]int{} // by file and line
		for _, m := range fused.FindAllSubmatch(listing, -1) {
			line := [2]string{string(m[1]), string(m[2])}
			if found[line]++; found[line] > calls(t, line[0], line[1]) {
				t.Errorf("%v: a fused operation where math.FMA is not called:\n%s", target, m[0])
			}
		}
	}
}

// calls returns how many times a line of a file calls math.FMA.
func calls(t *testing.T, file, line string) int {
	t.Helper()
	data, err := os.ReadFile(file)
	n, err2 := strconv.Atoi(line)
	lines := bytes.Split(data, []byte("\n"))
	if err != nil || err2 != nil || n > len(lines) {
		t.Fatalf("%s:%s: %v", file, line, errors.Join(err, err2))
	}
	return bytes.Count(lines[n-1], []byte("math.FMA("))
}
