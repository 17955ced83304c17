package compute_test

import (
	"errors"
	"fmt"
	"log"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/gpu"
)

// openLinear returns a backend that multiplies matrices, and its Upload and Alloc without errors.
func openLinear() (b compute.Linear, upload func(...float32) compute.Buffer, alloc func(int) compute.Buffer) {
	opened, err := compute.Open(gpu.Open, cpu.Open)
	if err != nil {
		log.Fatal(err)
	}
	b, ok := compute.As[compute.Linear](opened)
	if !ok {
		log.Fatal("the backend multiplies no matrices")
	}
	made := func(buf compute.Buffer, err error) compute.Buffer {
		if err != nil {
			log.Fatal(err)
		}
		return buf
	}
	upload = func(v ...float32) compute.Buffer { return made(b.Upload(v)) }
	alloc = func(n int) compute.Buffer { return made(b.Alloc(n)) }
	return b, upload, alloc
}

// show prints what a buffer holds, in rows of n elements.
func show(x compute.Buffer, n int) {
	v := make([]float32, x.Len())
	if err := x.Read(v); err != nil {
		log.Fatal(err)
	}
	for ; len(v) > 0; v = v[n:] {
		fmt.Println(v[:n])
	}
}

// A dense layer with its bias and its activation, in one pass, and the gradient of its weights.
func ExampleLinear() {
	b, upload, alloc := openLinear()
	defer b.Close()
	x := upload(1, 2, 3, -1, -2, -3) // a batch of 2 rows, with 3 inputs each
	w := upload(1, 0, 0, 1, 1, 1)    // 3 inputs, 2 outputs
	bias := upload(10, 0)
	y, dw := alloc(2*2), alloc(3*2)

	biasReLU := expr.MustParse("biasReLU(xw, bias) = max(xw + bias, 0)")
	err := errors.Join(
		b.MatMul(y, x, 2, 3, w, 2, compute.Then(biasReLU, compute.Row(bias))),
		b.MatMul(dw, x, 3, 2, y, 2, compute.TransposeA), // as if y were its own gradient
	)
	if err != nil {
		log.Fatal(err)
	}
	show(y, 2)
	show(dw, 2)
	// Output:
	// [14 5]
	// [6 0]
	// [8 5]
	// [16 10]
	// [24 15]
}

// Sums of rows and columns, and the norm of a matrix.
func ExampleBackend_Reduce() {
	b, upload, alloc := openLinear()
	defer b.Close()
	x := upload(1, 2, 3, 4, 5, 6) // 2 rows of 3
	rows, cols, squares := alloc(2), alloc(3), alloc(1)
	square := expr.MustParse("square(x) = x*x")
	err := errors.Join(
		b.Reduce(rows, compute.Max, compute.Rows(3), nil, x),
		b.Reduce(cols, compute.Sum, compute.Cols(3), nil, x),
		b.Reduce(squares, compute.Sum, compute.All(), square, x),
	)
	if err != nil {
		log.Fatal(err)
	}
	show(rows, 2)
	show(cols, 3)
	show(squares, 1)
	// Output:
	// [3 6]
	// [5 7 9]
	// [91]
}

// A minibatch of a data set that stays on the device.
func ExampleBackend_Gather() {
	b, upload, alloc := openLinear()
	defer b.Close()
	data := upload(0, 1, 10, 11, 20, 21, 30, 31) // 4 rows of 2
	order := upload(3, 0, 2, 1)
	batch := alloc(2 * 2)
	for from := 0; from < order.Len(); from += 2 {
		index, err := order.View(from, from+2)
		if err != nil {
			log.Fatal(err)
		}
		if err := errors.Join(b.Gather(batch, data, index), index.Release()); err != nil {
			log.Fatal(err)
		}
		show(batch, 4)
	}
	// Output:
	// [30 31 0 1]
	// [20 21 10 11]
}
