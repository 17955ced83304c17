//go:build opencl && cgo

package opencl_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/gpu"
	"github.com/gmind-go/compute/internal/linear"
	"github.com/gmind-go/compute/internal/turns"
	"github.com/gmind-go/compute/internal/values"
)

// products are those that BenchmarkMatMul measures.
var products = []linear.Product{
	{M: 256, K: 256, N: 256},
	{M: 512, K: 512, N: 512},
	{M: 1024, K: 1024, N: 1024},
	{M: 1024, K: 1024, N: 1024, TransposeA: true},
	{M: 1024, K: 1024, N: 1024, TransposeB: true},
	{M: 64, K: 784, N: 128},
	{M: 1, K: 1024, N: 1024},
	{M: 1, K: 1024, N: 1024, TransposeB: true},
}

// productTime is for how long a product is measured at most.
const productTime = 3 * time.Second

// BenchmarkMatMul compares products with those of CLBlast, as it is for devices that it is not
// tuned for, if it is installed (Debian's libclblast-dev). "of-CLBlast" is how many times as fast
// this library is.
func BenchmarkMatMul(b *testing.B) {
	backend := open(b, gpu.Options{})
	l, _ := compute.As[compute.Linear](backend)
	peer, err := startCLBlast(b, strings.TrimPrefix(backend.Info().Name, "opencl "))
	if err != nil {
		b.Logf("CLBlast is not measured: %v", err)
	}
	for _, p := range products {
		b.Run(productName(p), func(b *testing.B) {
			list := turns.Of(0, ownProduct(b, l, p))
			if peer != nil {
				list = append(list, &turns.Series{Sample: func(calls int) (float64, error) { return peer.time(p, calls) }})
			}
			for _, s := range list {
				s.Least = time.Millisecond
				must(b, s.WarmUp(b.Context()))
			}
			for start := time.Now(); b.Loop(); {
				if time.Since(start) < productTime {
					must(b, turns.Round(b.Context(), list))
				}
			}
			own, operations := list[0].Median(), 2*float64(p.M)*float64(p.K)*float64(p.N)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(own/1e3, "µs")
			b.ReportMetric(operations/own, "GFLOP/s")
			if peer != nil {
				other := list[1].Median()
				b.ReportMetric(operations/other, "CLBlast-GFLOP/s")
				b.ReportMetric(other/own, "of-CLBlast")
			}
		})
	}
}

func productName(p linear.Product) string {
	name := fmt.Sprintf("%dx%dx%d", p.M, p.K, p.N)
	if p.TransposeA {
		name += "-TransposeA"
	}
	if p.TransposeB {
		name += "-TransposeB"
	}
	return name
}

// ownProduct returns a call that computes p on l and waits for it.
func ownProduct(b *testing.B, l compute.Linear, p linear.Product) func() error {
	var buffers [3]compute.Buffer
	for i, n := range []int{p.M * p.N, p.M * p.K, p.K * p.N} {
		buf, err := l.Upload(values.Normal(n, uint64(i)))
		must(b, err)
		b.Cleanup(func() { buf.Release() })
		buffers[i] = buf
	}
	var options []compute.MatMulOption
	if p.TransposeA {
		options = append(options, compute.TransposeA)
	}
	if p.TransposeB {
		options = append(options, compute.TransposeB)
	}
	return func() error {
		return errors.Join(l.MatMul(buffers[0], buffers[1], p.M, p.K, buffers[2], p.N, options...), l.Sync())
	}
}

// clblast is testdata/clblast.c in a process of its own.
type clblast struct {
	in  io.Writer
	out *bufio.Reader
}

func startCLBlast(b *testing.B, device string) (*clblast, error) {
	path := filepath.Join(b.TempDir(), "clblast")
	cc := append(strings.Fields(os.Getenv("CC")), "cc")[0]
	if out, err := exec.Command(cc, "-O2", "-o", path, "testdata/clblast.c", "-lclblast", "-lOpenCL").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("it cannot be built: %w\n%s", err, out)
	}
	cmd := exec.Command(path, device)
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	b.Cleanup(func() {
		in.Close()
		cmd.Wait()
	})
	return &clblast{in, bufio.NewReader(out)}, nil
}

// time returns the time of a call in ns.
func (c *clblast) time(p linear.Product, calls int) (float64, error) {
	bit := map[bool]int{true: 1}
	fmt.Fprintln(c.in, p.M, p.K, p.N, bit[p.TransposeA], bit[p.TransposeB], calls)
	line, err := c.out.ReadString('\n')
	if err != nil {
		return 0, fmt.Errorf("CLBlast: %w", err)
	}
	ns, err := strconv.ParseFloat(strings.TrimSpace(line), 64)
	if err != nil {
		return 0, fmt.Errorf("CLBlast: %s", line)
	}
	return ns, nil
}
