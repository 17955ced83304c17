// Peers compares the speed of package compute on the CPU with that of alternatives: oneDNN,
// PyTorch, ONNX Runtime, numexpr, OpenBLAS, a plain Go loop, gonum, and other Go packages. The script run,
// which is "make bench-peers", installs and builds them. The flag -h prints the usage.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/gpu"
	"github.com/gmind-go/compute/internal/units"
	"github.com/gmind-go/compute/internal/values"
)

const usage = `Usage: internal/peers/run [flags]

Measures LeakyReLU, a program of ten operations, and functions such as exp, on
the CPU by this library and by others, in turns, on the same values, and prints
Markdown tables. Compares each result with the reference.

  -functions LIST  measure only functions, such as exp,tanh, or all; or none, and
                   only the rest
  -matmul LIST     measure only products of matrices: m, k and n, and whether A or B is
                   transposed, such as 64x784x128,256x256x256:tn, or all
  -n LIST          numbers of elements, such as 1024,64Ki,1Mi (16 to 64Mi)
  -rounds N        samples of each, for the median and the minimum (15; 7 of
                   functions)
  -sample TIME     the least time of a sample (20ms). On a busy machine, the minimum
                   of many short samples is that of an idle one, for one thread:
                   GOMAXPROCS=1, -sample 200us -rounds 80
  -json FILE       also write all results as JSON

  -check         measure nothing; compare the bits of this library with those of
                 PyTorch and of ONNX's published expression, for any values, and
                 print the errors of all in functions
  -device MATCH  check an OpenCL device instead of the CPU: an index, a part of a
                 name, or any

SETUP=0 in the environment installs nothing. Exit code: 0 done; 1 this library is
wrong or failed; 2 wrong usage. A peer that is missing or wrong is only reported,
except with -check.
`

type config struct {
	sizes  []int // elements; none of LeakyReLU
	rounds int
	json   string
	check  bool
	device string // "" for the CPU

	functions      []string
	functionSizes  []int
	functionRounds int

	products []shape // that are multiplied

	onednn      []string // the commands of the peers
	openblas    []string
	torch       []string
	numexpr     []string
	onnx        []string
	onnxruntime []string
	gopeers     []string // without the name of the package, the last argument

	minSample, rest, functionRest time.Duration // see compete
}

func parse(args []string) (config, error) {
	c := config{
		sizes: []int{16, 1 << 10, 64 << 10, 256 << 10, 1 << 20, 16 << 20, 64 << 20}, rounds: 15,
		functions: timedFunctions, functionSizes: []int{1 << 10, 64 << 10, 1 << 20, 16 << 20, 64 << 20}, functionRounds: 7,
		rest: rest, functionRest: functionRest,
	}
	if runtime.GOMAXPROCS(0) == 1 { // no thread spins
		c.rest, c.functionRest = restAlone, restAlone
	}
	fs := flag.NewFlagSet("peers", flag.ContinueOnError)
	fs.SetOutput(io.Discard) // the caller prints the error
	fs.Func("n", "", func(s string) (err error) {
		c.sizes, err = units.ParseCounts(s, maxSize)
		c.functionSizes = c.sizes
		return err
	})
	only := false
	fs.Func("functions", "", func(s string) (err error) {
		c.functions, err = parseFunctions(s)
		only = len(c.functions) > 0
		return err
	})
	fs.Func("matmul", "", func(s string) (err error) {
		c.products, err = parseShapes(s)
		return err
	})
	fs.Func("rounds", "", func(s string) (err error) {
		c.rounds, err = strconv.Atoi(s)
		c.functionRounds = c.rounds
		return err
	})
	fs.DurationVar(&c.minSample, "sample", minSample, "")
	fs.StringVar(&c.json, "json", "", "")
	fs.BoolVar(&c.check, "check", false, "")
	fs.StringVar(&c.device, "device", "", "")
	// The script sets these.
	onednn := fs.String("onednn", "bin/peers-onednn", "")
	openblas := fs.String("openblas", "bin/peers-openblas", "")
	python := fs.String("python", "/usr/bin/python3", "")
	torch := fs.String("torch", "internal/peers/torch_peer.py", "")
	numexpr := fs.String("numexpr", "internal/peers/numexpr_peer.py", "")
	onnx := fs.String("onnx", "internal/peers/onnx_peer.py", "")
	onnxruntime := fs.String("onnxruntime", "bin/peers-onnxruntime", "")
	library := fs.String("libonnxruntime", "", "")
	gopeers := fs.String("gopeers", "bin/peers-go", "")
	if err := fs.Parse(args); err != nil {
		return c, err
	}
	c.onednn, c.torch, c.numexpr, c.onnx = []string{*onednn}, []string{*python, *torch}, []string{*python, *numexpr}, []string{*python, *onnx}
	c.onnxruntime, c.gopeers = []string{*onnxruntime, *library}, []string{*gopeers}
	c.openblas = []string{*openblas}
	if len(c.products) > 0 {
		c.sizes = nil
		if !only {
			c.functions = nil
		}
	}
	if only {
		c.sizes = nil
	} else if c.check && len(c.functions) > 0 {
		c.functions = allFunctions
	}
	switch {
	case fs.NArg() > 0:
		return c, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	case c.rounds < 1:
		return c, fmt.Errorf("-rounds is %d and should be at least 1", c.rounds)
	case c.minSample <= 0:
		return c, fmt.Errorf("-sample is %v and should be above 0", c.minSample)
	case c.device != "" && !c.check:
		return c, errors.New("-device needs -check: the others run on the CPU")
	}
	return c, nil
}

