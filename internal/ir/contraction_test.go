package ir_test

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"testing"

	"github.com/gmind-go/compute/internal/testenv"
)

// fused matches the names of fused multiply-adds in Go's assembly: FMADDS and VFMADD231SS, for
// instance. On s390x they are WFMADB and FMADDS.
var fused = regexp.MustCompile(`(?m)^.*\t(V?FN?M(ADD|SUB)|X[SV]N?M(ADD|SUB)|WFN?M[AS][DS]B)[A-Z0-9]*\t.*$`)

// TestNoContraction compiles the reference, what it calls, and the kernels in plain Go for
// every processor for which Go contracts x*y + z to one operation, and checks that the compiler
// never did: a product is rounded by a conversion.
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
		if found := fused.FindAll(listing, -1); len(found) > 0 {
			t.Errorf("%v: %d fused operations, as in\n%s", target, len(found), found[0])
		}
	}
}
