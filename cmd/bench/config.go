package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cmd/bench/internal/report"
	"github.com/gmind-go/compute/internal/host"
)

const usage = `Usage: bench [flags]                     measure
       bench devices                     what can be used here, and why not
       bench compare OLD.json NEW.json   what has become slower

Measures forward, derivative and backward of LeakyReLU on the CPU and on every
GPU, beside the copies that limit them, and verifies the results bit by bit.

  -backend NAME   measure only cpu or only opencl
  -device MATCH   measure this OpenCL device: its index in bench devices, a part
                  of its name, vendor or platform, or any (also a CPU-type one);
                  all: every one, of any type, and a Shard of them
  -op LIST        of forward,derivative,backward (all)
  -n LIST         elements, as 1024,64Ki,1Mi (1Ki to 64Mi)
  -input WHAT     normal, uniform, positive, negative, subnormal, bits (any
                  pattern), or a NumPy file of float32, as x.npy (normal)
  -slope S        the negative slope (0.01)
  -cache STATE    cold, warm or both: whether buffers that fit the last cache
                  take turns, so that it does not have them (cold)
  -precision P    measure until the median is known so well (2%) ...
  -time T         ... or for so long, each (500ms) ...
  -runs N         ... or in so many runs (100)
  -timeout T      leave OpenCL alone if drivers list nothing for so long (20s)
  -output FILE    the result for -input x.npy; takes -backend, and one -op (the
                  dy of backward is x in reverse order)
  -json, -csv, -benchfmt, -html FILE   all results; - is standard output
  -plot FILE      GB/s by size, as .svg or .png

  bench                                    every device there is
  bench -device any -n 16Mi -html r.html   with any OpenCL device, as a page
  bench -backend cpu -input x.npy -output y.npy

Exit code: 0 all is verified; 1 a result is wrong, or compare finds something
slower; 2 wrong usage or file; 3 a device cannot be used; 130 interrupted.
`

// config is what the command line asks for.
type config struct {
	backend    string // "", "cpu" or "opencl"
	device     string // "" if none is named
	ops        []string
	sizes      []int // elements
	sizesAsked bool  // by -n or -input
	input      string
	slope      float32
	caches     []string // report.Cold, report.Warm or both
	precision  float64
	time       time.Duration // of one measurement
	runs       int           // of one measurement, at most
	timeout    time.Duration // for a driver, in a child
	output     string
	outputs    []output
	available  func() int64    // returns the bytes of memory that can be used
	mapped     func(int) error // asks the system for them: see the function mapped
}

// defaultTimeout is long, since there are drivers that compile for seconds.
const defaultTimeout = 20 * time.Second

// flags returns the flags, which set c, and makes c what it is without any.
func (c *config) flags() *flag.FlagSet {
	*c = config{
		slope: compute.DefaultNegativeSlope, caches: []string{report.Cold},
		precision: 0.02, time: 500 * time.Millisecond, runs: maxRunsByDefault, timeout: defaultTimeout,
		outputs: newOutputs(), available: host.Available, mapped: mapped,
	}
	for n := 1 << 10; n <= 64<<20; n *= 4 {
		c.sizes = append(c.sizes, n)
	}
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.SetOutput(io.Discard) // the caller prints the error
	fs.StringVar(&c.backend, "backend", "", "")
	fs.StringVar(&c.device, "device", "", "")
	fs.Func("op", "", func(s string) (err error) { c.ops, err = parseOps(s); return err })
	fs.Func("n", "", func(s string) (err error) { c.sizes, err = parseSizes(s); return err })
	fs.StringVar(&c.input, "input", "normal", "")
	fs.Func("slope", "", func(s string) (err error) { c.slope, err = parseSlope(s); return err })
	fs.Func("cache", "", func(s string) (err error) { c.caches, err = parseCaches(s); return err })
	fs.Func("precision", "", func(s string) (err error) { c.precision, err = parsePart(s); return err })
	fs.Func("time", "", func(s string) (err error) { c.time, err = parseTime(s); return err })
	fs.Func("runs", "", func(s string) (err error) { c.runs, err = parseRuns(s); return err })
	fs.Func("timeout", "", func(s string) (err error) { c.timeout, err = parseTime(s); return err })
	fs.StringVar(&c.output, "output", "", "")
	for i := range c.outputs {
		fs.StringVar(&c.outputs[i].name, c.outputs[i].flag, "", "")
	}
	return fs
}

