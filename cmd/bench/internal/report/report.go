// Package report holds the results of the benchmark, and writes them for people and for
// other programs. Times are in ns, sizes are numbers of float32 elements, and GB/s are 1e9
// bytes per second.
package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/gmind-go/compute/internal/units"
)

// A Report is one run of the benchmark: the machine, the parameters and the results. It is
// what -json writes.
type Report struct {
	Schema      int         `json:"schema"`  // Version
	Time        time.Time   `json:"time"`    // when the run started
	Command     []string    `json:"command"` // the program and its arguments
	Interrupted bool        `json:"interrupted,omitempty"`
	Environment Environment `json:"environment"`
	Devices     []Device    `json:"devices"`              // in the order measured
	Notes       []string    `json:"notes"`                // what was not measured, and why
	Activation  string      `json:"activation"`           // such as "LeakyReLU(negative_slope=0.01)"; "" if only programs are measured
	Slope       float32     `json:"slope"`                // of Activation
	Operations  []string    `json:"operations,omitempty"` // measured beside those of Activation and Programs
	Programs    []Program   `json:"programs,omitempty"`
	Input       string      `json:"input"`     // the name of a distribution or a file
	Precision   float64     `json:"precision"` // the requested half-width of the interval, as a fraction of the median
	Results     []Result    `json:"results"`   // in the order measured
	Answers     []Answer    `json:"answers"`   // of Ask, after all results
}

// A Program is a program that was measured. Op of its results is its name.
type Program struct {
	Name    string `json:"name"`
	Text    string `json:"text"`    // canonical, so that equal programs have equal texts
	Scalars string `json:"scalars"` // the arguments that are scalars, with their values, such as "s=0.01, n=7"
}

// String returns the program in one line, in which it is valid text too.
func (p Program) String() string {
	text := collapse(strings.ReplaceAll(strings.ReplaceAll(p.Text, "\n", "; "), "{; ", "{ "))
	if p.Scalars != "" {
		text += ", " + p.Scalars
	}
	return text
}

// maxSubjects is the number of names in a Subject at most.
const maxSubjects = 12

// Subject returns what was measured: the activation, and the names of the operations and the
// programs, of many only the first.
func (r *Report) Subject() string {
	var list []string
	if r.Activation != "" {
		list = append(list, r.Activation)
	}
	list = append(list, r.Operations...)
	for _, p := range r.Programs {
		list = append(list, p.Name)
	}
	if rest := len(list) - maxSubjects; rest > 0 {
		list = append(list[:maxSubjects], fmt.Sprintf("%d more", rest))
	}
	return strings.Join(list, ", ")
}

// Version is the Schema of this package.
const Version = 1

// Environment is the machine and the program.
type Environment struct {
	Go       string   `json:"go"` // such as "go1.26.0"
	OS       string   `json:"os"`
	Arch     string   `json:"arch"`
	CPU      string   `json:"cpu"`    // its name
	Cores    int      `json:"cores"`  // logical cores that the program may use
	Caches   Caches   `json:"caches"` // of the CPU
	Memory   int64    `json:"memory"` // bytes that the program may use; 0 if not known
	Commit   string   `json:"commit"` // of the source, with "+" if it was modified; "" if not known
	OpenCL   bool     `json:"opencl"` // whether it is built in
	Loader   string   `json:"loader"` // the file of the OpenCL loader; "" if none or not known
	Drivers  []string `json:"drivers"`
	Settings []string `json:"settings"` // environment variables that influence results, as "NAME=value"
}

// Caches are sizes in bytes, 0 if not known. L1 and L2 are those of one core.
type Caches struct {
	L1 int `json:"l1"`
	L2 int `json:"l2"`
	L3 int `json:"l3"`
}

type cache struct {
	name  string
	bytes int
}

func (c Caches) list() []cache { return []cache{{"L1", c.L1}, {"L2", c.L2}, {"L3", c.L3}} }

// String returns the caches that are known: "L1 32 KiB, L3 32 MiB".
func (c Caches) String() string {
	var known []string
	for _, cache := range c.list() {
		if cache.bytes > 0 {
			known = append(known, cache.name+" "+memory(int64(cache.bytes)))
		}
	}
	return cmp.Or(strings.Join(known, ", "), "not known")
}

// A Device is a backend that was measured.
type Device struct {
	Name              string  `json:"name"`    // compute.Info.Name, which Result.Device repeats; unique in a Report
	Backend           string  `json:"backend"` // cpu, opencl or shard
	Kind              string  `json:"kind"`    // cpu, gpu, accelerator
	Vendor            string  `json:"vendor"`
	Platform          string  `json:"platform"`
	Driver            string  `json:"driver"`
	Memory            int64   `json:"memory"`    // bytes
	MaxAlloc          int64   `json:"max_alloc"` // bytes
	SharedMemory      bool    `json:"shared_memory"`
	FlushesSubnormals bool    `json:"flushes_subnormals"`
	LaunchNS          float64 `json:"launch_ns"` // median time of a copy of one element and Sync
	// Members are the names of the devices of a Shard; nil for other backends.
	Members []string `json:"members,omitempty"`
}

