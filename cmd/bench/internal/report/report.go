// Package report is what a run of the benchmark found out, and how it is written for
// people and for other programs. Times are in ns, sizes in elements of float32, GB/s
// are 1e9 bytes per second.
package report

import (
	"fmt"
	"strings"
	"time"
)

// A Report is one run: of which machine, with which inputs, and what it measured. It
// is what -json writes.
type Report struct {
	Schema      int         `json:"schema"`  // Version
	Time        time.Time   `json:"time"`    // of the start
	Command     []string    `json:"command"` // the arguments, the program first
	Interrupted bool        `json:"interrupted,omitempty"`
	Environment Environment `json:"environment"`
	Devices     []Device    `json:"devices"`    // those measured, in that order
	Notes       []string    `json:"notes"`      // what was not measured, and why
	Activation  string      `json:"activation"` // as "LeakyReLU(negative_slope=0.01)"
	Slope       float32     `json:"slope"`
	Input       string      `json:"input"`     // a distribution, or the name of a file
	Precision   float64     `json:"precision"` // the half-width of the interval to be reached, as a part of the median
	Results     []Result    `json:"results"`   // in the order measured
	Answers     []Answer    `json:"answers"`   // of Answers, when all is measured
}

// Version is the Schema of this package.
const Version = 1

// Environment is the machine and the program.
type Environment struct {
	Go       string   `json:"go"` // as "go1.26.0"
	OS       string   `json:"os"`
	Arch     string   `json:"arch"`
	CPU      string   `json:"cpu"`    // its name
	Cores    int      `json:"cores"`  // logical ones that the program may use
	Caches   Caches   `json:"caches"` // of the CPU
	Memory   int64    `json:"memory"` // that the program can have, in bytes; 0 if not known
	Commit   string   `json:"commit"` // of the source; "" if not known; with "+" if it was changed since
	OpenCL   bool     `json:"opencl"` // built in
	Loader   string   `json:"loader"` // the file of the OpenCL loader in use; "" if none or not known
	Drivers  []string `json:"drivers"`
	Settings []string `json:"settings"` // environment variables that have a say, as "NAME=value"
}

// Caches are sizes in bytes, 0 if not known. L1 and L2 are those of one core.
type Caches struct {
	L1 int `json:"l1"`
	L2 int `json:"l2"`
	L3 int `json:"l3"`
}

// String returns the caches that are known: "L1 32 KiB, L3 32 MiB".
func (c Caches) String() string {
	var known []string
	for _, cache := range []struct {
		name  string
		bytes int
	}{{"L1", c.L1}, {"L2", c.L2}, {"L3", c.L3}} {
		switch {
		case cache.bytes >= 1<<20:
			known = append(known, fmt.Sprintf("%s %.4g MiB", cache.name, float64(cache.bytes)/(1<<20)))
		case cache.bytes > 0:
			known = append(known, fmt.Sprintf("%s %.4g KiB", cache.name, float64(cache.bytes)/(1<<10)))
		}
	}
	if known == nil {
		return "not known"
	}
	return strings.Join(known, ", ")
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
	LaunchNS          float64 `json:"launch_ns"` // median time of a copy of one element, waited for
	// Members are the names of the devices of which a Shard was made; none of another backend.
	Members []string `json:"members,omitempty"`
}

// What a note begins with that says why an OpenCL device is not among the Devices.
const (
	NotMeasured = "not measured: gpu: "
	NotListed   = "not listed: gpu: "
)

// Where the data of a measurement begins and ends.
const (
	OnDevice = "device" // in buffers of the device
	OnHost   = "host"   // in slices: the way to the device and back is part of the time
)

// What the caches hold of the data of a measurement.
const (
	Cold = "cold" // nothing: buffers take turns, more than the last cache holds, or one is more
	Warm = "warm" // what fits: every call has the same buffers, smaller than the last cache
)

// The operations of a Result that are limits, beside those of the kernels.
const (
	Copy     = "copy"     // from buffer to buffer, in the way the kernels move data
	Upload   = "upload"   // from a slice to a buffer
	Download = "download" // from a buffer to a slice
	Transfer = "transfer" // an upload and a download, one after the other
)

// A Result is one measurement.
type Result struct {
	Device       string    `json:"device"` // Device.Name
	Op           string    `json:"op"`     // forward, derivative, backward, or a limit: Copy, Upload, Download, Transfer
	Data         string    `json:"data"`   // OnDevice or OnHost
	Cache        string    `json:"cache"`  // Cold or Warm
	N            int       `json:"n"`      // elements
	Bytes        int       `json:"bytes"`  // that must move in one call
	Calls        int       `json:"calls"`  // in a run
	MedianNS     float64   `json:"median_ns"`
	MinNS        float64   `json:"min_ns"`
	P95NS        float64   `json:"p95_ns"`
	LowNS        float64   `json:"low_ns"`         // the interval that holds the median
	HighNS       float64   `json:"high_ns"`        // with Confidence
	EventNS      float64   `json:"event_ns"`       // what the events of the device say of one call: the mean of some; 0 if they say nothing
	EventClockNS float64   `json:"event_clock_ns"` // what the clock says of the same calls, which do not wait for one another
	GBps         float64   `json:"gbps"`           // Bytes by MedianNS
	Limit        string    `json:"limit"`          // the operation that this one is compared with, on the same device, size and cache; "" for a limit
	OfLimit      float64   `json:"of_limit"`       // the time that the limit takes for as many bytes, a launch apart, as a fraction of MedianNS; 0 if there is none
	Verified     bool      `json:"verified"`       // every bit of what the last run left was right
	Doubts       []string  `json:"doubts"`         // why the figure is not to be believed; none if it is
	TimesNS      []float64 `json:"times_ns"`       // of one call, for every run, in the order made
}

// Runs returns the number of timed runs.
func (r Result) Runs() int { return len(r.TimesNS) }

// An Answer says from which size on an OpenCL device, or a Shard, beats the CPU at an
// operation.
type Answer struct {
	Device string `json:"device"` // the other than the CPU
	CPU    string `json:"cpu"`    // its name
	Op     string `json:"op"`
	Data   string `json:"data"`   // OnDevice or OnHost; on the CPU there is no way between them
	Cache  string `json:"cache"`  // Cold or Warm
	FromN  int    `json:"from_n"` // the least size measured from which on it beats the CPU at all sizes measured; 0 is never
	SizesN []int  `json:"sizes"`  // the sizes at which both were measured, ascending
}
