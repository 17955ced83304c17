package train_test

import (
	"context"
	"fmt"
	"log"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/train"
)

// on calls f with a backend.
func on(f func(b compute.Backend) error) {
	b, err := cpu.Open()
	if err != nil {
		log.Fatal(err)
	}
	defer b.Close()
	if err := f(b); err != nil {
		log.Fatal(err)
	}
}

// run computes a program on slices.
func run(p *expr.Program, args ...compute.Arg) {
	on(func(b compute.Backend) error { return b.RunSlices(context.Background(), p, args...) })
}

// upload returns buffers with the values, which Close of the backend releases.
func upload(b compute.Backend, values ...[]float32) []compute.Buffer {
	var buffers []compute.Buffer
	for _, v := range values {
		x, err := b.Upload(v)
		if err != nil {
			log.Fatal(err)
		}
		buffers = append(buffers, x)
	}
	return buffers
}

// read returns what a buffer holds.
func read(x compute.Buffer) []float32 {
	v := make([]float32, x.Len())
	if err := x.Read(v); err != nil {
		log.Fatal(err)
	}
	return v
}

// The MSE of three elements, and its gradient.
func Example_squaredError() {
	on(func(b compute.Backend) error {
		x := upload(b, []float32{1, 2, -3}, []float32{1, 5, 0}, make([]float32, 1))
		p, t, loss := x[0], x[1], x[2]
		if err := b.Reduce(loss, compute.Mean, compute.All(), train.SquaredError, p, t); err != nil {
			return err
		}
		scale := compute.F32(1 / float32(p.Len()))
		if err := b.Run(train.SquaredError.Backward("p"), p, scale, p, t); err != nil { // in place
			return err
		}
		fmt.Println(read(loss), read(p))
		return nil
	})
	// Output: [6] [0 -2 -2]
}

// BinaryCrossEntropy does not overflow.
func Example_binaryCrossEntropy() {
	z, t := compute.Slice{-2, 0, 3, 200}, compute.Slice{0, 1, 0.5, 1}
	loss, dz := make(compute.Slice, 4), make(compute.Slice, 4)
	run(train.BinaryCrossEntropy, loss, z, t)
	run(train.BinaryCrossEntropy.Partial("z"), dz, z, t)
	fmt.Println(loss, dz)
	// Output: [0.12692802 0.6931472 1.5485873 0] [0.11920292 -0.5 0.45257413 0]
}

func Example_huber() {
	p, t := compute.Slice{1, 5, -3}, compute.Slice{0, 1, 0.5}
	loss, dp := make(compute.Slice, 3), make(compute.Slice, 3)
	delta := compute.F32(2)
	run(train.Huber, loss, p, t, delta)
	run(train.Huber.Partial("p"), dp, p, t, delta)
	fmt.Println(loss, dp)
	// Output: [0.5 6 5] [1 2 -2]
}

func Example_hinge() {
	p, t := compute.Slice{0.25, 2, 0.5}, compute.Slice{1, 1, -1}
	loss, dp := make(compute.Slice, 3), make(compute.Slice, 3)
	run(train.Hinge, loss, p, t)
	run(train.Hinge.Partial("p"), dp, p, t)
	fmt.Println(loss, dp)
	// Output: [0.75 0 1.5] [-1 0 1]
}

func Example_smoothLabels() {
	t := compute.Slice{0, 1, 0, 0}
	run(train.SmoothLabels, t, t, compute.F32(0.25), compute.F32(4))
	fmt.Println(t)
	// Output: [0.0625 0.8125 0.0625 0.0625]
}

// The loss of each row, the accuracy, and the gradient of the mean loss.
func ExampleSoftmax() {
	on(func(b compute.Backend) error {
		x := upload(b,
			[]float32{ // two rows of three logits
				1, 1, 1,
				200, 0, -200,
			},
			[]float32{2, 0}, // their classes
			make([]float32, 2), make([]float32, 2), make([]float32, 1))
		z, label, loss, class, accuracy := x[0], x[1], x[2], x[3], x[4]
		s, err := train.NewSoftmax(b, 3)
		if err != nil {
			return err
		}
		defer s.Release()
		if err := s.Predict(class, z); err != nil {
			return err
		}
		if err := b.Reduce(accuracy, compute.Mean, compute.All(), train.Hit, class, label); err != nil {
			return err
		}
		if err := s.CrossEntropy(loss, z, z, label); err != nil { // the gradient replaces z
			return err
		}
		fmt.Println(read(loss), read(accuracy))
		fmt.Println(read(z))
		return nil
	})
	// Output:
	// [1.0986123 0] [0.5]
	// [0.16666667 0.16666667 -0.3333333 0 0 0]
}

