package cpu

import (
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/check"
	"github.com/gmind-go/compute/internal/values"
)

// wordCanary stands around every mask.
const wordCanary = uint64(0xa5a55a5aa5a55a5a)

// framedWords returns the words of a mask for n elements, full of what was there
// before, with canaries on both sides, and a function that tells whether those are
// alive.
func framedWords(n int) (w []uint64, intact func() bool) {
	array := make([]uint64, 1+check.Words(n)+1)
	for i := range array {
		array[i] = wordCanary
	}
	end := len(array) - 1
	return array[1:end:end], func() bool { return array[0] == wordCanary && array[end] == wordCanary }
}

// signWords returns the mask of x.
func signWords(x []float32) []uint64 {
	w := make([]uint64, check.Words(len(x)))
	for i, v := range x {
		if v >= 0 {
			w[i/64] |= 1 << (i % 64)
		}
	}
	return w
}

// A fused tests the kernels of a row that have a mask or two results, on n elements.
type fused struct {
	t     *testing.T
	k     kernels
	n     int
	x, dy []float32
	f     compute.Activation
}

// same fails the test unless got is what want gives for every element.
func (u *fused) same(what string, got []float32, intact func() bool, want func(i int) float32) {
	u.t.Helper()
	for i := range got {
		if w := want(i); !values.Same(got[i], w) {
			u.t.Fatalf("%s, slope %v: element %d of %d is %x and should be %x (x = %x, dy = %x)",
				what, u.f.NegativeSlope, i, u.n, got[i], w, u.x[i], u.dy[i])
		}
	}
	if !intact() {
		u.t.Fatalf("%s wrote outside of its %d elements", what, u.n)
	}
}

func (u *fused) forward(i int) float32    { return u.f.Value(u.x[i]) }
func (u *fused) derivative(i int) float32 { return u.f.Derivative(u.x[i]) }
func (u *fused) backward(i int) float32   { return u.dy[i] * u.f.Derivative(u.x[i]) }

// A place returns where a result goes, and the operand: src, or what is there already.
type place func(src []float32) (dst, operand []float32, intact func() bool)

// forwardMask runs that kernel on the operand and result that at gives.
func (u *fused) forwardMask(how string, at place) {
	u.t.Helper()
	dst, x, intact := at(u.x)
	mask, intactMask := framedWords(u.n)
	u.k.forwardMask(dst, mask, x, u.f.NegativeSlope)
	u.same("forward mask "+how, dst, intact, u.forward)
	for i, want := range signWords(u.x) {
		if mask[i] != want {
			u.t.Fatalf("forward mask %s: word %d of %d elements is %#x and should be %#x", how, i, u.n, mask[i], want)
		}
	}
	if !intactMask() {
		u.t.Fatalf("forward mask %s wrote outside of the mask of %d elements", how, u.n)
	}
}

// backwardMask runs that kernel; what stands behind the last bit must not matter.
func (u *fused) backwardMask(how string, at place) {
	u.t.Helper()
	dst, dy, intact := at(u.dy)
	mask := signWords(u.x)
	if u.n%64 != 0 {
		mask[len(mask)-1] |= wordCanary << (u.n % 64)
	}
	u.k.backwardMask(dst, dy, mask, u.f.NegativeSlope)
	u.same("backward mask "+how, dst, intact, u.backward)
}

// forwardDerivative runs that kernel, with y at one place and d at another.
func (u *fused) forwardDerivative(how string, at, apart place, yFirst bool) {
	u.t.Helper()
	over, x, intactOver := at(u.x)
	other, _, intactOther := apart(u.x)
	if yFirst {
		u.k.forwardDerivative(over, other, x, u.f.NegativeSlope)
		u.same("forward of both, "+how, over, intactOver, u.forward)
		u.same("derivative of both, "+how, other, intactOther, u.derivative)
		return
	}
	u.k.forwardDerivative(other, over, x, u.f.NegativeSlope)
	u.same("forward of both, d "+how, other, intactOther, u.forward)
	u.same("derivative of both, d "+how, over, intactOver, u.derivative)
}

