package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/gmind-go/compute"
)

// A result is one measurement, as -json writes it.
type result struct {
	Backend  string  `json:"backend"`   // cpu or opencl
	Device   string  `json:"device"`    // compute.Info.Name
	Driver   string  `json:"driver"`    // compute.Info.Driver
	Op       string  `json:"op"`        // forward, derivative, backward, copy, upload or download
	N        int     `json:"n"`         // elements
	Bytes    int     `json:"bytes"`     // that must move
	Runs     int     `json:"runs"`      // timed
	MedianNS float64 `json:"median_ns"` // of one call, result complete
	MinNS    float64 `json:"min_ns"`
	GBps     float64 `json:"gbps"`              // 1e9 bytes per second, by the median
	OfCopy   float64 `json:"of_copy,omitempty"` // GBps as a fraction of that of the copy of as many elements
	Verified bool    `json:"verified"`          // every bit compared with the reference
	Slope    float32 `json:"slope"`
	Input    string  `json:"input"` // distribution or file
}

// report prints measurements as they come, and keeps them.
type report struct {
	w          io.Writer
	c          config
	input      string
	results    []result
	mismatches []string
	output     []byte // contents of the file of -output

	copyGBps float64 // of the device and size at hand; 0 if not known
}

// limit is the operation that the others are compared with: a copy that moves as
// many bytes as forward, in the same way.
const limit = "copy"

func newReport(w io.Writer, c config, in *input) *report {
	fmt.Fprintf(w, "\n%v, %s, %d runs each\n\n", compute.LeakyReLU(c.slope), in.name, c.runs)
	fmt.Fprintf(w, "%-10s  %8s  %10s  %10s  %7s  %7s  %s\n", "operation", "elements", "median", "min", "GB/s", "of copy", "device")
	return &report{w: w, c: c, input: in.name}
}

// add takes the sorted times, in ns, of one operation that moves so many bytes
// per element, and the first difference from the reference, or "".
func (r *report) add(info compute.Info, op string, bytes, n int, times []float64, mismatch string) {
	res := result{
		Backend: info.Backend, Device: info.Name, Driver: info.Driver,
		Op: op, N: n, Bytes: bytes * n, Runs: len(times),
		MedianNS: median(times), MinNS: times[0],
		Verified: mismatch == "", Slope: r.c.slope, Input: r.input,
	}
	res.GBps = float64(res.Bytes) / res.MedianNS
	if op == limit || len(r.results) == 0 || r.results[len(r.results)-1].N != n || r.results[len(r.results)-1].Device != res.Device {
		r.copyGBps = 0
	}
	if op == limit {
		r.copyGBps = res.GBps
	}
	ofCopy := ""
	if r.copyGBps > 0 && op != "upload" && op != "download" {
		res.OfCopy = res.GBps / r.copyGBps
		ofCopy = fmt.Sprintf("%.0f %%", 100*res.OfCopy)
	}
	r.results = append(r.results, res)
	verdict := ""
	if mismatch != "" {
		verdict = "  WRONG"
		r.mismatches = append(r.mismatches, fmt.Sprintf("%s on %s: %s", op, info.Name, mismatch))
	}
	fmt.Fprintf(r.w, "%-10s  %8s  %10s  %10s  %7.2f  %7s  %s%s\n", op, count(n), duration(res.MedianNS), duration(res.MinNS), res.GBps, ofCopy, info.Name, verdict)
}

func (r *report) note(format string, args ...any) { fmt.Fprintf(r.w, format+"\n", args...) }

// writeJSON makes the results, as one array, the contents of f.
func (r *report) writeJSON(f *outputFile) error {
	if f == nil {
		return nil
	}
	results := r.results
	if results == nil {
		results = []result{} // not null
	}
	data, err := json.MarshalIndent(results, "", "  ")
	if err != nil {
		return err
	}
	return f.replace(append(data, '\n'))
}

// count returns a number of elements with a binary unit where it is exact.
func count(n int) string {
	for _, unit := range []struct {
		size int
		name string
	}{{1 << 30, "Gi"}, {1 << 20, "Mi"}, {1 << 10, "Ki"}} {
		if n >= unit.size && n%unit.size == 0 {
			return fmt.Sprintf("%d%s", n/unit.size, unit.name)
		}
	}
	return fmt.Sprint(n)
}

// duration returns ns nanoseconds with three or more digits and a unit.
func duration(ns float64) string {
	for _, unit := range []struct {
		size time.Duration
		name string
	}{{time.Second, "s"}, {time.Millisecond, "ms"}, {time.Microsecond, "µs"}} {
		if v := ns / float64(unit.size); v >= 1 {
			return fmt.Sprintf("%.4g %s", v, unit.name)
		}
	}
	return fmt.Sprintf("%.4g ns", ns)
}
