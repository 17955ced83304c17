package driver

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"unsafe"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/expr"
)

// TestWrongSlices checks the errors of RunSlices.
func TestWrongSlices(t *testing.T) {
	b := New(&evaluating{})
	defer b.Close()
	ctx := context.Background()
	x, m := operandsOf(t, b, 70)
	all := make([]float32, 300)
	words := make([]uint64, 40)
	f := func(from, to int) compute.Slice { return compute.Slice(all[from:to]) }
	w := func(from, to int) compute.Words { return compute.Words(words[from:to]) }
	ended, cancel := context.WithCancel(ctx)
	cancel()
	type args = []compute.Arg
	const s, u = compute.F32(2), compute.U32(3)
	not := expr.MustParse("func not(c bool) (d bool) { return !c }")
	positive := expr.MustParse("func positive(x float32) (m bool) { return x > 0 }")
	shared := compute.Slice(unsafe.Slice((*float32)(unsafe.Pointer(&words[0])), 2*len(words)))[:70:70]
	for i, test := range []struct {
		ctx   context.Context
		p     *expr.Program
		args  args
		want  error
		words []string
	}{
		{ctx, axpy, args{f(0, 70), f(0, 70), s}, compute.ErrArgument, []string{"3 arguments were given, and the program has 1 as results and 3"}},
		{ctx, axpy, args{x, f(0, 70), f(0, 70), s}, compute.ErrArgument, []string{"result y", "driver.buffer", "give a Slice, or call Run"}},
		{ctx, axpy, args{f(0, 70), x, f(0, 70), s}, compute.ErrArgument, []string{"argument x", "give a Slice, Row, Col or F32, or call Run"}},
		{ctx, axpy, args{f(0, 70), f(0, 70), compute.Row(x), s}, compute.ErrArgument, []string{"argument y", "Row of a", "or call Run"}},
		{ctx, pair, args{f(0, 70), f(70, 140), m, f(0, 70), s, w(0, 2), u}, compute.ErrArgument, []string{"result d", "driver.mask", "give Words, or call Run"}},
		{ctx, pair, args{f(0, 70), f(70, 140), w(0, 2), f(0, 70), s, m, u}, compute.ErrArgument, []string{"argument c", "give Words or a Bool, or call Run"}},
		{ctx, pair, args{f(0, 70), f(70, 140), f(140, 210), f(0, 70), s, w(0, 2), u}, compute.ErrArgument, []string{"result d", "compute.Slice", "give Words"}},
		{ctx, axpy, args{nil, f(0, 70), f(0, 70), s}, compute.ErrForeignBuffer, []string{"result y_ is nil", "give a Slice"}},
		{ctx, axpy, args{f(0, 70), f(0, 70), compute.Row(nil), s}, compute.ErrForeignBuffer, []string{"argument y is nil"}},

		{ctx, axpy, args{f(0, 70), f(0, 69), f(0, 70), s}, compute.ErrLength, []string{"x has 69", "70"}},
		{ctx, axpy, args{f(0, 70), f(0, 70), compute.Row(f(100, 104)), s}, compute.ErrLength, []string{"y repeats 4", "70"}},
		{ctx, axpy, args{f(0, 70), f(0, 70), compute.Col(f(100, 100)), s}, compute.ErrLength, []string{"y repeats 0", "70"}},
		{ctx, pair, args{f(0, 70), f(70, 140), w(0, 1), f(0, 70), s, w(2, 4), u}, compute.ErrLength, []string{"d has 64", "70"}},
		{ctx, pair, args{f(0, 70), f(70, 140), w(0, 2), f(0, 70), s, w(2, 5), u}, compute.ErrLength, []string{"192", "70"}},
		{ctx, not, args{w(0, 2), w(2, 5)}, compute.ErrLength, []string{"d has 128", "c has 192"}},

		{ctx, axpy, args{f(1, 71), f(0, 70), f(100, 170), s}, compute.ErrOverlap, []string{"y_ and x share a part", "same slice"}},
		{ctx, axpy, args{f(100, 170), f(0, 70), f(101, 171), s}, compute.ErrOverlap, []string{"y_ and y share a part"}},
		{ctx, axpy, args{f(0, 70), f(0, 70), compute.Row(f(0, 70)), s}, compute.ErrOverlap, []string{"repeated"}},
		{ctx, axpy, args{f(0, 70), f(0, 70), compute.Row(f(69, 71)), s}, compute.ErrOverlap, []string{"repeated"}},
		{ctx, pair, args{f(0, 70), f(69, 139), w(0, 2), f(140, 210), s, w(2, 4), u}, compute.ErrOverlap, []string{"y and z"}},
		{ctx, pair, args{f(0, 70), f(0, 70), w(0, 2), f(140, 210), s, w(2, 4), u}, compute.ErrOverlap, []string{"y and z"}},
		{ctx, pair, args{f(0, 70), f(70, 140), w(0, 2), f(140, 210), s, w(1, 3), u}, compute.ErrOverlap, []string{"d and c"}},

		{ctx, positive, args{w(0, 2), shared[:70]}, compute.ErrOverlap, []string{"m and x share a part"}},

		{ended, axpy, args{f(0, 70), f(0, 70), f(0, 70), s}, context.Canceled, nil},
	} {
		err := b.RunSlices(test.ctx, test.p, test.args...)
		words := append([]string{"compute: run slices " + test.p.Name() + " on fake"}, test.words...)
		refused(t, fmt.Sprintf("case %d, %v", i, test.p), err, test.want, words...)
	}
	var none context.Context
	if err := b.RunSlices(none, axpy, f(0, 70), f(0, 70), f(0, 70), s); err == nil || !strings.Contains(err.Error(), "ctx is nil") {
		t.Errorf("without a context: %v", err)
	}
	if err := b.RunSlices(ctx, &expr.Program{}, f(0, 70)); err == nil || !strings.Contains(err.Error(), "zero Program") {
		t.Errorf("the zero Program: %v", err)
	}
	// These are allowed: adjacent slices, one argument twice, a row within an input, no elements.
	for i, args := range []args{
		{f(0, 70), f(70, 140), f(70, 140), s},
		{f(0, 70), f(0, 70), f(0, 70), s},
		{f(0, 70), f(70, 140), compute.Row(f(70, 80)), s},
		{f(5, 5), f(5, 5), compute.Row(f(0, 70)), s},
		{f(0, 0), compute.Slice(nil), compute.Slice(nil), s},
	} {
		if err := b.RunSlices(ctx, axpy, args...); err != nil {
			t.Errorf("case %d: %v", i, err)
		}
	}
}

// TestWords: the bits of a mask after the last element are 0, and without a slice all bits count.
func TestWords(t *testing.T) {
	b := New(&evaluating{})
	defer b.Close()
	ctx := context.Background()
	below := expr.MustParse("func below(x, s float32) (c bool) { return x < s }")
	xs := make(compute.Slice, 70)
	got := compute.Words{0, math.MaxUint64}
	if err := b.RunSlices(ctx, below, got, xs, compute.F32(1)); err != nil || got[0] != math.MaxUint64 || got[1] != 1<<6-1 {
		t.Errorf("70 elements below 1: %x, %v", got, err)
	}
	not := expr.MustParse("func not(c bool) (d bool) { return !c }")
	got = compute.Words{5, 0}
	if err := b.RunSlices(ctx, not, got, got); err != nil || got[0] != ^uint64(5) || got[1] != math.MaxUint64 {
		t.Errorf("not of 128 bits: %x, %v", got, err)
	}
	row := compute.Slice{-1, 1}
	if err := b.RunSlices(ctx, below, got, compute.Row(row), compute.F32(0)); err != nil || got[0] != 0x5555555555555555 || got[1] != got[0] {
		t.Errorf("a row below 0, for 128 bits: %x, %v", got, err)
	}
}
