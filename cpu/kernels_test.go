package cpu

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/values"
)

// TestRows compares every row that this processor has with the reference, on all
// lengths and at all places in a cache line, apart and over the operands.
func TestRows(t *testing.T) {
	r := heapRooms(t)
	for _, row := range rows() {
		t.Run(row.name, func(t *testing.T) {
			for n := range 301 {
				e := newExample(n)
				for _, op := range operations(row.kernels[compute.KindLeakyReLU], e) {
					for _, over := range append(op.over, inDst) {
						for offset := range 16 {
							if err := r.try(op, e, over, at(offset, n)); err != nil {
								t.Fatal(err)
							}
						}
					}
				}
			}
		})
	}
}

// at puts the result at offset, and the operands at others, which are all there are
// over all offsets. Words of masks are whole.
func at(offset, n int) func(p place, _ int) int {
	return func(p place, _ int) int {
		switch p {
		case inDst:
			return margin + offset
		case inMask:
			return margin
		}
		return margin + (7*offset+n+5*int(p))%16
	}
}

// TestPastCaches compares the kernels that store past the caches with the reference: on
// whole blocks, and as a job runs them, at every place in a cache line.
func TestPastCaches(t *testing.T) {
	r := heapRooms(t)
	for _, row := range rows() {
		if row.past == nil {
			continue // neon and generic have none
		}
		t.Run(row.name, func(t *testing.T) {
			for n := range longest + 1 {
				e := newExample(n)
				for offset := range 16 {
					place := at(offset, n)
					for i, op := range pastOperations(row, e) {
						if n%pastBlock == 0 {
							if err := r.try(op, e, inDst, aligned(place)); err != nil {
								t.Fatalf("past the caches: %v", err)
							}
						}
						op.past, op.loop = op.loop, throughOperations(row, e)[i].loop
						lo := place
						if op.loop.unary == nil && op.loop.backward == nil && op.loop.copy == nil {
							lo = aligned(place) // results in buffers, which are
						}
						if err := r.try(op, e, inDst, lo); err != nil {
							t.Fatalf("a job past the caches: %v", err)
						}
					}
				}
			}
		})
	}
}

// aligned puts results at the start of a cache line, and else is lo.
func aligned(lo func(p place, n int) int) func(p place, n int) int {
	return func(p place, n int) int {
		if p == inDst || p == inD {
			return margin
		}
		return lo(p, n)
	}
}

// pastOperations returns those of a row that store past the caches, and
// throughOperations the same that do not.
func pastOperations(r row, e *example) []operation {
	return append(operations(r.past[compute.KindLeakyReLU], e), copying(r.copyPast, e))
}

func throughOperations(r row, e *example) []operation {
	return append(operations(r.kernels[compute.KindLeakyReLU], e), copying(copyThrough, e))
}

func copying(k func(dst, x []float32), e *example) operation {
	return operation{name: "copy", loop: loop{copy: k}, x: e.x, dst: e.x}
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
