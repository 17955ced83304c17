//go:build opencl && cgo && linux

package gpu

import (
	"context"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/linear"
	"github.com/gmind-go/compute/internal/values"
)

// scenarios are what faults are tried on. Each returns what a fault did that it
// must not do.
var scenarios map[string]func(*sweep, fault) error

func init() { // it refers to what refers to it
	scenarios = map[string]func(*sweep, fault) error{
		"open":   (*sweep).open,
		"direct": func(s *sweep, f fault) error { return s.operations(f, "direct") },
		"copied": func(s *sweep, f fault) error { return s.operations(f, "copied") },
		"staged": func(s *sweep, f fault) error { return s.operations(f, "staged") },

		"programs":   func(s *sweep, f fault) error { return s.operations(f, "programs") },
		"reductions": func(s *sweep, f fault) error { return s.operations(f, "reductions") },
		"matmul":     func(s *sweep, f fault) error { return s.operations(f, "matmul") },

		"profile":      func(s *sweep, f fault) error { return s.operations(f, "profile") },
		"closeprofile": (*sweep).closeProfiled,
	}
}

// maxAlloc is what the device of the operations says of its largest buffer, so that
// a Stream of few elements goes in several parts, whatever their size else is.
const maxAlloc = 64 << 10

// testData are the operands of the operations.
type testData struct {
	xs, dys, garbage, got []float32
	long, longGot         []float32 // more than fits into two buffers
}

func newSweep(t *testing.T, c *control) *sweep {
	d := testData{xs: append(values.Special(), values.Normal(961, 1)...), long: odd(values.Normal(5*maxAlloc/8+1, 2))}
	n := len(d.xs)
	d.dys, d.garbage, d.got = values.Normal(n, 3), slices.Repeat([]float32{12345}, n), make([]float32, n)
	d.longGot = odd(make([]float32, len(d.long)))
	return &sweep{t: t, control: c, data: d, calls: map[string]bool{}, told: map[string]int{}}
}

// mayPass tells whether no error need come of f: what is released is gone all the
// same, an answer may not matter, and out of memory may be followed by a second
// attempt.
func (s *sweep) mayPass(f fault) bool {
	name := text(s.control.name[:])
	asks := strings.HasPrefix(name, "clGet") && strings.HasSuffix(name, "Info")
	return s.control.failed.Load() == 0 || asks || strings.HasPrefix(name, "clRelease") ||
		f.mode == fail && (outOfMemory(f.code) || name == "clBuildProgram")
}

var anyCall = regexp.MustCompile(`\bcl[A-Z]\w+`)

// names tells whether err names the call that failed. In the modes other than FAIL
// a later one may be the first to matter.
func (s *sweep) names(f fault, err error) bool {
	if f.mode == fail {
		return strings.Contains(err.Error(), text(s.control.name[:]))
	}
	return anyCall.MatchString(err.Error())
}

// open opens what there is, and closes it again.
func (s *sweep) open(f fault) error {
	s.arm(f)
	b, err := compute.Open(OpenDevice("any"), cpu.Open)
	s.control.armed.Store(0)
	if err != nil {
		return fmt.Errorf("Open: %w", err)
	}
	defer b.Close()
	info := b.Info()
	failed := s.control.failed.Load() > 0
	switch {
	case info.Backend == "opencl" && !s.mayPass(f):
		return errors.New("Open takes the device as if nothing had happened")
	case info.Backend == "cpu" && !failed:
		return fmt.Errorf("without a fault Open takes the CPU, because %w", info.Skipped)
	case info.Backend == "cpu" && (info.Skipped == nil || !s.names(f, info.Skipped)):
		return fmt.Errorf("Open takes the CPU, and Info().Skipped does not name the call: %w", info.Skipped)
	}
	if info.Backend == "cpu" {
		return nil
	}
	if op, err := s.run(b); err != nil {
		return fmt.Errorf("%s on %s, which Open took after the fault: %w", op, info.Name, err)
	}
	s.control.armed.Store(1) // n goes on counting
	err = b.Close()
	s.control.armed.Store(0)
	if err != nil {
		return s.judge(f, "close", info.Name, err)
	}
	if !failed && !s.mayPass(f) {
		return errors.New("Close returns nil as if nothing had happened")
	}
	return nil
}

