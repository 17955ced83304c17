package cpu

import (
	"fmt"
	"runtime"
	"time"

	"github.com/gmind-go/compute"
)

// Options choose how many cores a backend uses and how it waits for work. The zero
// Options are the defaults, which the function Open uses. The method Open is a compute.Opener:
//
//	compute.Open(gpu.Open, cpu.Options{Threads: 4}.Open)
type Options struct {
	// Threads is the largest number of goroutines that compute one call: the caller and
	// its workers. 0 means GOMAXPROCS at the time of the call, which is the limit for
	// other values too; 1 means no workers. Workers work on one call at a time; calls that
	// are made meanwhile are computed by their callers.
	//
	// On Linux, a worker that wakes up on the core of the goroutine that woke it moves to
	// another core: it calls sched_setaffinity for its thread, and again to restore the
	// cores that the thread may use. A change of the thread's affinity from outside in
	// between is lost. With Threads 1 this never happens.
	Threads int

	// Spin is how long an idle worker waits for the next call, using its core, before it
	// sleeps: calls in a row then start faster. 0 means a millisecond, a negative value no
	// time, and the largest value is a second. Only calls that take one core 80 µs or more
	// wake a worker that sleeps; the caller computes shorter ones.
	Spin time.Duration
}

const (
	defaultSpin = time.Millisecond
	maxSpin     = time.Second
)

// Open returns the CPU backend, with the best instruction set that the processor has. It
// fails only for options that are out of range; that error does not wrap
// compute.ErrUnavailable, so that compute.Open returns it.
func (o Options) Open() (compute.Backend, error) {
	if o.Threads < 0 {
		return nil, fmt.Errorf("cpu: open: Options.Threads is %d; give 1 or more, or 0 for GOMAXPROCS", o.Threads)
	}
	if o.Spin > maxSpin {
		return nil, fmt.Errorf("cpu: open: Options.Spin is %v; give %v at most, 0 for %v, or a negative time for none", o.Spin, maxSpin, defaultSpin)
	}
	return o.open(instructionSets()[0]), nil
}

// cores returns how many goroutines may compute one call.
func (o Options) cores() int {
	procs := runtime.GOMAXPROCS(0)
	if o.Threads > 0 {
		return min(o.Threads, procs)
	}
	return procs
}

// spin returns how long an idle worker spins before it parks.
func (o Options) spin() time.Duration {
	if o.Spin == 0 {
		return defaultSpin
	}
	return max(o.Spin, 0)
}