func Example_sgd() {
	w, g := compute.Slice{1, -2, 3}, compute.Slice{2, -2, 4}
	run(train.SGD, w, w, g, compute.F32(0.25))
	fmt.Println(w)
	// Output: [0.5 -1.5 2]
}

func Example_momentum() {
	w, v, g := compute.Slice{1, -2}, compute.Slice{4, 0}, compute.Slice{1, -1}
	rate, mu := compute.F32(0.5), compute.F32(0.75)
	run(train.Momentum, w, v, w, v, g, rate, mu)
	fmt.Println(w, v)
	// Output: [-1 -1.5] [4 -1]
}

func Example_nesterov() {
	w, v, g := compute.Slice{1, -2}, compute.Slice{4, 0}, compute.Slice{1, -1}
	rate, mu := compute.F32(0.5), compute.F32(0.75)
	run(train.Nesterov, w, v, w, v, g, rate, mu)
	fmt.Println(w, v)
	// Output: [-1 -1.125] [4 -1]
}

// Ten steps of Adam toward the minimum of w*w/2, whose gradient is w. Nothing but scalars
// changes from call to call.
func Example_adam() {
	on(func(b compute.Backend) error {
		x := upload(b, []float32{1, -2}, make([]float32, 2), make([]float32, 2))
		w, m, v := x[0], x[1], x[2]
		const b1, b2 = 0.9, 0.999
		step, err := b.Prepare(train.Adam, w, m, v, w, m, v, w,
			compute.F32(0.1), compute.F32(b1), compute.F32(b2), compute.F32(1e-8), compute.F32(0), compute.F32(0))
		if err != nil {
			return err
		}
		for t := 1; t <= 10; t++ {
			if err := step.Set("c1", compute.F32(train.Correction(b1, t))); err != nil {
				return err
			}
			if err := step.Set("c2", compute.F32(train.Correction(b2, t))); err != nil {
				return err
			}
			if err := step.Run(); err != nil {
				return err
			}
		}
		fmt.Println(read(w))
		return nil
	})
	// Output: [0.07624919 -1.0245868]
}

func Example_adamW() {
	const b1, b2 = 0.5, 0.5
	rate, eps, decay := compute.F32(0.5), compute.F32(4), compute.F32(0.5)
	c1, c2 := compute.F32(train.Correction(b1, 1)), compute.F32(train.Correction(b2, 1))
	w, m, v, g := compute.Slice{1, -1}, compute.Slice{0, 2}, compute.Slice{12, 0}, compute.Slice{2, -4}
	run(train.AdamW, w, m, v, w, m, v, g, rate, compute.F32(b1), compute.F32(b2), eps, decay, c1, c2)
	fmt.Println(w, m, v)
	// Output: [0.625 -0.625] [1 -1] [8 8]
}

func Example_clipValue() {
	g := compute.Slice{-3, 0.5, 1, 8}
	run(train.ClipValue, g, g, compute.F32(1))
	fmt.Println(g)
	// Output: [-1 0.5 1 1]
}

func ExampleClipNorm() {
	on(func(b compute.Backend) error {
		x := upload(b, []float32{3, 0, -4}, make([]float32, 1))
		g, norm := x[0], x[1]
		if err := train.ClipNorm(b, g, norm, 2.5); err != nil {
			return err
		}
		fmt.Println(read(g), read(norm))
		return nil
	})
	// Output: [1.4999998 0 -1.9999996] [5]
}

func Example_average() {
	mean, w := compute.Slice{1, -2, 0}, compute.Slice{5, 2, 4}
	run(train.Average, mean, mean, w, compute.F32(0.75))
	fmt.Println(mean)
	// Output: [2 -1 1]
}

// Weights of a layer of 100 inputs, by He and by Glorot.
func Example_normal() {
	he, glorot := make(compute.Slice, 3), make(compute.Slice, 3)
	seed, stream := compute.U32(1), compute.U32(0)
	run(train.Normal, he, compute.F32(0), compute.F32(train.HeDeviation(100)), seed, stream)
	limit := compute.F32(1.7320508 * train.GlorotDeviation(100, 50))
	run(train.Uniform, glorot, -limit, limit, seed, stream+1)
	fmt.Println(he, glorot)
	// Output: [0.075770326 -0.22263236 -0.32838702] [0.083914965 -0.032084122 0.07115266]
}
