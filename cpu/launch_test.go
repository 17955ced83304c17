package cpu

import (
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/driver"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/function"
	program "github.com/gmind-go/compute/internal/kernel"
)

// TestStores: which calls use non-temporal stores.
func TestStores(t *testing.T) {
	set := generic
	set.nonTemporal = generic.plain
	d := Options{}.device(set)
	defer d.Close()
	d.cache = 1000
	buffer := func() unsafe.Pointer {
		m, err := newMemory(200 + 16)
		if err != nil {
			t.Fatal(err)
		}
		return m.start()
	}
	P, Q, R, M := buffer(), buffer(), buffer(), buffer()
	odd, off := unsafe.Add(R, 2), unsafe.Add(R, 4)
	for _, test := range []struct {
		what     string
		form     form.Form
		n        int
		operands [4]unsafe.Pointer
		want     bool
	}{
		{"more than the cache", form.Forward, 200, [4]unsafe.Pointer{P, Q}, true},
		{"what the cache keeps", form.Forward, 125, [4]unsafe.Pointer{P, Q}, false},
		{"a little more", form.Forward, 126, [4]unsafe.Pointer{P, Q}, true},
		{"more, with three buffers", form.Backward, 84, [4]unsafe.Pointer{P, Q, R}, true},
		{"what it keeps, with three", form.Backward, 83, [4]unsafe.Pointer{P, Q, R}, false},
		{"more, with a mask", form.ForwardMask, 124, [4]unsafe.Pointer{P, M, Q}, true},
		{"what it keeps, with a mask", form.ForwardMask, 123, [4]unsafe.Pointer{P, M, Q}, false},
		{"in place", form.Forward, 200, [4]unsafe.Pointer{P, P}, false},
		{"over dy", form.Backward, 200, [4]unsafe.Pointer{P, P, Q}, false},
		{"over x", form.Backward, 200, [4]unsafe.Pointer{P, Q, P}, false},
		{"over dy, with a mask", form.BackwardMask, 200, [4]unsafe.Pointer{P, P, M}, false},
		{"two results", form.ForwardDerivative, 200, [4]unsafe.Pointer{P, Q, R}, true},
		{"the first of two over x", form.ForwardDerivative, 200, [4]unsafe.Pointer{P, Q, P}, false},
		{"the second over x", form.ForwardDerivative, 200, [4]unsafe.Pointer{P, Q, Q}, false},
		{"a result between addresses of float32", form.Forward, 199, [4]unsafe.Pointer{odd, Q}, false},
		{"a result off a cache line", form.Forward, 200, [4]unsafe.Pointer{off, Q}, true},
		{"the first of two results off a cache line", form.ForwardDerivative, 200, [4]unsafe.Pointer{off, Q, P}, false},
		{"the second of two results off a cache line", form.ForwardDerivative, 200, [4]unsafe.Pointer{Q, off, P}, false},
		{"a result off a cache line, with a mask", form.ForwardMask, 200, [4]unsafe.Pointer{off, M, Q}, false},
		{"a result off a cache line, for a mask", form.BackwardMask, 200, [4]unsafe.Pointer{off, Q, M}, false},
		{"a mask off a cache line", form.ForwardMask, 200, [4]unsafe.Pointer{P, unsafe.Add(M, 8), Q}, true},
	} {
		a := &args{n: test.n, ptr: test.operands}
		if got := d.nonTemporal(codeOf(set, test.form), a) != nil; got != test.want {
			t.Errorf("%s: non-temporal is %v, want %v", test.what, got, test.want)
		}
	}
	if d.nonTemporal(codeOf(generic, form.Forward), &args{n: 200, ptr: [4]unsafe.Pointer{P, Q}}) != nil {
		t.Error("an instruction set without non-temporal stores uses them")
	}
}

// TestStoresOfPlans: which results of plans are stored past the caches.
func TestStoresOfPlans(t *testing.T) {
	set := generic
	set.store = copyElements
	d := Options{}.device(set)
	defer d.Close()
	c, err := set.compile(kernelOf("func f(x, y float32) (u, v float32, b bool) { return x + y, x - y, x < y }", program.Element, program.Element))
	if err != nil {
		t.Fatal(err)
	}
	d.cache = 1000
	var P [5]unsafe.Pointer
	for i := range P {
		g := lineRoom(0, 1000)
		P[i] = unsafe.Pointer(&g.all[g.lo])
	}
	for _, test := range []struct {
		what     string
		n        int
		operands [5]unsafe.Pointer
		want     uint32
	}{
		{"more than the cache", 70, P, 0b11},
		{"what the cache keeps", 62, P, 0},
		{"the first result in place", 70, [5]unsafe.Pointer{P[3], P[1], P[2], P[3], P[4]}, 0b10},
		{"the second result in place", 70, [5]unsafe.Pointer{P[0], P[4], P[2], P[3], P[4]}, 0b01},
		{"both in place", 70, [5]unsafe.Pointer{P[4], P[3], P[2], P[3], P[4]}, 0},
		{"the first off a cache line", 70, [5]unsafe.Pointer{unsafe.Add(P[0], 4), P[1], P[2], P[3], P[4]}, 0b10},
	} {
		r := &call{n: test.n}
		for _, p := range test.operands {
			r.operands = append(r.operands, program.Operand[unsafe.Pointer]{Memory: p, Len: test.n})
		}
		if got := d.past(c, r); got != test.want {
			t.Errorf("%s: the results %b, want %b", test.what, got, test.want)
		}
		d.set.store = nil
		if got := d.past(c, r); got != 0 {
			t.Errorf("%s, without such stores: the results %b", test.what, got)
		}
		d.set.store = copyElements
	}
}

// TestStoresToSlices: forms on slices anywhere in a cache line are right, beyond the cache.
func TestStoresToSlices(t *testing.T) {
	for _, set := range instructionSets() {
		d := Options{}.device(set)
		defer d.Close()
		d.cache = 0
		for fm := range function.Form(function.Count) {
			k := function.Kernel(int(compute.KindLeakyReLU), fm)
			c, err := d.Compile(k)
			if err != nil {
				t.Fatal(err)
			}
			m := newTrialMaker(rand.New(rand.NewPCG(1, uint64(fm))))
			for _, n := range []int{1, 64, 100, 1000, 5000, sampled(70000)} {
				for range 8 {
					if err := m.make(k, n).try(d, c); err != nil {
						t.Fatalf("%s: %v", set.name, err)
					}
				}
			}
		}
	}
}

// TestLaunchForgets: after a call, no memory refers to that of another operand, which may be
// released.
func TestLaunchForgets(t *testing.T) {
	d := Options{}.device(generic)
	defer d.Close()
	for _, n := range []int{16, 1 << 20} {
		k := function.Kernel(int(compute.KindLeakyReLU), function.Forward)
		code, err := d.Compile(k)
		if err != nil {
			t.Fatal(err)
		}
		call := &driver.Call{Kernel: k, Code: code, N: n, Params: []uint32{0}}
		for range 2 {
			m, err := d.Alloc(n, false)
			if err != nil {
				t.Fatal(err)
			}
			call.Operands = append(call.Operands, program.Operand[driver.Memory]{Memory: m, Len: n})
		}
		if err := d.Launch(call); err != nil {
			t.Fatal(err)
		}
		if got := call.Operands[0].Memory.(*memory).frame.args.ptr; got != (args{}).ptr {
			t.Errorf("the result of %d elements refers to %v", n, got)
		}
	}
}
