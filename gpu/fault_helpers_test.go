//go:build opencl && cgo && linux

package gpu

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/internal/form"
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

// judge tells what is wrong with err, the first that a call named op returned.
func (s *sweep) judge(f fault, op, device string, err error) error {
	isDevice, isMemory := errors.Is(err, compute.ErrDevice), errors.Is(err, compute.ErrOutOfMemory)
	if errors.Is(err, compute.ErrCompile) && !isDevice && !isMemory && strings.Contains(err.Error(), "clBuildProgram") && slices.Contains([]string{"run", "run slices", "matmul", "gather", "mean of", "max"}, op) {
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
