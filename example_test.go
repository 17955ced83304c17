package compute_test

import (
	"context"
	"fmt"
	"log"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/gpu"
)

func Example() {
	b, err := compute.Open(gpu.Open, cpu.Open) // the GPU if there is one, else the CPU
	if err != nil {
		log.Fatal(err)
	}
	defer b.Close()
	x, err := b.Upload([]float32{-2, -1, 0, 1, 2}) // a copy in the device's memory
	if err != nil {
		log.Fatal(err)
	}
	if err := b.Forward(compute.LeakyReLU(0.01), x, x); err != nil { // in place
		log.Fatal(err)
	}
	y := make([]float32, x.Len())
	if err := x.Read(y); err != nil {
		log.Fatal(err)
	}
	fmt.Println(y)
	// Output: [-0.02 -0.01 0 1 2]
}

// ExampleLayer computes the derivative and the gradient for the last input of a layer.
func ExampleLayer() {
	b, err := compute.Open(gpu.Open, cpu.Open)
	if err != nil {
		log.Fatal(err)
	}
	defer b.Close()
	layer := compute.NewLayer(b, compute.LeakyReLU(compute.DefaultNegativeSlope))
	y, err := layer.Forward([]float32{-2, 0, 3})
	if err != nil {
		log.Fatal(err)
	}
	d, err := layer.Derivative() // of the last input
	if err != nil {
		log.Fatal(err)
	}
	dx, err := layer.Backward([]float32{1, 2, 3})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(y, d, dx)
	// Output: [-0.02 0 3] [0.01 1 1] [0.01 2 3]
}

// ExampleBackend_backward computes dL/dx, the gradient of a loss L, from dy = dL/dy and x.
func ExampleBackend_backward() {
	b, err := compute.Open(gpu.Open, cpu.Open)
	if err != nil {
		log.Fatal(err)
	}
	defer b.Close()
	x, err := b.Upload([]float32{-2, -1, 0, 1, 2})
	if err != nil {
		log.Fatal(err)
	}
	dy, err := b.Upload([]float32{1, 2, 3, 4, 5})
	if err != nil {
		log.Fatal(err)
	}
	if err := b.Backward(compute.LeakyReLU(0.5), dy, dy, x); err != nil { // dx over dy
		log.Fatal(err)
	}
	dx := make([]float32, dy.Len())
	if err := dy.Read(dx); err != nil {
		log.Fatal(err)
	}
	fmt.Println(dx)
	// Output: [0.5 1 3 4 5]
}

// ExampleOpen prints which backend was opened, and why the first was not.
func ExampleOpen() {
	noGPU := func() (compute.Backend, error) {
		return nil, fmt.Errorf("no GPU in this machine: %w", compute.ErrUnavailable)
	}
	b, err := compute.Open(noGPU, cpu.Open)
	if err != nil {
		log.Fatal(err)
	}
	defer b.Close()
	info := b.Info()
	fmt.Println(info.Backend)
	fmt.Println(info.Skipped)
	// Output:
	// cpu
	// no GPU in this machine: backend unavailable
}

// ExampleBackend_Run computes PReLU, which has a slope for each channel, and its gradient.
func ExampleBackend_Run() {
	b, err := compute.Open(gpu.Open, cpu.Open)
	if err != nil {
		log.Fatal(err)
	}
	defer b.Close()
	x, err := b.Upload([]float32{-2, 1, 2, -4}) // two rows of two channels
	if err != nil {
		log.Fatal(err)
	}
	dy, err := b.Upload([]float32{1, 2, 3, 4})
	if err != nil {
		log.Fatal(err)
	}
	slope, err := b.Upload([]float32{0.5, 0.25})
	if err != nil {
		log.Fatal(err)
	}
	prelu := expr.MustParse("prelu(x, slope) = where(x > 0, x, slope*x)")
	gradient := prelu.Backward("x") // dx = dy * the derivative at x
	if err := b.Run(gradient, dy, dy, x, compute.Row(slope)); err != nil {
		log.Fatal(err)
	}
	if err := b.Run(prelu, x, x, compute.Row(slope)); err != nil {
		log.Fatal(err)
	}
	y, dx := make([]float32, 4), make([]float32, 4)
	if err := x.Read(y); err != nil {
		log.Fatal(err)
	}
	if err := dy.Read(dx); err != nil {
		log.Fatal(err)
	}
	fmt.Println(y, dx)
	// Output: [-1 1 2 -1] [0.5 2 3 1]
}

// ExampleBackend_Prepare takes steps of gradient descent toward the minimum of w*w/2, with a
// smaller rate in each.
func ExampleBackend_Prepare() {
	b, err := compute.Open(gpu.Open, cpu.Open)
	if err != nil {
		log.Fatal(err)
	}
	defer b.Close()
	w, err := b.Upload([]float32{64, -32})
	if err != nil {
		log.Fatal(err)
	}
	sgd := expr.MustParse("sgd(w, g, rate) = w - rate*g")
	step, err := b.Prepare(sgd, w, w, w, compute.F32(0)) // the gradient is w itself
	if err != nil {
		log.Fatal(err)
	}
	for _, rate := range []float32{0.5, 0.25, 0.125} {
		if err := step.Set("rate", compute.F32(rate)); err != nil {
			log.Fatal(err)
		}
		if err := step.Run(); err != nil {
			log.Fatal(err)
		}
	}
	result := make([]float32, 2)
	if err := w.Read(result); err != nil {
		log.Fatal(err)
	}
	fmt.Println(result)
	// Output: [21 -10.5]
}

// ExampleBackend_RunSlices compares in host memory: the result is a bit for each element.
func ExampleBackend_RunSlices() {
	b, err := compute.Open(gpu.Open, cpu.Open)
	if err != nil {
		log.Fatal(err)
	}
	defer b.Close()
	within := expr.MustParse("func within(x, y, limit float32) (near bool) { return abs(x-y) <= limit }")
	x, y := []float32{1, 2, 3, -4}, []float32{1.5, -2, 3, -3.25}
	near := make([]uint64, 1)
	err = b.RunSlices(context.Background(), within, compute.Words(near), compute.Slice(x), compute.Slice(y), compute.F32(0.75))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%04b\n", near[0])
	// Output: 1101
}
