//go:build opencl && cgo && linux

package gpu

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/values"
)

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
