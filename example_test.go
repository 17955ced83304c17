package compute_test

import (
	"fmt"
	"log"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
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
