package main

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cmd/bench/internal/command"
	"github.com/gmind-go/compute/cmd/bench/internal/doctor"
	"github.com/gmind-go/compute/cmd/bench/internal/report"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/host"
	"github.com/gmind-go/compute/internal/units"
)

const usage = `Usage: bench [flags]                     measure
       bench devices                     list what can be used, and why not
       bench compare OLD.json NEW.json   list what has become slower

Measures forward, derivative and backward of LeakyReLU, or of other functions,
or any program, on the CPU and on every GPU, and the copies that limit them, and
verifies the results.

  -backend NAME   measure only cpu or only opencl
  -device MATCH   measure this OpenCL device: its index in bench devices, a part
                  of its name, vendor or platform, or any (also a CPU-type one);
                  all: every one, of any type, and a Shard of them
  -op LIST        of forward,derivative,backward (all; none with -program alone)
                  and sum, of all elements; matmul, of square matrices with as
                  many; step, a whole step of training with such matrices
  -f LIST         of functions, such as sigmoid,'elu(1.5)', or all
  -program TEXT   a function of your own: a program of package expr, such as
                  'f(x, s) = x*abs(s*x)', or a Go function; may be repeated
  -scalars LIST   arguments of programs that are scalars, such as s=0.01,n=7; of
                  type uint32 all are (1); others are buffers, and bools masks
  -n LIST         numbers of elements, such as 1024,64Ki,1Mi (1Ki to 64Mi)
  -input WHAT     normal, uniform, positive, negative, subnormal, bits (any
                  pattern), or a NumPy file of float32, such as x.npy (normal)
  -slope S        the negative slope (0.01)
  -cache STATE    cold, warm or both: cold rotates buffers that fit in the
                  last-level cache, so that they are not there (cold)
  -precision P    measure until the median is known this well (2%) ...
  -time T         ... or for this long, each (500ms) ...
  -runs N         ... or in this many runs (100)
  -timeout T      ignore OpenCL if drivers take longer to list devices (20s)
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
	functions  []compute.Activation // of -f
	texts      []*expr.Program      // of -program
	scalars    []scalar             // of -scalars
	programs   []program            // those of functions, then texts with scalars
	sizes      []int                // numbers of elements, ascending
	sizesAsked bool                 // by -n or -input
	input      string
	slope      float32
	caches     []string // report.Cold, report.Warm or both
	precision  float64
	time       time.Duration // of one measurement
	runs       int           // of one measurement, at most
	timeout    time.Duration // for listing the OpenCL devices
	output     string
	outputs    []output
	available  func() int64                // returns the available memory in bytes
	mapped     func(total, need int) error // see mapped
}

// newConfig returns the defaults.
func newConfig() *config {
	c := &config{
		input: "normal", slope: compute.DefaultNegativeSlope, caches: []string{report.Cold},
		precision: 0.02, time: 500 * time.Millisecond, runs: defaultRuns, timeout: doctor.DefaultTimeout,
		outputs: newOutputs(), available: host.Available, mapped: mapped,
	}
	for n := 1 << 10; n <= 64<<20; n *= 4 {
		c.sizes = append(c.sizes, n)
	}
	return c
}

// flags defines the flags, which set c.
func (c *config) flags(fs *flag.FlagSet) {
	fs.Func("backend", "", func(s string) (err error) { c.backend, err = oneOf(s, "cpu", "opencl"); return err })
	fs.Func("device", "", func(s string) (err error) { c.device, err = parseDevice(s); return err })
	fs.Func("op", "", func(s string) (err error) { c.ops, err = parseOps(s); return err })
	fs.Func("f", "", func(s string) (err error) { c.functions, err = parseFunctions(s); return err })
	fs.Func("program", "", func(s string) error {
		p, err := parseProgram(s)
		c.texts = append(c.texts, p)
		return err
	})
	fs.Func("scalars", "", func(s string) (err error) { c.scalars, err = parseScalars(s); return err })
	fs.Func("n", "", func(s string) (err error) {
		c.sizes, err = units.ParseCounts(s, maxSize)
		c.sizesAsked = true
		return err
	})
	fs.StringVar(&c.input, "input", c.input, "")
	fs.Func("slope", "", func(s string) (err error) { c.slope, err = parseSlope(s); return err })
	fs.Func("cache", "", func(s string) (err error) { c.caches, err = parseCaches(s); return err })
	fs.Func("precision", "", func(s string) (err error) { c.precision, err = parsePrecision(s); return err })
	fs.Func("time", "", func(s string) (err error) { c.time, err = command.ParseTime(s); return err })
	fs.Func("runs", "", func(s string) (err error) { c.runs, err = parseRuns(s); return err })
	fs.Func("timeout", "", func(s string) (err error) { c.timeout, err = command.ParseTime(s); return err })
	fs.StringVar(&c.output, "output", "", "")
	for i := range c.outputs {
		fs.StringVar(&c.outputs[i].name, c.outputs[i].flag, "", "")
	}
}

// check checks the flags together, and sets what follows from them.
func (c *config) check(args []string) (err error) {
	file := inputs[c.input] == nil
	switch {
	case len(args) > 0:
		return fmt.Errorf("unexpected argument %q", args[0])
	case c.backend == "cpu" && c.device != "":
		return errors.New("-device names an OpenCL device, but -backend is cpu")
	case file && c.sizesAsked:
		return fmt.Errorf("-input %s gives the values and their number; leave out -n", c.input)
	case c.output != "" && !file:
		return errors.New("-output needs a file as -input")
	case c.output != "" && c.backend == "":
		return errors.New("-output needs -backend cpu or -backend opencl, since it holds the result of one")
	case c.output != "" && len(c.ops) > 1:
		return fmt.Errorf("-output holds one result, but -op names %d", len(c.ops))
	case c.output != "" && len(c.ops) == 1 && !slices.Contains(opNames(), c.ops[0]):
		return fmt.Errorf("-output holds a result for each value, and %s has none; use -op %s", c.ops[0], strings.Join(opNames(), " or "))
	case c.output == "-":
		return errors.New("-output needs a file; it cannot be - for standard output")
	case c.output != "" && c.texts != nil:
		return errors.New("-output holds the result of an operation; leave out -program")
	case c.output != "" && c.functions != nil:
		return errors.New("-output holds the result of an operation of LeakyReLU; leave out -f")
	}
	if c.programs, err = newPrograms(c.texts, c.scalars); err != nil {
		return err
	}
	if c.functions != nil {
		ops := c.ops
		if len(ops) == 0 {
			ops = opNames()
		}
		list, err := functionPrograms(c.functions, ops)
		switch {
		case err != nil:
			return err
		case len(list) == 0:
			return fmt.Errorf("-f names functions, but -op none of their operations, which are %s", strings.Join(opNames(), ", "))
		}
		c.ops = slices.DeleteFunc(slices.Clone(c.ops), func(op string) bool { return slices.Contains(opNames(), op) })
		c.programs = append(list, c.programs...)
	}
	c.sizesAsked = c.sizesAsked || file
	if len(c.ops) == 0 && c.programs == nil {
		c.ops = opNames()
		if c.output != "" {
			c.ops = c.ops[:1]
		}
	}
	return checkNames(c.outputs)
}

// oneOf parses one of choices.
func oneOf(s string, choices ...string) (string, error) {
	if !slices.Contains(choices, s) {
		return "", fmt.Errorf("should be %s", strings.Join(choices, " or "))
	}
	return s, nil
}

func parseDevice(s string) (string, error) {
	if s == "" {
		return "", errors.New("should be an index, a part of a name, any, or all")
	}
	return s, nil
}

func parseOps(list string) (ops []string, err error) {
	for s := range strings.SplitSeq(list, ",") {
		op, err := oneOf(s, append(opNames(), linearNames()...)...)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(ops, op) {
			ops = append(ops, op)
		}
	}
	return ops, nil
}

func parseCaches(s string) ([]string, error) {
	if s == "both" {
		return []string{report.Cold, report.Warm}, nil
	}
	cache, err := oneOf(s, report.Cold, report.Warm, "both")
	return []string{cache}, err
}

// parseFraction parses a fraction of at least 0, such as 5% or 0.05.
func parseFraction(text string) (float64, error) {
	number, isPercent := strings.CutSuffix(text, "%")
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if isPercent {
		v /= 100
	}
	// 5 is likely to mean 5%.
	if err != nil || !(v >= 0) || math.IsInf(v, 0) || !isPercent && v >= 1 {
		return 0, errors.New("should be a fraction such as 5% or 0.05")
	}
	return v, nil
}

func parsePrecision(text string) (float64, error) {
	v, err := parseFraction(text)
	if err == nil && (v == 0 || v >= 1) {
		err = errors.New("should be above 0% and below 100%")
	}
	return v, err
}

const (
	maxRuns = 1_000_000
	maxSize = min(1<<42, math.MaxInt/4) // elements, 16 TiB of float32
)

func parseSlope(text string) (float32, error) {
	v, err := strconv.ParseFloat(text, 32)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, errors.New("is more than a float32 holds")
	case err != nil:
		return 0, errors.New("is not a number, such as 0.01")
	}
	return float32(v), compute.LeakyReLU(float32(v)).Validate()
}

func parseRuns(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxRuns {
		return 0, fmt.Errorf("should be a whole number between 1 and %d", maxRuns)
	}
	return n, nil
}
