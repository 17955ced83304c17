package shard_test

import (
	"context"
	"fmt"
	"log"
	"slices"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/gpu"
	"github.com/gmind-go/compute/shard"
)

// ExampleNew computes on several backends at once. Usually they are several GPUs,
// those of gpu.OpenAll.
func ExampleNew() {
	first, err := cpu.Open()
	if err != nil {
		log.Fatal(err)
	}
	second, err := cpu.Open()
	if err != nil {
		log.Fatal(err)
	}
	b, err := shard.New(first, second)
	if err != nil {
		log.Fatal(err)
	}
	defer b.Close() // and its members

	x, err := b.Upload([]float32{-2, -1, 0, 1, 2})
	if err != nil {
		log.Fatal(err)
	}
	if err := b.Forward(compute.LeakyReLU(0.01), x, x); err != nil {
		log.Fatal(err)
	}
	y := make([]float32, x.Len())
	if err := x.Read(y); err != nil {
		log.Fatal(err)
	}
	fmt.Println(y)
	// Output: [-0.02 -0.01 0 1 2]
}

// ExampleWeighted uses all OpenCL devices as one backend, or else the CPU. Equal devices
// get equal parts.
func ExampleWeighted() {
	gpus := func() (compute.Backend, error) {
		all, err := gpu.OpenAll()
		if len(all) == 0 {
			return nil, err
		}
		return shard.Weighted(slices.Repeat([]float64{1}, len(all)), all...)
	}
	b, err := compute.Open(gpus, cpu.Open)
	if err != nil {
		log.Fatal(err)
	}
	defer b.Close()
	v := []float32{-2, 2}
	if err := b.Stream(context.Background(), compute.OpForward, compute.LeakyReLU(0.5), v, v); err != nil {
		log.Fatal(err)
	}
	fmt.Println(v)
	// Output: [-1 2]
}