// device opens a device that takes one of the ways of Stream, without the self-test,
// with a buffer and a mask of the length of the data.
func (s *sweep) device(way string) (b compute.Backend, buf compute.Buffer, mask compute.Mask, err error) {
	s.control.maxAlloc.Store(maxAlloc)
	devices, err := list(Options{StreamMemory: defaultStreamMemory, Staged: way == "staged"})
	if err != nil {
		return nil, nil, nil, err
	}
	if b, err = devices[0].open(); err != nil {
		return nil, nil, nil, err
	}
	switch way {
	case "copied":
		inside(b).shape.aligned = true // which does not take any slice as it is
	case "matmul":
		inside(b).multiplier.tiles = []tile{panelTiles[4]} // which takes the least to compile
	}
	buf, err = b.Upload(s.data.xs)
	if err == nil {
		mask, err = b.AllocMask(len(s.data.xs))
	}
	if err != nil {
		err = errors.Join(err, b.Close())
	}
	return b, buf, mask, err
}

// operations makes the fault while an open backend is used, with data that takes
// one of the ways of Stream, or in Profile.
func (s *sweep) operations(f fault, way string) error {
	b, kept, mask, err := s.device(way)
	if err != nil {
		return err
	}
	defer b.Close()
	run := s.run
	switch way {
	case "profile":
		run = s.profile
	case "programs":
		run = s.programs
	case "reductions":
		run = s.reductions
	case "matmul":
		run = s.products
	}
	before := b.Info()
	device := before.Name

	s.arm(f)
	op, err := run(b)
	told := err != nil
	if told {
		if bad := s.judge(f, op, device, err); bad != nil {
			return bad
		}
	}
	if errors.Is(err, compute.ErrDevice) {
		if bad := s.poisoned(f, b, kept, mask, device); bad != nil {
			return fmt.Errorf("after %w: %w", err, bad)
		}
	} else if told {
		s.control.armed.Store(0)
		if op, again := run(b); again != nil {
			return fmt.Errorf("when all is done again after %w, %s: %w", err, op, again)
		}
	}
	if info := b.Info(); info.LiveBuffers != before.LiveBuffers || info.LiveBytes != before.LiveBytes {
		return fmt.Errorf("%d buffers of %d bytes are live, and only %d of %d bytes were not released", info.LiveBuffers, info.LiveBytes, before.LiveBuffers, before.LiveBytes)
	}
	if closed := b.Close(); closed != nil {
		if bad := s.judge(f, "close", device, closed); bad != nil {
			return bad
		}
		if errors.Is(err, compute.ErrDevice) {
			return fmt.Errorf("after %w, Close: %w", err, closed)
		}
		told = true
	}
	if !told && !s.mayPass(f) {
		return errors.New("no call returns an error")
	}
	return closedForGood(b, kept, mask)
}

// errWrong: a call returned nil and wrong data.
var errWrong = errors.New("wrong result")

// run makes every call of a backend but Close, and releases what it makes. It
// returns the error of the first that fails, and its name.
func (s *sweep) run(b compute.Backend) (op string, err error) {
	d := &s.data
	do := func(name string, call func() error) {
		if err == nil {
			op, err = name, call()
		}
	}
	var made []interface{ Release() error }
	defer func() {
		for _, m := range made {
			if e := m.Release(); err == nil && e != nil {
				op, err = "release", e
			}
		}
	}()
	take := func(name string, from func() (compute.Buffer, error)) (buf compute.Buffer) {
		do(name, func() (err error) {
			if buf, err = from(); err == nil {
				made = append(made, buf)
			}
			return err
		})
		return buf
	}
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
			made = append(made, m)
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
	return op, err
}

// programs does for programs what run does for the methods of a backend that have one of
// their own.
func (s *sweep) programs(b compute.Backend) (op string, err error) {
	d := &s.data
	do := func(name string, call func() error) {
		if err == nil {
			op, err = name, call()
		}
	}
	var x compute.Buffer
	do("upload", func() (err error) {
		x, err = b.Upload(d.xs)
		return err
	})
	defer func() {
		if x == nil {
			return
		}
		if e := x.Release(); err == nil && e != nil {
			op, err = "release", e
		}
	}()
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
	return op, err
}

