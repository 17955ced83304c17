package cpu

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/driver"
	"github.com/gmind-go/compute/internal/exhaustive"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/function"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/values"
)

// TestKernels compares the kernels of every instruction set that this processor has with
// the reference, for all lengths and at all places in a cache line, with the operands apart
// and with results over inputs.
func TestKernels(t *testing.T) {
	r := heapRooms(t)
	for _, set := range instructionSets() {
		t.Run(set.name, func(t *testing.T) {
			for n := range 301 {
				e := newExample(n)
				for _, trial := range trials(set.plain, e.f) {
					for _, over := range trial.form.Places() {
						for offset := range 16 {
							if err := r.try(trial, e, over, at(offset, n)); err != nil {
								t.Fatal(err)
							}
						}
					}
				}
			}
		})
	}
}

// TestNonTemporal compares the kernels with non-temporal stores with the reference, for
// whole blocks and aligned results.
func TestNonTemporal(t *testing.T) {
	r := heapRooms(t)
	for _, set := range instructionSets() {
		t.Run(set.name, func(t *testing.T) {
			for n := 0; n <= longest; n += blockSize {
				e := newExample(n)
				for _, trial := range trials(set.nonTemporal, e.f) {
					for offset := range 16 {
						if err := r.try(trial, e, form.Place{}, aligned(at(offset, n))); err != nil {
							t.Fatal(err)
						}
					}
				}
			}
		})
	}
}

// TestTables: every instruction set has every form of every function, and Copy.
func TestTables(t *testing.T) {
	for _, set := range instructionSets() {
		for _, table := range [][]kernels{set.plain, set.nonTemporal} {
			if table == nil {
				continue
			}
			if got, want := len(table), 1+len(function.All()); got != want {
				t.Errorf("%s has kernels of %d kinds and should have %d", set.name, got, want)
				continue
			}
			for kind, forms := range table {
				for fm, k := range forms {
					wanted := kind == 0
					if form.Form(fm) != form.Copy {
						wanted = kind > 0 && function.Kernel(kind, function.Form(fm)) != nil
					}
					if wanted != (k != nil) {
						t.Errorf("%s: whether there is a kernel of %v of kind %d is %v and should be %v", set.name, form.Form(fm), kind, k != nil, wanted)
					}
				}
			}
		}
	}
}

// TestEveryInput: every instruction set that this processor has, with plain and with
// non-temporal stores, is right on every input (make exhaustive), or on a sample; and on a
// sample in short calls, which use plain stores.
func TestEveryInput(t *testing.T) {
	var plain, nonTemporal []exhaustive.Subject
	contents := func(b compute.Buffer) []float32 { return driver.MemoryOf(b).(*memory).elements } // calls compute before they return
	missing := []string{"avx512", "avx2", "neon"}
	for _, set := range instructionSets() {
		missing = slices.DeleteFunc(missing, func(name string) bool { return name == set.name })
		d := Options{}.device(set)
		d.cache = 1 << 30
		b := driver.New(d)
		defer b.Close()
		plain = append(plain, exhaustive.Subject{Name: set.name, Backend: b, Contents: contents})
		if set.nonTemporal == nil {
			continue
		}
		d = Options{}.device(set)
		d.cache = 0
		b = driver.New(d)
		defer b.Close()
		nonTemporal = append(nonTemporal, exhaustive.Subject{Name: set.name + ", non-temporal", Backend: b, Contents: contents})
	}
	exhaustive.Run(t, append(plain, nonTemporal...))
	exhaustive.RunShort(t, plain) // all inputs would take hours
	for _, name := range missing {
		t.Logf("NOT tested: %s, which this build or processor does not have", name)
	}
}

// TestGenericIsStraightLine reads what the compiler makes of the generic
// kernels: the comparison with zero must end in a conditional move, since a jump
// on random signs costs several times the rest of the loop.
func TestGenericIsStraightLine(t *testing.T) {
	testenv.NeedsGo(t)
	compares := map[string]string{"amd64": "UCOMISS", "arm64": "FCMPS"}
	moves := map[string]string{"amd64": "CMOV", "arm64": "CSEL"}
	for arch, compare := range compares {
		cmd := exec.Command("go", "build", "-gcflags=-S", ".")
		cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+arch, "CGO_ENABLED=0")
		listing, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v\n%s", cmd, err, listing)
		}
		for _, kernel := range []string{"leakyReLUForward", "leakyReLUDerivative", "leakyReLUBackward", "leakyReLUForwardDerivative", "leakyReLUForwardWord"} {
			next := nextDecision(string(listing), "cpu."+kernel+" STEXT", compare)
			if !strings.HasPrefix(next, moves[arch]) {
				t.Errorf("on %s, %s decides by %q after %s, want %s", arch, kernel, next, compare, moves[arch])
			}
		}
	}
}

// nextDecision returns the first jump or conditional move behind the instruction
// compare, in the function of the listing whose head contains start.
func nextDecision(listing, start, compare string) string {
	_, body, _ := strings.Cut(listing, start)
	body, _, _ = strings.Cut(body, " STEXT ")
	compared := false
	for line := range strings.Lines(body) {
		fields := strings.Split(strings.TrimSpace(line), "\t")
		if len(fields) < 2 {
			continue
		}
		switch op := fields[1]; {
		case op == compare:
			compared = true
		case compared && (strings.HasPrefix(op, "J") || strings.HasPrefix(op, "B") || strings.HasPrefix(op, "CMOV") || strings.HasPrefix(op, "CSEL")):
			return op
		}
	}
	return ""
}

// BenchmarkSigns shows that a kernel takes as long on random signs as on equal ones.
func BenchmarkSigns(b *testing.B) {
	const n = 64 << 10
	inputs := map[string][]float32{"random": values.Normal(n, 1), "positive": values.Normal(n, 1)}
	for i, v := range inputs["positive"] {
		inputs["positive"][i] = max(v, -v)
	}
	y := make([]float32, n)
	for _, set := range instructionSets() {
		for _, signs := range []string{"random", "positive"} {
			b.Run(fmt.Sprintf("%s/%s", set.name, signs), func(b *testing.B) {
				a := sliceArgs(y, inputs[signs])
				b.SetBytes(8 * n)
				for b.Loop() {
					set.plain[compute.KindLeakyReLU][form.Forward](&a)
				}
			})
		}
	}
}
