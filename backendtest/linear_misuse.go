package backendtest

import (
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/values"
)

// An operation on buffers of 4 elements, as errors name it and its operands.
type operation struct {
	name     string
	operands []string
	call     func(o []compute.Buffer) error
}

// operations are those that are no forms. Of a backend that is not Linear it leaves out MatMul.
func operations(b compute.Backend) []operation {
	list := []operation{
		{"copy", []string{"dst", "src"}, func(o []compute.Buffer) error { return b.Copy(o[0], o[1]) }},
		{"fill", []string{"dst"}, func(o []compute.Buffer) error { return b.Fill(o[0], 1) }},
		{"gather", []string{"dst", "src", "index"}, func(o []compute.Buffer) error { return b.Gather(o[0], o[1], o[2]) }},
		{"sum", []string{"out", "x"}, func(o []compute.Buffer) error {
			return b.Reduce(o[0], compute.Sum, compute.Rows(1), nil, o[1])
		}},
	}
	if l, ok := compute.As[compute.Linear](b); ok {
		list = append(list, operation{"matmul", []string{"c", "a", "b"}, func(o []compute.Buffer) error {
			return l.MatMul(o[0], o[1], 2, 2, o[2], 2)
		}})
	}
	return list
}

// testBadOperand passes each operand that no call can have, in each place.
func testBadOperand(t *testing.T, b compute.Backend) {
	v := values.Normal(4, 1)
	var good []compute.Buffer
	for range 3 {
		good = append(good, upload(t, b, v))
	}
	gone := upload(t, b, v)
	release(t, gone)
	for _, bad := range []struct {
		buf  compute.Buffer
		want error
		word string
	}{
		{nil, compute.ErrForeignBuffer, " is nil"},
		{typedNil(good[0]), compute.ErrForeignBuffer, " is nil"},
		{foreign{}, compute.ErrForeignBuffer, ", a "},
		{foreign{good[0]}, compute.ErrForeignBuffer, ", a "},
		{gone, compute.ErrClosed, " was released"},
	} {
		for _, op := range operations(b) {
			for i, name := range op.operands {
				operands := append([]compute.Buffer(nil), good[:len(op.operands)]...)
				operands[i] = bad.buf
				wantWords(t, b, op.name, op.call(operands), bad.want, op.name, name+bad.word)
			}
		}
	}
	for _, buf := range good {
		same(t, "a buffer after refused calls", read(t, buf), v)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	for _, op := range operations(b) {
		wantWords(t, b, op.name+" after Close", op.call(good[:len(op.operands)]), compute.ErrClosed)
	}
	wantError(t, "View after Close", errorOf(good[0].View(0, 1)), compute.ErrClosed)
	wantError(t, "ReadAt after Close", good[0].ReadAt(nil, 0), compute.ErrClosed)
	wantError(t, "WriteAt after Close", good[0].WriteAt(nil, 0), compute.ErrClosed)
}

// testBadLinear makes calls of MatMul and Reduce with arguments that they cannot have.
func testBadLinear(t *testing.T, b compute.Backend) {
	x, y, z, m := upload(t, b, values.Normal(4, 1)), upload(t, b, values.Normal(4, 2)), alloc(t, b, 4), allocMask(t, b, 4)
	add := expr.MustParse("add(z, b) = z + b")
	both := expr.MustParse("func both(z float32) (y, kept float32) { return -z, z }")
	positive := expr.MustParse("func positive(z float32) bool { return z > 0 }")
	sum := func(p *expr.Program, args ...compute.Arg) error {
		return b.Reduce(z, compute.Sum, compute.Rows(1), p, args...)
	}
	wantWords(t, b, "Reduce without arguments", sum(nil), compute.ErrArgument, "sum", "0 arguments were given, and the program has 1")
	wantWords(t, b, "Reduce with too many", sum(add, x, y, y), compute.ErrArgument, "sum of add", "3 arguments were given, and the program has 2")
	wantWords(t, b, "Reduce with nil", sum(add, x, nil), compute.ErrForeignBuffer, "sum of add", "b is nil")
	wantWords(t, b, "Reduce of a mask", sum(nil, m), compute.ErrArgument, "sum", "x is a float32")
	wantWords(t, b, "Reduce of two results", sum(both, x), compute.ErrArgument, "sum of both", "has 2 results")
	wantWords(t, b, "Reduce of bits", sum(positive, x), compute.ErrArgument, "sum of positive", "a bool")
	zero := &expr.Program{}
	wantError(t, "Reduce of the zero Program", sum(zero, x), zero.Err())
	if l, ok := compute.As[compute.Linear](b); ok {
		product := func(options ...compute.MatMulOption) error { return l.MatMul(z, x, 2, 2, y, 2, options...) }
		wantWords(t, b, "a nil option", product(compute.TransposeA, nil), compute.ErrArgument, "matmul", "option 2 of 2 is nil")
		wantWords(t, b, "Then of nil with an argument", product(compute.Then(nil, x)), compute.ErrArgument, "matmul", "no program")
		wantWords(t, b, "two Then", product(compute.Then(add, x), compute.Then(add, y)), compute.ErrArgument, "matmul", "Then is given 2 times")
		wantWords(t, b, "Then without an argument", product(compute.Then(add)), compute.ErrArgument, "matmul then add", "0 arguments were given, and the program has 1 as results and 2 as arguments")
		wantWords(t, b, "Then without a result", product(compute.Then(both)), compute.ErrArgument, "matmul then both", "0 arguments were given, and the program has 2 as results and 1 as arguments")
		wantWords(t, b, "Then of bits", product(compute.Then(positive)), compute.ErrArgument, "matmul then positive", "a bool")
		wantWords(t, b, "Then with nil", product(compute.Then(add, nil)), compute.ErrForeignBuffer, "matmul then add", "b is nil")
		wantWords(t, b, "Then with two results in one", product(compute.Then(both, z)), compute.ErrOverlap, "matmul then both")
		wantWords(t, b, "Then with a result in a", product(compute.Then(both, x)), compute.ErrOverlap, "matmul then both", "kept and a")
		wantError(t, "Then of the zero Program", product(compute.Then(zero)), zero.Err())
		if err := product(compute.Then(add, z)); err != nil { // c is the product there too
			t.Fatal(err)
		}
		twice := read(t, z)
		if err := product(); err != nil {
			t.Fatal(err)
		}
		for i, v := range read(t, z) {
			if twice[i] != v+v {
				t.Errorf("the product with Then and c as its argument is %v, want %v", twice[i], v+v)
			}
		}
	}
	release(t, x, y, z, m)
}
