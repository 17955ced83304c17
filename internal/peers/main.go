// Peers measures package compute on the CPU side by side with what a user could
// pick instead: oneDNN, PyTorch, a plain Go loop, and gonum. Its script run, which
// is "make bench-peers", installs and builds those; flag -h tells the rest.
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
	"strings"
	"time"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/gpu"
	"github.com/gmind-go/compute/internal/values"
)

const usage = `Usage: internal/peers/run [flags]

Measures LeakyReLU on the CPU by this library and by others, in turn, on the same
values, and prints Markdown tables. Each result is compared with the reference.

  -n LIST     elements, as 1024,64Ki,1Mi (16 to 64Mi)
  -rounds N   samples of each (15); reported are the median and the minimum
  -json FILE  write all results as JSON too

  -check         measure nothing; compare the bits of PyTorch and of ONNX's published
                 expression for any values with those of this library
  -device MATCH  check an OpenCL device and not the CPU: an index, a part of a name, any

SETUP=0 in the environment installs nothing. Exit code: 0 done, 1 this library is
wrong or failed, 2 wrong usage. A peer that is missing or wrong is only reported,
except by -check.
`

type config struct {
	sizes  []int // elements
	rounds int
	json   string
	check  bool
	device string // "" for the CPU

	onednn []string // the commands of the peers
	torch  []string
	onnx   []string

	minSample, rest time.Duration // see compete
}

func parse(args []string) (config, error) {
	c := config{sizes: []int{16, 1 << 10, 64 << 10, 256 << 10, 1 << 20, 16 << 20, 64 << 20}, minSample: minSample, rest: rest}
	fs := flag.NewFlagSet("peers", flag.ContinueOnError)
	fs.SetOutput(io.Discard) // the caller prints the error
	fs.Func("n", "", func(s string) (err error) { c.sizes, err = parseSizes(s); return err })
	fs.IntVar(&c.rounds, "rounds", 15, "")
	fs.StringVar(&c.json, "json", "", "")
	fs.BoolVar(&c.check, "check", false, "")
	fs.StringVar(&c.device, "device", "", "")
	// The script gives these.
	onednn := fs.String("onednn", "bin/peers-onednn", "")
	python := fs.String("python", "/usr/bin/python3", "")
	torch := fs.String("torch", "internal/peers/torch_peer.py", "")
	onnx := fs.String("onnx", "internal/peers/onnx_peer.py", "")
	if err := fs.Parse(args); err != nil {
		return c, err
	}
	c.onednn, c.torch, c.onnx = []string{*onednn}, []string{*python, *torch}, []string{*python, *onnx}
	switch {
	case fs.NArg() > 0:
		return c, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	case c.rounds < 1:
		return c, fmt.Errorf("-rounds is %d and should be at least 1", c.rounds)
	case c.device != "" && !c.check:
		return c, errors.New("-device needs -check: the others run on the CPU")
	}
	return c, nil
}

// parseSizes takes no more than oneDNN and the memory of most machines do.
func parseSizes(list string) ([]int, error) {
	const most = 256 << 20
	var sizes []int
	for text := range strings.SplitSeq(list, ",") {
		digits, unit := text, 1
		if d, ok := strings.CutSuffix(text, "Ki"); ok {
			digits, unit = d, 1<<10
		} else if d, ok := strings.CutSuffix(text, "Mi"); ok {
			digits, unit = d, 1<<20
		}
		n, err := strconv.Atoi(digits)
		if err != nil || n < 1 || n > most/unit {
			return nil, fmt.Errorf("%q is no number of elements up to 256Mi, such as 1024, 64Ki or 16Mi", text)
		}
		sizes = append(sizes, n*unit)
	}
	return sizes, nil
}

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

// runCheck opens what is to be checked, and prints the counts to w.
func runCheck(c config, w, _ io.Writer) error {
	open := compute.Opener(cpu.Open)
	if c.device != "" {
		open = gpu.OpenDevice(c.device)
	}
	b, err := open()
	if err != nil {
		return err
	}
	defer b.Close()
	torch, onnx := startPeer(c.torch), startPeer(c.onnx)
	defer torch.stop()
	defer onnx.stop()
	return check(b, torch, onnx, w)
}

// run measures and prints the tables to w; what it is at goes to progress.
func run(c config, w, progress io.Writer) error {
	opened, err := cpu.Open()
	if err != nil {
		return err
	}
	defer opened.Close()
	b, ok := compute.As[backend](opened)
	if !ok {
		return errors.New("the CPU backend has no Copy")
	}
	onednn, torch := startPeer(c.onednn), startPeer(c.torch)
	defer onednn.stop()
	defer torch.stop()

	r := &report{
		Library: b.Info().Name, Go: runtime.Version(), Threads: runtime.GOMAXPROCS(0),
		OneDNN: onednn.name, PyTorch: torch.name, Rounds: c.rounds,
	}
	most := slices.Max(c.sizes)
	h := newHost(values.Normal(most, 1), values.Normal(most, 2))
	for _, n := range c.sizes {
		fmt.Fprintf(progress, "measuring %s elements\n", count(n))
		if err := measureSize(c, b, onednn, torch, h.first(n), r); err != nil {
			return err
		}
	}
	// Last, for a peer that cannot take such values to be measured all the same.
	special := values.Special()
	if err := verifySpecial(b, onednn, torch, newHost(special, values.Normal(len(special), 3)), r); err != nil {
		return err
	}
	r.print(w)
	if c.json != "" {
		data, err := json.MarshalIndent(r, "", "  ")
		if err != nil {
			return err
		}
		return os.WriteFile(c.json, append(data, '\n'), 0o666)
	}
	return nil
}

func measureSize(c config, b backend, onednn, torch *peer, h *host, r *report) error {
	list, release, err := contestants(b, onednn, torch, h)
	defer release()
	if err != nil {
		return err
	}
	if err := verify(list, h); err != nil {
		return err
	}
	if err := compete(list, c); err != nil {
		return err
	}
	r.add(len(h.x), list)
	return nil
}

// verifySpecial notes who computes infinities, NaNs, subnormals and zeros otherwise.
func verifySpecial(b backend, onednn, torch *peer, h *host, r *report) error {
	list, release, err := contestants(b, onednn, torch, h)
	defer release()
	if err != nil {
		return err
	}
	if err := verify(list, h); err != nil {
		return err
	}
	for _, c := range list {
		if c.wrong != "" {
			r.Notes = append(r.Notes, fmt.Sprintf("On special values, %s of %s: %s.", c.op, c.column, c.wrong))
		}
	}
	return nil
}
