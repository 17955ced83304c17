//go:build opencl && cgo

package opencl_test

import (
	"context"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"
	"unsafe"

	"github.com/jgillich/go-opencl/cl"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/gpu"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/turns"
	"github.com/gmind-go/compute/internal/units"
	"github.com/gmind-go/compute/internal/values"
)

// The benchmarks of the OpenCL backend are in this package, since their limits are
// measured with the binding alone. Each benchmark compares a call with its limit, in turns:
// "of-limit" is the speed as a fraction of the limit, by the medians of all rounds. The
// device is the one of COMPUTE_OPENCL_DEVICE, or any.

var function = compute.LeakyReLU(0.01)

// speedDevice is read before the tests unset it.
var speedDevice = os.Getenv(gpu.DeviceEnv)

// sizes returns sizes from where a launch takes a negligible time to what fits easily.
func sizes(info compute.Info) []int {
	ns := []int{1 << 20, 16 << 20, 64 << 20}
	for n := 256 << 20; n <= 1<<30 && 16*int64(n) < info.Memory && 4*int64(n) <= info.MaxAlloc && !info.SharedMemory; n *= 4 {
		ns = append(ns, n)
	}
	return ns
}

func open(b *testing.B, o gpu.Options) compute.Backend {
	b.Helper()
	o.Device = "any"
	if speedDevice != "" {
		o.Device = speedDevice
	}
	return testenv.Open(b, o.Open)
}

// raw is the same device, used with the binding alone.
type raw struct {
	b       *testing.B
	context *cl.Context
	queue   *cl.CommandQueue
	program *cl.Program
}

const rawSource = `
kernel void copy1(global float *dst, global const float *src) { size_t i = get_global_id(0); dst[i] = src[i]; }
kernel void copy4(global float4 *dst, global const float4 *src) { size_t i = get_global_id(0); dst[i] = src[i]; }
kernel void launch(global float *y, global const float *x, const ulong n, const float s)
{ size_t i = get_global_id(0); if (i < n) y[i] = x[i] >= 0.0f ? x[i] : s * x[i]; }`

func openRaw(b *testing.B, info compute.Info) *raw {
	b.Helper()
	platforms, err := cl.GetPlatforms()
	must(b, err)
	for _, p := range platforms {
		devices, _ := p.GetDevices(cl.DeviceTypeAll)
		for _, d := range devices {
			if "opencl "+d.Name() != info.Name {
				continue
			}
			r := &raw{b: b}
			r.context, err = cl.CreateContext([]*cl.Device{d})
			must(b, err)
			r.queue, err = r.context.CreateCommandQueue(d, 0)
			must(b, err)
			r.program, err = r.context.CreateProgramWithSource([]string{rawSource})
			must(b, err)
			must(b, r.program.BuildProgram(nil, ""))
			return r
		}
	}
	b.Fatalf("the binding does not show %s", info.Name)
	return nil
}

func (r *raw) close() {
	r.program.Release()
	r.queue.Release()
	r.context.Release()
}

func (r *raw) buffer(n int, flags cl.MemFlag) *cl.MemObject {
	m, err := r.context.CreateEmptyBuffer(flags, 4*n)
	must(r.b, err)
	r.b.Cleanup(m.Release)
	return m
}

// done waits for a command.
func (r *raw) done(event *cl.Event, err error) {
	must(r.b, err)
	event.Release()
	must(r.b, r.queue.Finish())
}

// launch returns a call that launches a kernel and waits for it.
func (r *raw) launch(name string, items, group int, args ...any) func() {
	k, err := r.program.CreateKernel(name)
	must(r.b, err)
	var groups []int
	if group > 0 {
		groups = []int{group}
	}
	return func() {
		must(r.b, k.SetArgs(args...))
		r.done(r.queue.EnqueueNDRangeKernel(k, nil, []int{items}, groups, nil))
	}
}

// copies returns calls that copy n elements on the device, in all ways.
func (r *raw) copies(n int) []func() {
	src, dst := r.buffer(n, cl.MemReadWrite), r.buffer(n, cl.MemReadWrite)
	x := values.Normal(n, 3)
	for _, m := range []*cl.MemObject{src, dst} {
		r.done(r.queue.EnqueueWriteBuffer(m, true, 0, 4*n, unsafe.Pointer(&x[0]), nil))
	}
	return []func(){
		r.launch("copy1", n, 0, dst, src),
		r.launch("copy4", n/4, 0, dst, src),
		func() { r.done(r.queue.EnqueueCopyBuffer(src, dst, 0, 0, 4*n, nil)) },
	}
}