// products does for products of matrices what run does for the methods of every backend.
func (s *sweep) products(b compute.Backend) (op string, err error) {
	p := linear.Product{M: 9, K: 20, N: 5, TransposeB: true}
	var buffers [3]compute.Buffer
	defer func() {
		for _, buf := range buffers {
			if buf == nil {
				continue
			}
			if e := buf.Release(); err == nil && e != nil {
				op, err = "release", e
			}
		}
	}()
	host := [3][]float32{s.data.garbage[:p.M*p.N], s.data.xs[:p.M*p.K], s.data.dys[:p.K*p.N]}
	for i := range buffers {
		if buffers[i], err = b.Upload(host[i]); err != nil {
			return "upload", err
		}
	}
	l, _ := compute.As[compute.Linear](b)
	then := compute.Then(faultProgram, compute.F32(2))
	if err := l.MatMul(buffers[0], buffers[1], p.M, p.K, buffers[2], p.N, compute.TransposeB, then); err != nil {
		return "matmul", err
	}
	want, got := make([]float32, p.M*p.N), s.data.got[:p.M*p.N]
	linear.MatMul(p, want, host[1], host[2])
	if err := buffers[0].Read(got); err != nil {
		return "read", err
	}
	for i, v := range got {
		if z := float32(want[i]*want[i]) - 2; !values.Same(v, z) {
			return "matmul", fmt.Errorf("%w: element %d is %v, want %v", errWrong, i, v, z)
		}
	}
	return "", nil
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
	do := func(name string, call func() error) {
		if err == nil {
			op, err = name, call()
		}
	}
	var made []compute.Buffer
	defer func() {
		for _, m := range made {
			if e := m.Release(); err == nil && e != nil {
				op, err = "release", e
			}
		}
	}()
	take := func(name string, from func() (compute.Buffer, error)) (buf compute.Buffer) {
		do(name, func() (err error) {
			if buf, err = from(); err == nil {
				made = append(made, buf)
			}
			return err
		})
		return buf
	}
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
	do("max of", func() error { return b.Reduce(columns, compute.Max, compute.Cols(width), nil, from) })
	read(columns, func(i int) float32 { return linear.Max(4, func(k int) float32 { return xs[3+k*width+i] }) })
	return op, err
}

// judge tells what is wrong with err, the first that a call named op returned.
func (s *sweep) judge(f fault, op, device string, err error) error {
	isDevice, isMemory := errors.Is(err, compute.ErrDevice), errors.Is(err, compute.ErrOutOfMemory)
	if errors.Is(err, compute.ErrCompile) && !isDevice && !isMemory && strings.Contains(err.Error(), "clBuildProgram") && slices.Contains([]string{"run", "run slices", "matmul", "gather", "mean of", "max of"}, op) {
		return nil
	}
	var wrong string
	switch {
	case errors.Is(err, errWrong):
		wrong = "is nil"
	case s.control.failed.Load() == 0:
		wrong = "comes without a fault"
	case isDevice == isMemory:
		wrong = "should be one of ErrDevice and ErrOutOfMemory"
	case isMemory && (f.mode >= late || !outOfMemory(f.code)):
		wrong = "is no lack of memory"
	case isMemory && (op == "sync" || op == "close" || op == "release"):
		wrong = "is a lack of memory, which this call does not return"
	case !strings.Contains(err.Error(), op) || !strings.Contains(err.Error(), device):
		wrong = "does not name the operation and the device"
	case !s.names(f, err):
		wrong = "does not name the OpenCL call"
	default:
		return nil
	}
	return fmt.Errorf("the error of %s %s: %w", op, wrong, err)
}

func errorOf(_ any, err error) error { return err }

// everyCall calls each method that a broken or closed backend refuses.
func everyCall(b compute.Backend, buf compute.Buffer, m compute.Mask) map[string]error {
	f, v := compute.LeakyReLU(0.01), make([]float32, buf.Len())
	_, upload := b.Upload(v)
	_, alloc := b.Alloc(len(v))
	_, allocMask := b.AllocMask(len(v))
	errs := map[string]error{
		"upload":     upload,
		"alloc":      alloc,
		"alloc mask": allocMask,
		"stream":     b.Stream(context.Background(), compute.OpForward, f, v, v),
		"sync":       b.Sync(),
		"write":      buf.Write(v),
		"read":       buf.Read(v),
		"view":       errorOf(buf.View(0, 1)),
		"write at":   buf.WriteAt(v, 0),
		"read at":    buf.ReadAt(v, 0),
		"copy":       b.Copy(buf, buf),
		"fill":       b.Fill(buf, 1),
		"gather":     b.Gather(buf, buf, buf),
		"reduce":     b.Reduce(buf, compute.Sum, compute.All(), nil, buf),
		"read on":    m.Read(make([]uint64, (m.Len()+63)/64)), // of the mask, in words that both errors have
	}
	for _, fm := range form.All() {
		errs[fm.String()] = fm.Run(b, f, form.Over(buf, m))
	}
	return errs
}

// poisoned tells what is wrong with a backend after ErrDevice.
func (s *sweep) poisoned(f fault, b compute.Backend, buf compute.Buffer, m compute.Mask, device string) error {
	before := s.control.calls.Load()
	for op, err := range everyCall(b, buf, m) {
		if !errors.Is(err, compute.ErrDevice) || !strings.Contains(err.Error(), op) || !strings.Contains(err.Error(), device) || !s.names(f, err) {
			return fmt.Errorf("%s returns %v, and not an ErrDevice that names it, the device and what happened", op, err)
		}
	}
	if calls := s.control.calls.Load() - before; calls > 0 {
		return fmt.Errorf("the methods still make %d OpenCL calls", calls)
	}
	return nil
}

