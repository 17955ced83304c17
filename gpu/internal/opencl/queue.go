//go:build opencl && cgo

package opencl

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"unsafe"

	"github.com/jgillich/go-opencl/cl"

	"github.com/gmind-go/compute"
)

// A Queue runs commands on the device, in the order they are enqueued. It is not
// safe for concurrent use; several queues of a Context are, and run at once.
type Queue struct {
	queue   *cl.CommandQueue
	pending []*cl.Event // of the commands that nobody has waited for
	lost    bool        // a wait failed, so that commands may still run

	profiled bool      // made by NewProfiledQueue
	times    []float64 // in ns, of the commands waited for, if profiled
}

// maxPending is the most commands that may go unwaited for. At more, the first
// half of them is waited for, which are done by then or nearly.
const maxPending = 256

// Launch enqueues k over items work-items in groups of group, of which items is
// a multiple. Each argument is a *Mem, a uint32, a uint64 or a float32, as the kernel has it.
func (q *Queue) Launch(k *Kernel, items, group int, args ...any) error {
	if err := k.set(args); err != nil {
		return err
	}
	err := q.enqueue("clEnqueueNDRangeKernel", func() (*cl.Event, error) {
		return q.queue.EnqueueNDRangeKernel(k.kernel, nil, []int{items}, []int{group}, nil)
	})
	if err != nil {
		return fmt.Errorf("kernel %s: %w", k.name, err)
	}
	return nil
}

// Write copies src to m, from its element offset on, and returns when src may be
// changed, once the commands before it are done.
func (q *Queue) Write(m *Mem, offset int, src []float32) error {
	err := q.transfer("clEnqueueWriteBuffer", m, src, func() (*cl.Event, error) {
		return q.queue.EnqueueWriteBuffer(m.mem, true, 4*offset, size(src), unsafe.Pointer(&src[0]), nil)
	})
	if isPointerCheck(err) {
		return q.Write(m, offset, append([]float32(nil), src...))
	}
	return err
}

// Read copies m, from its element offset on, to dst, once the commands before it
// are done.
func (q *Queue) Read(m *Mem, offset int, dst []float32) error {
	err := q.transfer("clEnqueueReadBuffer", m, dst, func() (*cl.Event, error) {
		return q.queue.EnqueueReadBuffer(m.mem, true, 4*offset, size(dst), unsafe.Pointer(&dst[0]), nil)
	})
	if isPointerCheck(err) {
		staged := make([]float32, len(dst))
		err = q.Read(m, offset, staged)
		copy(dst, staged)
	}
	return err
}

// transfer makes a blocking call between m and host.
func (q *Queue) transfer(name string, m *Mem, host []float32, enqueue func() (*cl.Event, error)) error {
	if len(host) == 0 {
		return nil
	}
	if m.mem == nil {
		return fmt.Errorf("%s: the memory was released: %w", name, compute.ErrClosed)
	}
	err := call(name, func() error {
		event, err := enqueue()
		if err != nil {
			return err // the binding's event is then an empty shell
		}
		runtime.SetFinalizer(event, nil)
		event.Release()
		return nil
	})
	if isPointerCheck(err) {
		return err // before the call was made
	}
	// What was enqueued before is done by now; that it failed weighs more.
	if late := q.Wait(); late != nil {
		return late
	}
	return err
}

// StartWrite enqueues a copy of n elements of s, from its element from on, to m, from its
// element offset on. s may be changed after Wait.
func (q *Queue) StartWrite(m *Mem, offset int, s *Staging, from, n int) error {
	return q.enqueue("clEnqueueWriteBuffer", func() (*cl.Event, error) {
		return q.queue.EnqueueWriteBuffer(m.mem, false, 4*offset, 4*n, unsafe.Pointer(&s.Values[from]), nil)
	})
}

// StartRead enqueues a copy of n elements of m, from its element offset on, to s, from its
// element to on, where they are after Wait.
func (q *Queue) StartRead(m *Mem, offset int, s *Staging, to, n int) error {
	return q.enqueue("clEnqueueReadBuffer", func() (*cl.Event, error) {
		return q.queue.EnqueueReadBuffer(m.mem, false, 4*offset, 4*n, unsafe.Pointer(&s.Values[to]), nil)
	})
}

// mapWrite is CL_MAP_WRITE_INVALIDATE_REGION of OpenCL 1.2, which the binding has
// no name for: what was in the memory need not be fetched.
const mapWrite cl.MapFlag = 1 << 2

// Fill lets fill write n elements of m, from its element offset on, in place, once the
// commands before it are done. It writes all of them.
func (q *Queue) Fill(m *Mem, offset, n int, fill func([]float32)) error {
	return q.withMapped(m, mapWrite, offset, n, fill)
}

// View lets view read n elements of m, from its element offset on, in place, once the commands
// before it are done.
func (q *Queue) View(m *Mem, offset, n int, view func([]float32)) error {
	return q.withMapped(m, cl.MapFlagRead, offset, n, view)
}

func (q *Queue) withMapped(m *Mem, flags cl.MapFlag, offset, n int, use func([]float32)) error {
	mapped, values, err := q.mapMem(m, flags, offset, n)
	if late := q.Wait(); late != nil || err != nil {
		if mapped != nil {
			q.unmap(m, mapped) // the failure is told already
		}
		if late != nil {
			return late
		}
		return err
	}
	use(values)
	if err := q.unmap(m, mapped); err != nil {
		return fault(err) // it stays mapped: no lack of memory that the caller can go on from
	}
	return nil
}

