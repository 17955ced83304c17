package cpu

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/values"
)

var slopes = []float32{0, compute.DefaultNegativeSlope, 1, 2.5, -0.5}

// canary stands around every slice: no kernel may change it. It is negative, so
// that a kernel that goes too far does.
const canary = float32(-3.25)

// framed returns n elements that start offset elements into an array, with
// canaries on both sides, and a function that tells whether those are alive.
func framed(n, offset int) (v []float32, intact func() bool) {
	const margin = 16
	array := make([]float32, offset+n+2*margin)
	for i := range array {
		array[i] = canary
	}
	v = array[margin+offset : margin+offset+n : margin+offset+n]
	dead := func(c float32) bool { return c != canary }
	return v, func() bool {
		return !slices.ContainsFunc(array[:margin+offset], dead) && !slices.ContainsFunc(array[margin+offset+n:], dead)
	}
}

// TestRows compares every row that this processor has with the reference.
func TestRows(t *testing.T) {
	for _, r := range rows() {
		t.Run(r.name, func(t *testing.T) {
			for n := range 301 {
				for offset := range 4 {
					testRow(t, r, n, offset, (offset+n)%4)
				}
			}
		})
	}
}

// testRow runs all kernels of r on n elements, the operands starting at other
// offsets than the result.
func testRow(t *testing.T, r row, n, dstOffset, srcOffset int) {
	t.Helper()
	special := values.Special()
	x, _ := framed(n, srcOffset)
	dy, _ := framed(n, (srcOffset+1)%4)
	copy(x, values.Bits(n, uint64(n)))
	copy(dy, values.Bits(n, uint64(n+1)))
	for i := 0; i < n; i += 3 {
		x[i] = special[(i+n)%len(special)]
	}
	slope := slopes[n%len(slopes)]
	f := compute.LeakyReLU(slope)
	k := r.kernels[compute.KindLeakyReLU]
	tests := []struct {
		name string
		run  func(dst, dy, x []float32)
		want func(dy, x float32) float32
	}{
		{"forward", func(dst, _, x []float32) { k.unary[compute.OpForward](dst, x, slope) },
			func(_, x float32) float32 { return f.Value(x) }},
		{"derivative", func(dst, _, x []float32) { k.unary[compute.OpDerivative](dst, x, slope) },
			func(_, x float32) float32 { return f.Derivative(x) }},
		{"backward", func(dst, dy, x []float32) { k.backward(dst, dy, x, slope) },
			func(dy, x float32) float32 { return dy * f.Derivative(x) }},
	}
	for _, test := range tests {
		check := func(how string, got []float32, intact func() bool) {
			for i := range got {
				if want := test.want(dy[i], x[i]); !values.Same(got[i], want) {
					t.Fatalf("%s %s, slope %v: element %d of %d at offset %d is %x and should be %x (x = %x, dy = %x)",
						test.name, how, slope, i, n, dstOffset, got[i], want, x[i], dy[i])
				}
			}
			if !intact() {
				t.Fatalf("%s %s wrote outside of its %d elements at offset %d", test.name, how, n, dstOffset)
			}
		}
		dst, intact := framed(n, dstOffset)
		test.run(dst, dy, x)
		check("apart", dst, intact)

		dst, intact = framed(n, dstOffset)
		copy(dst, x)
		test.run(dst, dy, dst)
		check("over x", dst, intact)

		dst, intact = framed(n, dstOffset)
		copy(dst, dy)
		test.run(dst, dst, x)
		check("over dy", dst, intact)
	}
}

// TestPastCaches compares the kernels that store past the caches with those that do
// not, at every place in a cache line.
func TestPastCaches(t *testing.T) {
	for _, r := range rows() {
		if r.past == nil {
			continue // neon and generic have none
		}
		t.Run(r.name, func(t *testing.T) {
			plain, past := r.kernels[compute.KindLeakyReLU], r.past[compute.KindLeakyReLU]
			for n := range 301 {
				for offset := range 16 {
					x, _ := framed(n, n%16)
					dy, _ := framed(n, (n+5)%16)
					copy(x, values.Bits(n, uint64(n)))
					copy(dy, values.Bits(n, uint64(n+1)))
					slope := slopes[n%len(slopes)]
					jobs := map[string]func(j *job){
						"forward":    func(j *job) { j.unary, j.past.unary = plain.unary[0], past.unary[0] },
						"derivative": func(j *job) { j.unary, j.past.unary = plain.unary[1], past.unary[1] },
						"backward":   func(j *job) { j.backward, j.past.backward = plain.backward, past.backward },
						"copy":       func(j *job) { j.copy, j.past.copy = copyThrough, r.copyPast },
					}
					for name, set := range jobs {
						want := make([]float32, n)
						got, intact := framed(n, offset)
						through, around := job{dst: want, dy: dy, x: x, slope: slope}, job{dst: got, dy: dy, x: x, slope: slope}
						set(&through)
						set(&around)
						through.do(&through, 0, n)
						if n > 0 {
							around.run(0, n)
						}
						for i := range got {
							if !values.Identical(got[i], want[i]) {
								t.Fatalf("%s, slope %v: element %d of %d at offset %d is %x and should be %x", name, slope, i, n, offset, got[i], want[i])
							}
						}
						if !intact() {
							t.Fatalf("%s wrote outside of its %d elements at offset %d", name, n, offset)
						}
					}
				}
			}
		})
	}
}

// TestGenericIsStraightLine reads what the compiler makes of the generic
// kernels: the comparison with zero must end in a conditional move, since a jump
// on random signs costs several times the rest of the loop.
func TestGenericIsStraightLine(t *testing.T) {
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skipf("needs the go command to compile the package: %v", err)
	}
	compares := map[string]string{"amd64": "UCOMISS", "arm64": "FCMPS"}
	moves := map[string]string{"amd64": "CMOV", "arm64": "CSEL"}
	for arch, compare := range compares {
		cmd := exec.Command(goTool, "build", "-gcflags=-S", ".")
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

// BenchmarkSigns shows that a kernel takes as long on random signs as on one.
func BenchmarkSigns(b *testing.B) {
	const n = 64 << 10
	inputs := map[string][]float32{"random": values.Normal(n, 1), "positive": values.Normal(n, 1)}
	for i, v := range inputs["positive"] {
		inputs["positive"][i] = max(v, -v)
	}
	y := make([]float32, n)
	for _, r := range rows() {
		for _, signs := range []string{"random", "positive"} {
			b.Run(fmt.Sprintf("%s/%s", r.name, signs), func(b *testing.B) {
				b.SetBytes(8 * n)
				for b.Loop() {
					r.kernels[compute.KindLeakyReLU].unary[compute.OpForward](y, inputs[signs], 0.01)
				}
			})
		}
	}
}
