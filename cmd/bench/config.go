package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/values"
)

const usage = `Usage: bench [flags]
       bench devices   list the OpenCL devices, test each, and find drivers that
                       crash or hang (bench devices -h)

Measures forward, derivative and backward of LeakyReLU on the CPU and on every
GPU, and verifies each result bit by bit against the reference.

  -backend NAME   measure only cpu or only opencl
  -device MATCH   measure this OpenCL device: its index in the list, a part of
                  its name, vendor or platform, or any (also a CPU-type one)
  -op LIST        of forward,derivative,backward (all)
  -n LIST         elements, as 1024,64Ki,1Mi (1Ki to 64Mi)
  -runs N         timed runs of each (15); reported are the median and minimum
  -slope S        the negative slope (0.01)
  -dist NAME      input values: normal, uniform in [-1,1), or bits: any pattern,
                  NaN and infinities too (normal)
  -input FILE     measure on this NumPy file of float32 (.npy) instead; the
                  gradient of backward is then the same values in reverse order
  -output FILE    write what was computed from -input, with its shape; needs
                  -backend, and -op with one name (forward)
  -timeout T      leave OpenCL alone if its drivers have listed no devices after
                  so long (20s)
  -json FILE      write all results as a JSON array; - is standard output, and
                  the table then goes to standard error

  bench                                  every device there is
  bench -device any -n 16Mi -op forward  the CPU, and any OpenCL device
  bench -backend cpu -input x.npy -output y.npy

GB/s are 1e9 bytes that must move in a second: 8 per element for forward,
derivative and copy, 12 for backward, 4 for upload and download, by the median
time. The copy, from buffer to buffer, is the limit: the others are told as a part
of its speed too, all of one size taking turns.
Exit code: 0 all verified, 1 a result is wrong, 2 wrong usage or file, 3 a
backend or device cannot be used.
`

// config is what the command line asks for.
type config struct {
	backend    string // "", "cpu" or "opencl"
	device     string // "" if none is named
	ops        []string
	sizes      []int // elements
	sizesAsked bool  // by -n or -input
	runs       int
	slope      float32
	dist       string
	input      string
	output     string
	json       string
	timeout    time.Duration // for a driver, in a child
}

// defaultTimeout is long, since there are drivers that compile for seconds.
const defaultTimeout = 20 * time.Second

var errTimeout = errors.New("-timeout should be more than 0, as 20s or 1m")

// distributions are the inputs that -dist knows.
var distributions = map[string]func(n int, seed uint64) []float32{
	"normal":  values.Normal,
	"uniform": values.Uniform,
	"bits":    values.Bits,
}

func parse(args []string) (config, error) {
	c := config{slope: compute.DefaultNegativeSlope}
	for n := 1 << 10; n <= 64<<20; n *= 4 {
		c.sizes = append(c.sizes, n)
	}
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.SetOutput(io.Discard) // the caller prints the error
	fs.StringVar(&c.backend, "backend", "", "")
	fs.StringVar(&c.device, "device", "", "")
	fs.Func("op", "", func(s string) (err error) { c.ops, err = parseOps(s); return err })
	fs.Func("n", "", func(s string) (err error) { c.sizes, err = parseSizes(s); return err })
	fs.IntVar(&c.runs, "runs", 15, "")
	fs.Func("slope", "", func(s string) error {
		v, err := strconv.ParseFloat(s, 32)
		c.slope = float32(v)
		return err
	})
	fs.StringVar(&c.dist, "dist", "normal", "")
	fs.StringVar(&c.input, "input", "", "")
	fs.StringVar(&c.output, "output", "", "")
	fs.StringVar(&c.json, "json", "", "")
	fs.DurationVar(&c.timeout, "timeout", defaultTimeout, "")
	if err := fs.Parse(args); err != nil {
		return c, err
	}
	set := map[string]bool{}
	fs.Visit(func(f *flag.Flag) { set[f.Name] = true })
	c.sizesAsked = set["n"] || set["input"]
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
		return c, fmt.Errorf("-device is empty; give an index, a part of a name, or any")
	case c.runs < 1 || c.runs > maxRuns:
		return c, fmt.Errorf("-runs is %d and should be between 1 and %d", c.runs, maxRuns)
	case c.timeout <= 0:
		return c, errTimeout
	case distributions[c.dist] == nil:
		return c, fmt.Errorf("-dist is %q and should be normal, uniform or bits", c.dist)
	case c.input != "" && (set["n"] || set["dist"]):
		return c, fmt.Errorf("-input gives the values and their number; leave out -n and -dist")
	case c.output != "" && c.input == "":
		return c, fmt.Errorf("-output needs -input")
	case c.output != "" && c.backend == "":
		return c, fmt.Errorf("-output needs -backend cpu or -backend opencl, since it holds the result of one")
	case c.output != "" && len(c.ops) > 1:
		return c, fmt.Errorf("-output holds one result, but -op names %d", len(c.ops))
	case c.output == "-":
		return c, fmt.Errorf("-output needs a file; only -json can be - for standard output")
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

const (
	maxRuns = 1_000_000
	maxSize = 1 << 42 // elements, 16 TiB of float32
)

func parseSizes(list string) ([]int, error) {
	var sizes []int
	for text := range strings.SplitSeq(list, ",") {
		digits, unit := text, int64(1)
		for suffix, factor := range map[string]int64{"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30} {
			if d, ok := strings.CutSuffix(text, suffix); ok {
				digits, unit = d, factor
			}
		}
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || n < 1 || n > maxSize/unit || n*unit > int64(^uint(0)>>1)/4 {
			return nil, fmt.Errorf("%q is no number of elements, such as 1024, 64Ki or 16Mi", text)
		}
		sizes = append(sizes, int(n*unit))
	}
	return sizes, nil
}
