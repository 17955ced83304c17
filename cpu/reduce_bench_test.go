package cpu

import (
	"fmt"
	"testing"
	"time"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/values"
)

// BenchmarkReduce times reductions and copies in turns. It reports the bytes that a reduction
// reads per second, and what part that is of the bytes that the copy reads and writes.
func BenchmarkReduce(b *testing.B) {
	backend, err := Open()
	if err != nil {
		b.Fatal(err)
	}
	defer backend.Close()
	square := expr.MustParse("square(x) = x*x")
	exp := expr.MustParse("f(x) = exp(x)")
	for _, c := range []struct {
		name    string
		n       int
		r       compute.Reduction
		along   compute.Axis
		program *expr.Program
	}{
		{"sum", 64 << 10, compute.Sum, compute.All(), nil},
		{"sum", 16 << 20, compute.Sum, compute.All(), nil},
		{"sum", 64 << 20, compute.Sum, compute.All(), nil},
		{"max", 16 << 20, compute.Max, compute.All(), nil},
		{"square", 64 << 10, compute.Sum, compute.All(), square},
		{"square", 16 << 20, compute.Sum, compute.All(), square},
		{"square", 64 << 20, compute.Sum, compute.All(), square},
		{"exp", 16 << 20, compute.Sum, compute.All(), exp},
		{"rows", 16 << 20, compute.Sum, compute.Rows(10), nil},
		{"rows", 16 << 20, compute.Sum, compute.Rows(64), nil},
		{"rows", 16 << 20, compute.Sum, compute.Rows(1000), nil},
		{"rows", 16 << 20, compute.Sum, compute.Rows(1 << 16), nil},
		{"columns", 16 << 20, compute.Sum, compute.Cols(2), nil},
		{"columns", 16 << 20, compute.Sum, compute.Cols(10), nil},
		{"columns", 16 << 20, compute.Sum, compute.Cols(64), nil},
		{"columns", 16 << 20, compute.Sum, compute.Cols(512), nil},
		{"columns", 16 << 20, compute.Sum, compute.Cols(1000), nil},
		{"columns", 16 << 20, compute.Sum, compute.Cols(1 << 16), nil},
		{"columns", 64 * 32, compute.Sum, compute.Cols(32), nil},
		{"columns", 1024 * 256, compute.Sum, compute.Cols(256), nil},
		{"columns", 8192 * 512, compute.Sum, compute.Cols(512), nil},
		{"columns-square", 16 << 20, compute.Sum, compute.Cols(64), square},
		{"columns-square", 16 << 20, compute.Sum, compute.Cols(1000), square},
	} {
		b.Run(fmt.Sprintf("%s/%d/%v", c.name, c.n, c.along), func(b *testing.B) {
			c.n -= c.n % max(c.along.Columns, 1)
			x, y := benchBuffer(b, backend, c.n), benchBuffer(b, backend, c.n)
			defer x.Release()
			defer y.Release()
			size := 1
			switch c.along.Kind {
			case compute.AxisRows:
				size = c.n / c.along.Columns
			case compute.AxisCols:
				size = c.along.Columns
			}
			out := benchBuffer(b, backend, size)
			defer out.Release()
			times := [2]time.Duration{1 << 62, 1 << 62}
			for b.Loop() {
				for i, work := range []func() error{
					func() error { return backend.Reduce(out, c.r, c.along, c.program, x) },
					func() error { return backend.Copy(y, x) },
				} {
					start := time.Now()
					if err := work(); err != nil {
						b.Fatal(err)
					}
					times[i] = min(times[i], time.Since(start))
				}
			}
			reduced := float64(4*c.n) / float64(times[0])
			copied := float64(8*c.n) / float64(times[1])
			b.ReportMetric(reduced, "GB/s")
			b.ReportMetric(reduced/copied, "of-copy")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func benchBuffer(b *testing.B, backend compute.Backend, n int) compute.Buffer {
	b.Helper()
	return mustUpload(b, backend, values.Normal(n, 1))
}