// closedForGood tells what is wrong with a backend after Close.
func closedForGood(b compute.Backend, buf compute.Buffer, m compute.Mask) error {
	for op, err := range everyCall(b, buf, m) {
		if !errors.Is(err, compute.ErrClosed) {
			return fmt.Errorf("after Close, %s returns %w", op, err)
		}
	}
	if info := b.Info(); info.LiveBuffers != 0 || info.LiveBytes != 0 {
		return fmt.Errorf("after Close, %d buffers of %d bytes are live", info.LiveBuffers, info.LiveBytes)
	}
	return errors.Join(buf.Release(), m.Release(), b.Close())
}

// profile does for Profile what run does for the methods of a backend. A device that
// only does not tell times is no worse for it.
func (s *sweep) profile(b compute.Backend) (op string, err error) {
	d, f := &s.data, compute.LeakyReLU(-0.5)
	do := func(name string, call func() error) {
		if err == nil {
			op, err = name, call()
		}
	}
	var bufs [2]compute.Buffer
	for i := range bufs {
		do("upload", func() (err error) {
			bufs[i], err = b.Upload(d.xs)
			return err
		})
		defer func() {
			if bufs[i] != nil {
				bufs[i].Release()
			}
		}()
	}
	x, y := bufs[0], bufs[1]
	do("forward", func() error { return b.Forward(f, y, x) }) // Profile is the first to wait for it
	if err != nil {
		return op, err
	}
	const kernels = 4
	earlierFails := s.control.failed.Load() > 0 && s.control.mode.Load() >= late
	profiler, _ := compute.As[form.Profiler](b)
	times, failed := profiler.Profile(func() error {
		if earlierFails {
			err = fmt.Errorf("%w: the work is begun before what came earlier is done", errWrong)
		}
		do("forward", func() error { return b.Forward(f, y, x) })
		do("derivative", func() error { return b.Derivative(f, y, x) })
		do("sync", b.Sync)
		do("derivative", func() error { return b.Derivative(f, y, x) })
		do("forward", func() error { return b.Forward(f, x, x) }) // and for this
		return err
	})
	untold := strings.HasPrefix(text(s.control.name[:]), "clGetEventProfilingInfo")
	switch {
	case failed == nil && err != nil:
		return "profile", fmt.Errorf("%w: the work returned %v", errWrong, err)
	case failed != err:
		op, err = "profile", failed
	case err == nil && !untold && len(times) != kernels || untold && len(times) != 0:
		return "profile", fmt.Errorf("%w: %d times", errWrong, len(times))
	}
	for buf, right := range map[compute.Buffer]func(float32) float32{y: f.Derivative, x: f.Value} {
		do("read", func() error {
			copy(d.got, d.garbage)
			if err := buf.Read(d.got); err != nil {
				return err
			}
			for i, x := range d.xs {
				if !values.Same(d.got[i], right(x)) {
					return fmt.Errorf("%w: element %d is %v", errWrong, i, d.got[i])
				}
			}
			return nil
		})
	}
	if err != nil && untold && s.control.mode.Load() == fail {
		err = fmt.Errorf("%w: for want of times %v", errWrong, err)
	}
	return op, err
}

// closeProfiled closes a backend within Profile.
func (s *sweep) closeProfiled(f fault) error {
	b, buf, mask, err := s.device("direct")
	if err != nil {
		return err
	}
	defer b.Close()
	device := b.Info().Name
	var op string
	var failed error
	s.arm(f)
	profiler, _ := compute.As[form.Profiler](b)
	times, err := profiler.Profile(func() error {
		if op, failed = "forward", b.Forward(compute.LeakyReLU(-0.5), buf, buf); failed == nil {
			op, failed = "close", b.Close()
		}
		return failed
	})
	if err != failed {
		op = "profile"
	}
	s.control.armed.Store(0)
	switch {
	case err == nil || len(times) > 0:
		return fmt.Errorf("Profile of what was closed returns %d times and %w", len(times), err)
	case !errors.Is(err, compute.ErrClosed):
		if bad := s.judge(f, op, device, err); bad != nil {
			return bad
		}
	case !strings.Contains(err.Error(), "profile") || !strings.Contains(err.Error(), device):
		return fmt.Errorf("Profile of what was closed does not name itself and the device: %w", err)
	case !s.mayPass(f):
		return errors.New("no call tells of the fault")
	}
	if err := b.Close(); err != nil { // which was too late for the fault
		return fmt.Errorf("Close after Profile: %w", err)
	}
	return closedForGood(b, buf, mask)
}