// The beginnings of notes that give the reason why an OpenCL device is not among the Devices.
const (
	NotMeasured = "not measured: gpu: "
	NotListed   = "not listed: gpu: "
)

// Where the data of a measurement is.
const (
	OnDevice = "device" // in buffers of the device
	OnHost   = "host"   // in slices: the time includes transfers to the device and back
)

// What caches hold of the data of a measurement.
const (
	Cold = "cold" // nothing: buffers rotate, or exceed the last-level cache
	Warm = "warm" // everything: each call has the same buffers, which fit in the last-level cache
)

// The operations of a Result that are limits.
const (
	Copy     = "copy"     // from buffer to buffer, as kernels move data
	Upload   = "upload"   // from a slice to a buffer
	Download = "download" // from a buffer to a slice
	Transfer = "transfer" // an upload, then a download
	Peak     = "fma"      // fused multiply-adds without memory
)

// Sum is the operation that writes next to nothing.
const Sum = "sum"

// A Result is one measurement.
type Result struct {
	Device       string    `json:"device"` // Device.Name
	Op           string    `json:"op"`     // forward, derivative, backward, the name of a program, or a limit: Copy, Upload, Download, Transfer
	Data         string    `json:"data"`   // OnDevice or OnHost
	Cache        string    `json:"cache"`  // Cold or Warm
	N            int       `json:"n"`      // elements
	Bytes        int       `json:"bytes"`  // that one call must move
	Calls        int       `json:"calls"`  // in a run
	MedianNS     float64   `json:"median_ns"`
	MinNS        float64   `json:"min_ns"`
	P95NS        float64   `json:"p95_ns"`
	LowNS        float64   `json:"low_ns"`         // the confidence interval of the median
	HighNS       float64   `json:"high_ns"`        // at the level Confidence
	EventNS      float64   `json:"event_ns"`       // the mean time of one call by the events of the device; 0 if it has none
	EventClockNS float64   `json:"event_clock_ns"` // the mean time of the same calls by the clock; calls do not wait for each other
	GBps         float64   `json:"gbps"`           // Bytes / MedianNS
	Flop         float64   `json:"flop"`           // operations of one call, if these are its measure, and not Bytes, which is 0
	GFlops       float64   `json:"gflops"`         // Flop / MedianNS
	Limit        string    `json:"limit"`          // the operation that this one is compared with, on the same device, size and cache; "" for a limit
	OfLimit      float64   `json:"of_limit"`       // the time of the limit for as many bytes and one launch, as a fraction of MedianNS; 0 if there is no limit
	Verified     bool      `json:"verified"`       // every bit that was checked was right
	Doubts       []string  `json:"doubts"`         // why the result is implausible; empty if it is not
	TimesNS      []float64 `json:"times_ns"`       // the time of one call, for each run, in order
}

// Runs returns the number of timed runs.
func (r Result) Runs() int { return len(r.TimesNS) }

// An Answer is from which size on an OpenCL device, or a Shard, is faster than the CPU.
type Answer struct {
	Device string `json:"device"` // the OpenCL device or Shard
	CPU    string `json:"cpu"`    // the name of the CPU device
	Op     string `json:"op"`
	Data   string `json:"data"`   // of Device, OnDevice or OnHost; for the CPU it is always OnDevice
	Cache  string `json:"cache"`  // Cold or Warm
	FromN  int    `json:"from_n"` // the smallest measured size from which on it is faster at every measured size; 0 is never
	SizesN []int  `json:"sizes"`  // the sizes at which both were measured, ascending
}

// A key identifies what a Result measured.
type key struct {
	device, op string
	place      place
	n          int
}

func (r Result) key() key { return key{r.Device, r.Op, r.place(), r.N} }

// title returns the measurement in words.
func (r Result) title() string {
	return fmt.Sprintf("%s %s %s %s (%s)", r.Op, units.Count(r.N), r.Data, r.Cache, r.Device)
}

// find returns the first result with that key, or nil.
func (r *Report) find(k key) *Result {
	for i := range r.Results {
		if r.Results[i].key() == k {
			return &r.Results[i]
		}
	}
	return nil
}

// device returns the device called name, or a zero Device.
func (r *Report) device(name string) Device {
	for _, d := range r.Devices {
		if d.Name == name {
			return d
		}
	}
	return Device{}
}

// limits are the operations that others are compared with.
var limits = []string{Copy, Upload, Download, Transfer, Peak}

func isLimit(op string) bool { return slices.Contains(limits, op) }

// speed returns GB/s or, of operations that are measured by these, GFLOP/s.
func (r Result) speed() (v float64, unit string) {
	if r.Flop > 0 {
		return r.GFlops, "GFLOP/s"
	}
	return r.GBps, "GB/s"
}

// hasSpeed reports whether a result has a speed.
func (r Result) hasSpeed() bool {
	v, _ := r.speed()
	return v > 0 && !math.IsInf(v, 0)
}

// remarks returns why a result is doubtful.
func (r Result) remarks() []string {
	if r.Verified {
		return r.Doubts
	}
	return append([]string{"not verified"}, r.Doubts...)
}

func doubtful(r Result) bool { return len(r.remarks()) > 0 }
