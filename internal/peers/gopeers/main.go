// Gopeers are Go packages as peers of package peers, by the protocol of its file peer.go. Its
// argument is one of
//
//	math   a loop over functions of package math, in float64
//	vek    github.com/viterin/vek/vek32
//
// It is a module of its own, so that the library does not depend on what it is compared with.
package main

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"github.com/viterin/vek"
	"github.com/viterin/vek/vek32"
)

// An operation computes y of x, of the same length.
type operation func(y, x []float32)

// packages has the operations of each package, by the names that this library has for them.
var packages = map[string]struct {
	name       string
	operations map[string]operation
}{
	"math": {"Go's math " + runtime.Version(), map[string]operation{
		"exp":        loop(math.Exp),
		"expm1":      loop(math.Expm1),
		"log":        loop(math.Log),
		"log1p":      loop(math.Log1p),
		"tanh":       loop(math.Tanh),
		"sigmoid":    loop(sigmoid),
		"logSigmoid": loop(func(x float64) float64 { return -softplus(-x) }),
		"erf":        loop(math.Erf),
		"softplus":   loop(softplus),
		"silu":       loop(func(x float64) float64 { return x * sigmoid(x) }),
		"gelu":       loop(func(x float64) float64 { return x / 2 * math.Erfc(-x/math.Sqrt2) }),
		"geluTanh":   loop(geluTanh),
		"mish":       loop(func(x float64) float64 { return x * math.Tanh(softplus(x)) }),
		"softsign":   loop(func(x float64) float64 { return x / (1 + math.Abs(x)) }),
	}},
	"vek": {"vek " + vekInfo(), map[string]operation{
		"exp": func(y, x []float32) { vek32.Exp_Into(y, x) },
		"log": func(y, x []float32) { vek32.Log_Into(y, x) },
	}},
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// softplus has no overflow.
func softplus(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }

func geluTanh(x float64) float64 {
	return x / 2 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
}

// loop is the obvious loop.
func loop(f func(float64) float64) operation {
	return func(y, x []float32) {
		for i, v := range x {
			y[i] = float32(f(float64(v)))
		}
	}
}

// vekInfo returns the version, and whether AVX2 is used.
func vekInfo() string {
	version := "of an unknown version"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			if module.Path == "github.com/viterin/vek" {
				version = module.Version
			}
		}
	}
	if vek.Info().Acceleration {
		return version + ", AVX2"
	}
	return version + ", no AVX2"
}

func main() {
	if len(os.Args) != 2 || packages[os.Args[1]].name == "" {
		fmt.Println("failed gopeers: the argument is one of", slices.Sorted(maps.Keys(packages)))
		os.Exit(1)
	}
	out := bufio.NewWriter(os.Stdout)
	err := serve(os.Args[1], bufio.NewReader(os.Stdin), out)
	if err != nil {
		fmt.Fprintln(out, "failed", err)
	}
	out.Flush()
	if err != nil {
		os.Exit(1)
	}
}

// serve answers the requests of in until it ends.
func serve(name string, in *bufio.Reader, out *bufio.Writer) error {
	p := packages[name]
	fmt.Fprintln(out, "ready", p.name)
	var x, y []float32
	for {
		if err := out.Flush(); err != nil {
			return err
		}
		line, err := in.ReadString('\n')
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		switch words := strings.Fields(line); {
		case len(words) == 1 && words[0] == "operations":
			fmt.Fprintln(out, strings.Join(slices.Sorted(maps.Keys(p.operations)), " "))
		case len(words) == 3 && words[0] == "load":
			n, err := strconv.Atoi(words[1])
			if err != nil {
				return err
			}
			x, y = make([]float32, n), make([]float32, n)
			// No operation here needs dy, which is read into y.
			if _, err := io.ReadFull(in, bytesOf(x)); err != nil {
				return err
			}
			if _, err := io.ReadFull(in, bytesOf(y)); err != nil {
				return err
			}
			fmt.Fprintln(out, "ok")
		case len(words) == 2 && words[0] == "result" && p.operations[words[1]] != nil:
			for i := range y { // to detect elements that are not written
				y[i] = float32(math.NaN())
			}
			p.operations[words[1]](y, x)
			if _, err := out.Write(bytesOf(y)); err != nil {
				return err
			}
		case len(words) == 2 && p.operations[words[0]] != nil:
			f := p.operations[words[0]]
			calls, err := strconv.Atoi(words[1])
			if err != nil || calls < 1 {
				return fmt.Errorf("%q is no number of calls", words[1])
			}
			for range 1 + calls/4 { // untimed, see contest.go
				f(y, x)
			}
			start := time.Now()
			for range calls {
				f(y, x)
			}
			fmt.Fprintln(out, float64(time.Since(start))/float64(calls))
		default:
			return fmt.Errorf("unknown request %s", strings.TrimSpace(line))
		}
	}
}

// bytesOf returns the bytes of v.
func bytesOf(v []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), 4*len(v))
}