func parse(args []string) (c config, err error) {
	fs := c.flags()
	if err := fs.Parse(args); err != nil {
		return c, err
	}
	set := map[string]bool{}
	fs.Visit(func(f *flag.Flag) { set[f.Name] = true })
	file := inputs[c.input] == nil
	c.sizesAsked = set["n"] || file
	if err := compute.LeakyReLU(c.slope).Validate(); err != nil {
		return c, fmt.Errorf("-slope: %w", err)
	}
	switch {
	case fs.NArg() > 0:
		return c, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	case set["backend"] && c.backend != "cpu" && c.backend != "opencl":
		return c, fmt.Errorf("-backend is %q and should be cpu or opencl", c.backend)
	case c.backend == "cpu" && set["device"]:
		return c, fmt.Errorf("-device names an OpenCL device, but -backend is cpu")
	case set["device"] && c.device == "":
		return c, fmt.Errorf("-device is empty; give an index, a part of a name, any, or all")
	case file && set["n"]:
		return c, fmt.Errorf("-input %s gives the values and their number; leave out -n", c.input)
	case c.output != "" && !file:
		return c, fmt.Errorf("-output needs a file as -input")
	case c.output != "" && c.backend == "":
		return c, fmt.Errorf("-output needs -backend cpu or -backend opencl, since it holds the result of one")
	case c.output != "" && len(c.ops) > 1:
		return c, fmt.Errorf("-output holds one result, but -op names %d", len(c.ops))
	case c.output == "-":
		return c, fmt.Errorf("-output needs a file; it cannot be - for standard output")
	}
	if err := checkOutputs(c.outputs); err != nil {
		return c, err
	}
	if len(c.ops) == 0 {
		c.ops = opNames()
		if c.output != "" {
			c.ops = c.ops[:1]
		}
	}
	return c, nil
}

func parseOps(list string) ([]string, error) {
	var ops []string
	for name := range strings.SplitSeq(list, ",") {
		if !slices.Contains(opNames(), name) {
			return nil, fmt.Errorf("%q is none of %s", name, strings.Join(opNames(), ", "))
		}
		if !slices.Contains(ops, name) {
			ops = append(ops, name)
		}
	}
	return ops, nil
}

func parseCaches(s string) ([]string, error) {
	switch s {
	case report.Cold, report.Warm:
		return []string{s}, nil
	case "both":
		return []string{report.Cold, report.Warm}, nil
	}
	return nil, fmt.Errorf("%q is none of cold, warm, both", s)
}

// parsePart reads a part of 1, as 2% or 0.02.
func parsePart(s string) (float64, error) {
	digits, percent := strings.CutSuffix(s, "%")
	v, err := strconv.ParseFloat(digits, 64)
	if percent {
		v /= 100
	}
	if err != nil || !(v > 0 && v < 1) {
		return 0, errors.New("should be a part of 1, such as 2% or 0.02")
	}
	return v, nil
}

const (
	maxRuns = 1_000_000
	maxSize = 1 << 42 // elements, 16 TiB of float32
)

func parseSizes(list string) ([]int, error) {
	var sizes []int
	for text := range strings.SplitSeq(list, ",") {
		n, err := parseSize(text)
		if err != nil {
			return nil, fmt.Errorf("%q %w", text, err)
		}
		if !slices.Contains(sizes, n) {
			sizes = append(sizes, n)
		}
	}
	slices.Sort(sizes)
	return sizes, nil
}

// parseSize reads a number of elements, as 1024, 64Ki or 16Mi. The error follows the text.
func parseSize(text string) (int, error) {
	suffix := strings.TrimLeft(text, "0123456789")
	digits := strings.TrimSuffix(text, suffix)
	unit, ok := map[string]int64{"": 1, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}[suffix]
	if digits == "" {
		return 0, errors.New("is not a number of elements, such as 1024, 64Ki or 16Mi")
	}
	if !ok {
		return 0, errors.New("should be digits alone, or followed by Ki, Mi or Gi")
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	most := min(maxSize, int64(math.MaxInt/4))
	switch {
	case err != nil || n > most/unit:
		return 0, fmt.Errorf("is too large; the most is %s", report.Elements(int(most)))
	case n == 0:
		return 0, errors.New("should be 1 or more")
	}
	return int(n * unit), nil
}

func parseSlope(text string) (float32, error) {
	v, err := strconv.ParseFloat(text, 32)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, errors.New("is more than a float32 holds")
	case err != nil:
		return 0, errors.New("is not a number, such as 0.01")
	}
	return float32(v), nil
}

// parseTime reads a duration above 0.
func parseTime(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if _, number := strconv.ParseFloat(text, 64); number == nil && d == 0 && err != nil {
		return 0, fmt.Errorf("needs a unit, as %ss or %sms", text, text)
	}
	if err != nil || d <= 0 {
		return 0, errors.New("should be a time above 0, such as 500ms, 20s or 1m")
	}
	return d, nil
}

func parseRuns(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxRuns {
		return 0, fmt.Errorf("should be a whole number between 1 and %d", maxRuns)
	}
	return n, nil
}