// TestFusedRows compares the kernels with masks, and with two results, of every row
// with the reference: all lengths, at other places than the operands and over them.
func TestFusedRows(t *testing.T) {
	for _, r := range rows() {
		t.Run(r.name, func(t *testing.T) {
			for n := range 301 {
				for offset := range 4 {
					testFused(t, r.kernels[compute.KindLeakyReLU], n, offset)
				}
			}
		})
	}
}

func testFused(t *testing.T, k kernels, n, offset int) {
	t.Helper()
	u := newFused(t, k, n, n)
	apart := func(src []float32) ([]float32, []float32, func() bool) {
		dst, intact := framed(n, offset)
		return dst, src, intact
	}
	over := func(src []float32) ([]float32, []float32, func() bool) {
		dst, intact := framed(n, offset)
		copy(dst, src)
		return dst, dst, intact
	}
	for how, at := range map[string]place{"apart": apart, "in place": over} {
		u.forwardMask(how, at)
		u.backwardMask(how, at)
		u.forwardDerivative(how, at, apart, true)
		u.forwardDerivative(how, at, apart, false)
	}
}

// newFused returns n elements with what is special among them, and slope i.
func newFused(t *testing.T, k kernels, n, i int) *fused {
	x, dy, special := values.Bits(n, uint64(n)), values.Bits(n, uint64(n+1)), values.Special()
	for i := 0; i < n; i += 3 {
		x[i] = special[(i+n)%len(special)]
	}
	return &fused{t: t, k: k, n: n, x: x, dy: dy, f: compute.LeakyReLU(slopes[i%len(slopes)])}
}

// TestFusedPastCaches compares those that store past the caches with the reference.
func TestFusedPastCaches(t *testing.T) {
	for _, r := range rows() {
		if r.past == nil {
			continue // neon and generic have none
		}
		t.Run(r.name, func(t *testing.T) {
			for n := 0; n <= 5*pastBlock; n += pastBlock {
				aligned := func(src []float32) ([]float32, []float32, func() bool) {
					m, err := newMemory(n + 2*pastBlock)
					if err != nil {
						t.Fatal(err)
					}
					for i := range m.elements {
						m.elements[i] = canary
					}
					dst := m.elements[pastBlock : pastBlock+n : pastBlock+n]
					return dst, src, func() bool {
						for i, v := range m.elements {
							if (i < pastBlock || i >= pastBlock+n) && v != canary {
								return false
							}
						}
						return true
					}
				}
				for i := range slopes {
					u := newFused(t, r.past[compute.KindLeakyReLU], n, i)
					u.forwardMask("past the caches", aligned)
					u.backwardMask("past the caches", aligned)
					u.forwardDerivative("past the caches", aligned, aligned, true)
				}
			}
		})
	}
}

// TestMaskShares: cores that share a job do not meet in a word of its mask, from
// wherever the rest of a job is shared.
func TestMaskShares(t *testing.T) {
	if chunk%64 != 0 || pastBlock%64 != 0 {
		t.Fatalf("chunks of %d and shares of whole %d elements cut words", chunk, pastBlock)
	}
	for _, n := range []int{3 * chunk, 2*chunk + 1, 3*chunk + 65, 300001} {
		x := values.Normal(n, 5)
		for shares := 2; shares <= 7; shares++ {
			var p pool
			got := make([]uint64, check.Words(n))
			k := generic.kernels[compute.KindLeakyReLU].forwardMask
			j := job{loop: loop{forwardMask: k}, dst: make([]float32, n), mask: got, x: x, slope: 0.5}
			j.run(0, chunk)
			rest := j.from(chunk)
			p.mu.Lock()
			p.share(&rest, shares)
			p.mu.Unlock()
			p.stop()
			for i, want := range signWords(x) {
				if got[i] != want {
					t.Fatalf("word %d of %d elements in %d shares is %#x and should be %#x", i, n, shares, got[i], want)
				}
			}
		}
	}
}
