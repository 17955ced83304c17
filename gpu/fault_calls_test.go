//go:build opencl && cgo && linux

package gpu

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/linear"
	"github.com/gmind-go/compute/internal/values"
)

// Calls are made one after the other, until one fails.
type calls struct {
	op   string // of the last
	err  error  // of it
	made []interface{ Release() error }
}

// do makes a call, unless one has failed.
func (c *calls) do(op string, call func() error) {
	if c.err == nil {
		c.op, c.err = op, call()
	}
}

// take makes a call that makes a buffer, which end releases. It returns nil if one has failed.
func (c *calls) take(op string, call func() (compute.Buffer, error)) (buf compute.Buffer) {
	c.do(op, func() (err error) {
		if buf, err = call(); err == nil {
			c.made = append(c.made, buf)
		}
		return err
	})
	return buf
}

// end releases what was made, and returns the call that failed, and its error.
func (c *calls) end() (op string, err error) {
	for _, m := range c.made {
		if e := m.Release(); c.err == nil && e != nil {
			c.op, c.err = "release", e
		}
	}
	return c.op, c.err
}

// run makes every call of a backend but Close, and releases what it makes. It
// returns the error of the first that fails, and its name.
func (s *sweep) run(b compute.Backend) (op string, err error) {
	d := &s.data
	c := &calls{}
	defer func() { op, err = c.end() }()
	do, take := c.do, c.take
	check := func(name string, got []float32, call func() error, right func(i int, got float32) bool) {
		do(name, func() error {
			if err := call(); err != nil {
				return err
			}
			for i, v := range got {
				if !right(i, v) {
					return fmt.Errorf("%w: element %d is %v", errWrong, i, v)
				}
			}
			return nil
		})
	}
	read := func(buf compute.Buffer, right func(i int, got float32) bool) {
		copy(d.got, d.garbage)
		check("read", d.got, func() error { return buf.Read(d.got) }, right)
	}
	right := func(o form.Operand, f compute.Activation, xs []float32) func(i int, got float32) bool {
		return func(i int, got float32) bool { return o.Agrees(f, got, d.dys[i%len(d.dys)], xs[i], false) }
	}

	x := take("upload", func() (compute.Buffer, error) { return b.Upload(d.xs) })
	dy := take("upload", func() (compute.Buffer, error) { return b.Upload(d.dys) })
	y := take("alloc", func() (compute.Buffer, error) { return b.Alloc(len(d.xs)) })
	second := take("alloc", func() (compute.Buffer, error) { return b.Alloc(len(d.xs)) })
	do("write", func() error { return y.Write(d.garbage) })
	var m compute.Mask
	do("alloc mask", func() (err error) {
		if m, err = b.AllocMask(len(d.xs)); err == nil {
			c.made = append(c.made, m)
		}
		return err
	})
	args := form.Args{X: x, DY: dy, Y: y, D: second, DX: y, M: m}
	f := compute.Activation{}
	for i, fm := range form.All() {
		if fm != form.BackwardMask { // which reads the bits of the function of ForwardMask
			f = form.Fused()[i%len(form.Fused())]
		}
		do(fm.String(), func() error { return fm.Run(b, f, args) })
		for _, o := range fm.Results() {
			if o != form.M {
				read(*args.Buffer(o), right(o, f, d.xs))
				continue
			}
			do("read", func() error {
				words := slices.Repeat([]uint64{0xaaaa5555aaaa5555}, (len(d.xs)+63)/64)
				if err := m.Read(words); err != nil {
					return err
				}
				if wrong := fm.WrongBits(f, words, d.xs, false); wrong != "" {
					return fmt.Errorf("%w: %s", errWrong, wrong)
				}
				return nil
			})
		}
	}
	// Several that nobody has waited for, the last of them in place.
	f = compute.LeakyReLU(-0.5)
	do("forward", func() error { return b.Forward(f, y, x) })
	do("derivative", func() error { return b.Derivative(f, y, x) })
	do("backward", func() error { return b.Backward(f, dy, dy, x) })
	do("forward", func() error { return b.Forward(f, x, x) })
	do("sync", b.Sync)
	read(dy, right(form.DX, f, d.xs))
	read(x, right(form.Y, f, d.xs))
	read(y, right(form.D, f, d.xs))
	do("write", func() error { return x.Write(d.xs) })
	// Memory that was used before.
	do("release", func() error { return dy.Release() })
	again := take("alloc", func() (compute.Buffer, error) { return b.Alloc(len(d.xs)) })
	do("write", func() error { return again.Write(d.dys) })
	read(again, func(i int, got float32) bool { return values.Identical(got, d.dys[i]) })

	// More than goes to a device with memory of its own at a time.
	most := d.long[:maxAlloc/4]
	large := take("upload", func() (compute.Buffer, error) { return b.Upload(most) })
	do("forward", func() error { return b.Forward(f, large, large) })
	check("read", d.longGot[:len(most)], func() error { return large.Read(d.longGot[:len(most)]) }, right(form.Y, f, most))

	ctx := context.Background()
	copy(d.got, d.garbage)
	check("stream", d.got, func() error { return b.Stream(ctx, compute.OpForward, f, d.got, d.xs) }, right(form.Y, f, d.xs))
	copy(d.got, d.xs)
	check("stream", d.got, func() error { return b.Stream(ctx, compute.OpDerivative, f, d.got, d.got) }, right(form.D, f, d.xs))
	clear(d.longGot)
	check("stream", d.longGot, func() error { return b.Stream(ctx, compute.OpForward, f, d.longGot, d.long) }, right(form.Y, f, d.long))
	do("forward", func() error { return b.Forward(f, y, x) }) // Close is the first to wait for it
	return
}

