package cpu

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
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

// TestTables: every instruction set has every form of every fused function, and Copy.
func TestTables(t *testing.T) {
	for _, set := range instructionSets() {
		for _, table := range [][]kernels{set.plain, set.nonTemporal} {
			if table == nil {
				continue
			}
			fused := 0
			for fused < len(function.All()) && function.Of(1+fused).Fused {
				fused++
			}
			if got, want := len(table), 1+fused; got != want {
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
	plain, nonTemporal := exhaustiveSubjects(t)
	exhaustive.Run(t, append(plain, nonTemporal...))
	exhaustive.RunShort(t, plain) // all inputs would take hours
}

// TestEveryInputOfFunctions is like TestEveryInput, for the functions of programs. Those with
// non-temporal stores, which are the same otherwise, and those in plain Go, which take long,
// are tested on one of every 8 blocks of inputs, or on the sample.
func TestEveryInputOfFunctions(t *testing.T) {
	plain, nonTemporal := exhaustiveSubjects(t)
	isGeneric := func(s exhaustive.Subject) bool { return s.Name == generic.name }
	exhaustive.Functions(t, slices.DeleteFunc(slices.Clone(plain), isGeneric), 1)
	exhaustive.Functions(t, nonTemporal, 8)
	exhaustive.Functions(t, slices.DeleteFunc(plain, func(s exhaustive.Subject) bool { return !isGeneric(s) }), 8)
}

// exhaustiveSubjects returns all instruction sets that this processor has, with plain and with
// non-temporal stores. It logs which it has not.
func exhaustiveSubjects(t *testing.T) (plain, nonTemporal []exhaustive.Subject) {
	contents := func(b compute.Buffer) []float32 { return driver.MemoryOf(b).(*memory).elements } // calls compute before they return
	open := func(set instructionSet, name string, cache int) exhaustive.Subject {
		d := Options{}.device(set)
		d.cache = cache
		b := driver.New(d)
		t.Cleanup(func() { b.Close() })
		return exhaustive.Subject{Name: name, Backend: b, Contents: contents}
	}
	missing := []string{"avx512", "avx2", "neon"}
	for _, set := range instructionSets() {
		missing = slices.DeleteFunc(missing, func(name string) bool { return name == set.name })
		plain = append(plain, open(set, set.name, 1<<30))
		if set.nonTemporal != nil {
			nonTemporal = append(nonTemporal, open(set, set.name+", non-temporal", 0))
		}
	}
	for _, name := range missing {
		t.Logf("NOT tested: %s, which this build or processor does not have", name)
	}
	return plain, nonTemporal
}

// TestGenericIsStraightLine reads what the compiler makes of the generic kernels, and of what
// they call: a comparison of data must end in a conditional move or a bool, since a jump on
// random data costs several times the rest of the loop.
func TestGenericIsStraightLine(t *testing.T) {
	testenv.NeedsGo(t)
	compares := map[string]*regexp.Regexp{ // of data: no loop counts with 32 bits
		"amd64": regexp.MustCompile(`^(UCOMIS[SD]|CMPL)$`),
		"arm64": regexp.MustCompile(`^(FCMP[SD]|CMPW|TSTW)$`),
	}
	decisions := regexp.MustCompile(`^(J|B|CMOV|SET|CSEL|CSET)`)
	function := regexp.MustCompile(`^github\.com/gmind-go/compute/(cpu\.\w+(?:Generic|Word)|internal/single\.\w+) STEXT`)
	for arch, compare := range compares {
		cmd := exec.Command("go", "build", "-gcflags=-S", ".", "../internal/single")
		cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+arch, "CGO_ENABLED=0")
		listing, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v\n%s", cmd, err, listing)
		}
		compared, name := "", ""
		decided := map[string]bool{} // by function
		for line := range strings.Lines(string(listing)) {
			if !strings.HasPrefix(line, "\t") {
				compared, name = "", ""
				if m := function.FindStringSubmatch(line); m != nil {
					name = m[1]
				}
				continue
			}
			fields := strings.Split(strings.TrimSpace(line), "\t")
			if name == "" || len(fields) < 2 {
				continue
			}
			switch op := fields[1]; {
			case compare.MatchString(op):
				compared = op
			case compared != "" && decisions.MatchString(op):
				if op[0] == 'J' || op[0] == 'B' {
					t.Errorf("on %s, %s jumps by %s after %s", arch, name, op, compared)
				}
				compared, decided[name] = "", true
			}
		}
		for _, name := range []string{"leakyReLUForward", "leakyReLUDerivative", "leakyReLUBackward", "leakyReLUForwardDerivative", "min", "maxY", "ltF32", "eqU32", "u32FromF32", "bits"} {
			if !decided["cpu."+name+"Generic"] {
				t.Errorf("on %s, %s seems to decide nothing", arch, name)
			}
		}
		for _, name := range []string{"cpu.leakyReLUForwardMaskWord", "internal/single.FMA"} {
			if !decided[name] {
				t.Errorf("on %s, %s seems to decide nothing", arch, name)
			}
		}
	}
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