func must(b testing.TB, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// fastest returns the limit of a call that can be as fast as the fastest of times, in ns.
func fastest(times []float64) float64 { return slices.Min(times) }

// versus measures call and limits in turns. All move the same number of bytes. It reports
// the speed of call and its fraction of the limit, which limitOf computes from the medians
// of limits.
func versus(b *testing.B, bytes int, limitOf func(times []float64) float64, call func(), limits ...func()) {
	b.Helper()
	var all []*turns.Series
	for _, f := range append(limits, call) {
		f() // warm
		all = append(all, turns.Of(0, func() error { f(); return nil })...)
	}
	warm := time.Now()
	call()
	rounds := max(1, int(2*time.Millisecond/max(time.Since(warm), time.Microsecond))) // many rounds of a short call
	for b.Loop() {
		for range rounds {
			must(b, turns.Round(b.Context(), all))
		}
	}
	var medians []float64
	for _, s := range all {
		medians = append(medians, s.Median())
	}
	limit, own := limitOf(medians[:len(limits)]), medians[len(limits)]
	b.ReportMetric(0, "ns/op") // the time of all together means nothing
	b.ReportMetric(limit/own, "of-limit")
	b.ReportMetric(own/1e3, "µs")
	if bytes > 1<<20 {
		b.ReportMetric(float64(bytes)/own, "GB/s")
		b.ReportMetric(float64(bytes)/limit, "limit-GB/s")
	}
}

// upload returns buffers for a call of n elements.
func upload(b *testing.B, backend compute.Backend, n int) (y, x compute.Buffer) {
	b.Helper()
	v := values.Normal(n, 1)
	y, err := backend.Upload(v)
	must(b, err)
	x, err = backend.Upload(v)
	must(b, err)
	b.Cleanup(func() { y.Release(); x.Release() })
	return y, x
}

// BenchmarkKernel compares the kernels with the fastest copy of as many bytes.
func BenchmarkKernel(b *testing.B) {
	backend := open(b, gpu.Options{})
	r := openRaw(b, backend.Info())
	defer r.close()
	for _, n := range sizes(backend.Info()) {
		for _, fm := range []form.Form{form.Forward, form.Derivative} {
			b.Run(fm.String()+"/"+units.Count(n), func(b *testing.B) {
				r.b = b
				y, x := upload(b, backend, n)
				call := func() {
					must(b, fm.Run(backend, function, form.Args{X: x, Y: y, D: y}))
					must(b, backend.Sync())
				}
				own := func() {
					must(b, backend.Copy(y, x))
					must(b, backend.Sync())
				}
				versus(b, 8*n, fastest, call, append(r.copies(n), own)...)
			})
		}
	}
}

// BenchmarkLaunch compares a small call and Sync with enqueueing a kernel and clFinish,
// with the binding alone.
func BenchmarkLaunch(b *testing.B) {
	backend := open(b, gpu.Options{})
	r := openRaw(b, backend.Info())
	defer r.close()
	for _, n := range []int{16, 1 << 10} {
		b.Run(units.Count(n), func(b *testing.B) {
			r.b = b
			y, x := upload(b, backend, n)
			call := func() {
				must(b, backend.Forward(function, y, x))
				must(b, backend.Sync())
			}
			dst, src := r.buffer(n, cl.MemReadWrite), r.buffer(n, cl.MemReadWrite)
			versus(b, 8*n, fastest, call, r.launch("launch", n, min(n, 256), dst, src, uint64(n), float32(0.01)))
		})
	}
}

// BenchmarkTransfer compares Write and Read with a plain transfer of the binding. On a
// device that shares the host's memory, it measures staged transfers too.
func BenchmarkTransfer(b *testing.B) {
	for _, staged := range []bool{false, true} {
		name := "shared"
		if staged {
			name = "staged"
		}
		b.Run(name, func(b *testing.B) {
			backend := open(b, gpu.Options{Staged: staged})
			if !staged && !backend.Info().SharedMemory {
				b.Skip("the device has memory of its own")
			}
			r := openRaw(b, backend.Info())
			defer r.close()
			for _, n := range []int{1 << 10, 1 << 20, 4 << 20, 64 << 20} {
				r.transfer(b, backend, n)
			}
		})
	}
}

// transfer is BenchmarkTransfer for n elements.
func (r *raw) transfer(b *testing.B, backend compute.Backend, n int) {
	host := values.Normal(n, 5)
	write := func(m *cl.MemObject) func() {
		return func() { r.done(r.queue.EnqueueWriteBuffer(m, true, 0, 4*n, unsafe.Pointer(&host[0]), nil)) }
	}
	b.Run("write/"+units.Count(n), func(b *testing.B) {
		r.b = b
		_, x := upload(b, backend, n)
		versus(b, 4*n, fastest, func() { must(b, x.Write(host)) }, write(r.buffer(n, cl.MemReadWrite)))
	})
	b.Run("read/"+units.Count(n), func(b *testing.B) {
		r.b = b
		_, x := upload(b, backend, n)
		m := r.buffer(n, cl.MemReadWrite)
		write(m)()
		versus(b, 4*n, fastest, func() { must(b, x.Read(host)) }, func() {
			r.done(r.queue.EnqueueReadBuffer(m, true, 0, 4*n, unsafe.Pointer(&host[0]), nil))
		})
	})
}

// BenchmarkStream compares Stream on shared memory with the kernel alone. With staging, it
// compares Stream with its stages, each measured by itself: copies of the host, upload,
// kernel, download.
func BenchmarkStream(b *testing.B) {
	const n, part = 64 << 20, 1 << 20
	src, dst := values.Normal(n, 1), values.Normal(n, 2)
	for _, staged := range []bool{false, true} {
		name := "shared"
		if staged {
			name = "staged"
		}
		b.Run(name, func(b *testing.B) {
			backend := open(b, gpu.Options{Staged: staged})
			if !staged && !backend.Info().SharedMemory {
				b.Skip("the device has memory of its own")
			}
			r := openRaw(b, backend.Info())
			defer r.close()
			y, x := upload(b, backend, n)
			kernel := func() {
				must(b, backend.Forward(function, y, x))
				must(b, backend.Sync())
			}
			call := func() {
				must(b, backend.Stream(context.Background(), compute.OpForward, function, dst, src))
			}
			if !staged {
				versus(b, 8*n, fastest, call, kernel)
				return
			}
			// The slowest stage is the limit. If the device is the host's cores, so is the sum of
			// all stages: each copy takes one core, the kernel all.
			slowest := func(times []float64) float64 {
				limit := slices.Max(times)
				if cores := float64(runtime.NumCPU()); backend.Info().Kind == "cpu" {
					b.ReportMetric(limit/1e3, "slowest-µs")
					limit = max(limit, times[0]+(times[1]+times[2]+times[3]+times[4])/cores)
				}
				return limit
			}
			versus(b, 8*n, slowest, call, append([]func(){kernel}, r.stages(dst, src, part)...)...)
		})
	}
}

// stages returns the stages of a pipeline without the kernel, each for all of src and dst
// in parts.
func (r *raw) stages(dst, src []float32, part int) []func() {
	host, device := r.buffer(part, cl.MemReadWrite|cl.MemAllocHostPtr), r.buffer(part, cl.MemReadWrite)
	mapped, event, err := r.queue.EnqueueMapBuffer(host, true, cl.MapFlagRead|cl.MapFlagWrite, 0, 4*part, nil)
	must(r.b, err)
	event.Release()
	staging := unsafe.Slice((*float32)(mapped.Ptr()), part)
	each := func(do func(from, to int)) func() {
		return func() {
			for from := 0; from < len(src); from += part {
				do(from, from+part)
			}
			must(r.b, r.queue.Finish())
		}
	}
	enqueued := func(event *cl.Event, err error) {
		must(r.b, err)
		event.Release()
	}
	return []func(){
		each(func(from, to int) { copy(staging, src[from:to]) }),
		each(func(int, int) {
			enqueued(r.queue.EnqueueWriteBuffer(device, false, 0, 4*part, mapped.Ptr(), nil))
		}),
		each(func(int, int) {
			enqueued(r.queue.EnqueueReadBuffer(device, false, 0, 4*part, mapped.Ptr(), nil))
		}),
		each(func(from, to int) { copy(dst[from:to], staging) }),
	}
}