// programs does for programs what run does for the methods of a backend that have one of
// their own.
func (s *sweep) programs(b compute.Backend) (op string, err error) {
	d := &s.data
	c := &calls{}
	defer func() { op, err = c.end() }()
	do, take := c.do, c.take
	x := take("upload", func() (compute.Buffer, error) { return b.Upload(d.xs) })
	right := func(got []float32) error {
		for i, v := range got {
			x := d.xs[i%len(d.xs)]
			if want := float32(x*x) - 2; !values.Same(v, want) {
				return fmt.Errorf("%w: element %d is %v", errWrong, i, v)
			}
		}
		return nil
	}
	do("run slices", func() error {
		copy(d.got, d.garbage)
		err := b.RunSlices(context.Background(), faultProgram, compute.Slice(d.got), compute.Slice(d.xs), compute.F32(2))
		if err == nil {
			err = right(d.got)
		}
		return err
	})
	do("run", func() error { return b.Run(faultProgram, x, x, compute.F32(2)) })
	do("read", func() error {
		copy(d.got, d.garbage)
		if err := x.Read(d.got); err != nil {
			return err
		}
		return right(d.got)
	})
	return
}

// products does for products of matrices what run does for the methods of every backend.
func (s *sweep) products(b compute.Backend) (op string, err error) {
	p := linear.Product{M: 9, K: 20, N: 5, TransposeB: true}
	c := &calls{}
	defer func() { op, err = c.end() }()
	do, take := c.do, c.take
	host := [3][]float32{s.data.garbage[:p.M*p.N], s.data.xs[:p.M*p.K], s.data.dys[:p.K*p.N]}
	var buffers [3]compute.Buffer
	for i := range buffers {
		buffers[i] = take("upload", func() (compute.Buffer, error) { return b.Upload(host[i]) })
	}
	l, _ := compute.As[compute.Linear](b)
	do("matmul", func() error {
		then := compute.Then(faultProgram, compute.F32(2))
		return l.MatMul(buffers[0], buffers[1], p.M, p.K, buffers[2], p.N, compute.TransposeB, then)
	})
	want, got := make([]float32, p.M*p.N), s.data.got[:p.M*p.N]
	linear.MatMul(p, want, host[1], host[2])
	do("read", func() error {
		if err := buffers[0].Read(got); err != nil {
			return err
		}
		for i, v := range got {
			if z := float32(want[i]*want[i]) - 2; !values.Same(v, z) {
				return fmt.Errorf("%w: element %d is %v, want %v", errWrong, i, v, z)
			}
		}
		return nil
	})
	return
}

// faultProgram is no kernel that devices have from the start.
var faultProgram = expr.MustParse("f(x, s) = x*x - s")

// reductions does for views, rows and reductions what run does for the methods that devices
// have kernels for from the start.
func (s *sweep) reductions(b compute.Backend) (op string, err error) {
	const width = 16
	d := &s.data
	n := maxAlloc / 4 // several chunks
	xs := d.long[:n]
	c := &calls{}
	defer func() { op, err = c.end() }()
	do, take := c.do, c.take
	read := func(buf compute.Buffer, want func(i int) float32) {
		do("read", func() error {
			got := slices.Repeat([]float32{12345}, buf.Len())
			if err := buf.Read(got); err != nil {
				return err
			}
			for i, v := range got {
				if !values.Same(v, want(i)) {
					return fmt.Errorf("%w: element %d is %v, want %v", errWrong, i, v, want(i))
				}
			}
			return nil
		})
	}
	f := func(x float32) float32 { return float32(x*x) - 2 }
	x := take("upload", func() (compute.Buffer, error) { return b.Upload(xs) })
	at := take("upload", func() (compute.Buffer, error) { return b.Upload([]float32{7, 3, -1, 7}) })
	y := take("alloc", func() (compute.Buffer, error) { return b.Alloc(4*width + 1) })
	one := take("alloc", func() (compute.Buffer, error) { return b.Alloc(1) })
	from := take("view", func() (compute.Buffer, error) { return x.View(3, 3+4*width) })
	to := take("view", func() (compute.Buffer, error) { return y.View(1, 1+4*width) })
	do("run", func() error { return b.Run(faultProgram, to, from, compute.F32(2)) })
	read(to, func(i int) float32 { return f(xs[3+i]) })
	do("gather", func() error { return b.Gather(to, x, at) })
	read(to, func(i int) float32 {
		row := []int{7, 3, -1, 7}[i/width]
		if row < 0 {
			return float32(math.NaN())
		}
		return xs[row*width+i%width]
	})
	do("mean of", func() error { return b.Reduce(one, compute.Mean, compute.All(), faultProgram, x, compute.F32(2)) })
	read(one, func(int) float32 { return linear.Mean(n, func(i int) float32 { return f(xs[i]) }) })
	columns := take("view", func() (compute.Buffer, error) { return y.View(2, 2+width) })
	do("max", func() error { return b.Reduce(columns, compute.Max, compute.Cols(width), nil, from) })
	read(columns, func(i int) float32 { return linear.Max(4, func(k int) float32 { return xs[3+k*width+i] }) })
	return
}