// maxSize is what oneDNN and most machines can hold, in elements.
const maxSize = 256 << 20

func main() {
	c, err := parse(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		fmt.Print(usage)
		return
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "peers: %v (see -h)\n", err)
		os.Exit(2)
	}
	do := run
	if c.check {
		do = runCheck
	}
	if err := do(c, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintf(os.Stderr, "peers: %v\n", err)
		os.Exit(1)
	}
}

// runCheck checks the backend of c, and prints the counts to w.
func runCheck(c config, w, progress io.Writer) error {
	open := compute.Opener(cpu.Open)
	if c.device != "" {
		open = gpu.OpenDevice(c.device)
	}
	b, err := open()
	if err != nil {
		return err
	}
	defer b.Close()
	var failed error
	if len(c.sizes) > 0 {
		torch, onnx := startPeer(c.torch), startPeer(c.onnx)
		failed = check(b, torch, onnx, w)
		torch.stop()
		onnx.stop()
	}
	if len(c.functions) > 0 {
		rivals, stop := startRivals(c)
		defer stop()
		failed = errors.Join(failed, checkFunctions(c.functions, manyInputs(), b, rivals, w, progress))
	}
	return failed
}

// startRivals starts the peers that have functions.
func startRivals(c config) (rivals []*rival, stop func()) {
	gopeer := func(name string) []string { return append(slices.Clone(c.gopeers), name) }
	for _, r := range []struct {
		column  string
		command []string
	}{
		{colOneDNN, c.onednn}, {colPyTorch, c.torch}, {colRuntime, c.onnxruntime}, {colMath, gopeer("math")}, {colVek, gopeer("vek")},
	} {
		rivals = append(rivals, newRival(r.column, startPeer(r.command)))
	}
	return rivals, func() {
		for _, r := range rivals {
			r.stop()
		}
	}
}

// run measures, and prints the tables to w and the progress to progress.
func run(c config, w, progress io.Writer) error {
	b, err := cpu.Open()
	if err != nil {
		return err
	}
	defer b.Close()
	r := &report{Library: b.Info().Name, Go: runtime.Version(), Threads: runtime.GOMAXPROCS(0), Rounds: c.rounds}
	if len(c.sizes) > 0 {
		if err := measureLeakyReLU(c, b, r, progress); err != nil {
			return err
		}
		r.print(w)
	}
	if len(c.functions) > 0 {
		rivals, stop := startRivals(c)
		defer stop()
		r.Functions = newFunctionReport(c, rivals)
		if err := measureFunctions(c, b, rivals, r.Functions, progress); err != nil {
			return err
		}
		fmt.Fprintf(w, "\n%s (%s), %d threads.", r.Library, r.Go, r.Threads)
		r.Functions.print(w)
	}
	if len(c.products) > 0 {
		if err := measureProducts(c, b, r, progress); err != nil {
			return err
		}
		fmt.Fprintf(w, "\n%s (%s), %d threads.", r.Library, r.Go, r.Threads)
		r.Products.print(w)
	}
	if c.json != "" {
		data, err := json.MarshalIndent(r, "", "  ")
		if err != nil {
			return err
		}
		return os.WriteFile(c.json, append(data, '\n'), 0o666)
	}
	return nil
}

// measureLeakyReLU measures LeakyReLU and the chain, and adds the results to r.
func measureLeakyReLU(c config, b compute.Backend, r *report, progress io.Writer) error {
	others := peers{startPeer(c.onednn), startPeer(c.torch), startPeer(c.numexpr)}
	defer others.onednn.stop()
	defer others.torch.stop()
	defer others.numexpr.stop()
	r.OneDNN, r.PyTorch, r.Numexpr = others.onednn.name, others.torch.name, others.numexpr.name
	most := slices.Max(c.sizes)
	h := newMemory(values.Normal(most, 1), values.Normal(most, 2))
	for _, n := range c.sizes {
		fmt.Fprintf(progress, "measuring %s elements\n", units.Count(n))
		err := with(b, others, h.first(n), func(list []*contestant) error {
			if err := compete(list, c.rounds, c.rest, c); err != nil {
				return err
			}
			r.add(n, list)
			return nil
		})
		if err != nil {
			return err
		}
	}
	// Last, since a peer may fail on special values.
	special := values.Special()
	return with(b, others, newMemory(special, values.Normal(len(special), 3)), func(list []*contestant) error {
		for _, c := range list {
			if c.wrong != "" {
				r.Notes = append(r.Notes, fmt.Sprintf("On special values, %s of %s: %s.", c.op, c.column, c.wrong))
			}
		}
		return nil
	})
}

// with calls do with the contestants on the values of h, whose results are verified.
func with(b compute.Backend, others peers, h *memory, do func(list []*contestant) error) error {
	list, release, err := contestants(b, others, h)
	defer release()
	if err != nil {
		return err
	}
	if err := verify(list, h); err != nil {
		return err
	}
	return do(list)
}