// mapMem maps n elements of m, from its element offset on, and waits until they are there.
func (q *Queue) mapMem(m *Mem, flags cl.MapFlag, offset, n int) (mapped *cl.MappedMemObject, values []float32, err error) {
	err = call("clEnqueueMapBuffer", func() error {
		var event *cl.Event
		var err error
		mapped, event, err = q.queue.EnqueueMapBuffer(m.mem, true, flags, 4*offset, 4*n, nil)
		if event != nil {
			runtime.SetFinalizer(event, nil)
			event.Release()
		}
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return mapped, unsafe.Slice((*float32)(mapped.Ptr()), n), nil
}

// Flush makes the device begin with the commands enqueued so far, without waiting for
// them. A driver may put them off until somebody waits, as Mesa's and AMD's do. If it
// fails, it is not known what was begun: the error wraps compute.ErrDevice.
func (q *Queue) Flush() error {
	if err := call("clFlush", func() error { return flush(q.queue) }); err != nil {
		return fault(err)
	}
	return nil
}

// Idle reports whether every command is done that was enqueued and not waited for. It
// does not wait, and does not make the device begin.
func (q *Queue) Idle() (bool, error) {
	if len(q.pending) == 0 {
		return true, nil
	}
	var done bool
	err := call("clGetEventInfo", func() (err error) {
		done, err = isComplete(q.pending[len(q.pending)-1]) // commands run in order
		return err
	})
	return done, err
}

// unmap enqueues the end of a mapping.
func (q *Queue) unmap(m *Mem, mapped *cl.MappedMemObject) error {
	return q.enqueue("clEnqueueUnmapMemObject", func() (*cl.Event, error) {
		return q.queue.EnqueueUnmapMemObject(m.mem, mapped, nil)
	})
}

// Update makes the slice of m, of Wrap, with n elements, hold the results of the
// commands before, which it waits for. The map blocks: to unmap what a map that does not
// block is still to return is legal in a queue that runs in order, but Mesa 22.3 refuses
// it.
func (q *Queue) Update(m *Mem, n int) error {
	return q.View(m, 0, n, func([]float32) {})
}

// enqueue makes a call that does not block, and keeps its event for the call that
// waits: OpenCL reports a command that failed late by its event alone.
func (q *Queue) enqueue(name string, enqueue func() (*cl.Event, error)) error {
	err := call(name, func() error {
		event, err := enqueue()
		if err != nil {
			return err // the binding's event is then an empty shell
		}
		runtime.SetFinalizer(event, nil)
		q.pending = append(q.pending, event)
		return nil
	})
	if err == nil && len(q.pending) > maxPending {
		return q.wait(maxPending / 2)
	}
	if errors.Is(err, compute.ErrOutOfMemory) {
		// Drivers answer CL_OUT_OF_RESOURCES to every call after a kernel that failed.
		if late := q.Wait(); late != nil {
			return late
		}
	}
	return err
}

// Wait waits until every command is done. If one failed, by whatever code, the
// results cannot be trusted: the error wraps compute.ErrDevice. A wait for the
// queue alone would not do: OpenCL does not make it report failed commands.
func (q *Queue) Wait() error { return q.wait(len(q.pending)) }

// fault makes err wrap compute.ErrDevice, and no other error of package compute.
func fault(err error) error { return fmt.Errorf("%v: %w", err, compute.ErrDevice) }

// wait waits for the first n pending commands, and for all if one of them failed.
func (q *Queue) wait(n int) error {
	if n == 0 {
		return nil
	}
	err := call("clWaitForEvents", func() error { return cl.WaitForEvents(q.pending[:n]) })
	if err != nil {
		n = len(q.pending)
		// This call reports only that some command failed; the queue may know why.
		if cause := call("clFinish", q.queue.Finish); cause != nil {
			err = fmt.Errorf("%w; %v", err, cause)
			q.lost = true
		}
		err = fault(fmt.Errorf("a command failed after it was enqueued: %w", err))
	}
	if q.profiled && err == nil {
		q.profile(q.pending[:n])
	}
	for _, event := range q.pending[:n] {
		event.Release()
	}
	q.pending = append(q.pending[:0], q.pending[n:]...)
	return err
}

// profile records how long the device worked on each of events, by its own clock. A device
// that does not report it is not asked again.
func (q *Queue) profile(events []*cl.Event) {
	for _, event := range events {
		var start, end int64
		err := call("clGetEventProfilingInfo", func() (err error) {
			if start, err = event.GetEventProfilingInfo(cl.ProfilingInfoCommandStart); err != nil {
				return err
			}
			end, err = event.GetEventProfilingInfo(cl.ProfilingInfoCommandEnd)
			return err
		})
		if err != nil {
			q.profiled, q.times = false, nil
			return
		}
		q.times = append(q.times, float64(end-start))
	}
}

// Times returns how long the device worked, in ns by its own clock, on each command that was
// waited for since the last call, or nothing if it does not report times. The queue is one of
// NewProfiledQueue.
func (q *Queue) Times() []float64 {
	times := q.times
	q.times = nil
	return times
}

// Lost reports whether commands may still run though they were waited for, because
// the device fails.
func (q *Queue) Lost() bool { return q.lost }

// Close waits for the device and releases the queue. Calls after the first do
// nothing. Its error wraps compute.ErrDevice.
func (q *Queue) Close() error {
	if q.queue == nil {
		return nil
	}
	err := q.Wait()
	if err == nil {
		if err = call("clFinish", q.queue.Finish); err != nil {
			err = fault(err)
		}
	}
	q.queue.Release()
	q.queue = nil
	return err
}

// abandoned are the pins that are never undone.
var abandoned pins

type pins struct {
	mu   sync.Mutex
	list []*runtime.Pinner
}

func (p *pins) add(pin *runtime.Pinner) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.list = append(p.list, pin)
}
