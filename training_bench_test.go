package compute_test

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/turns"
	"github.com/gmind-go/compute/internal/values"
)

// An mlp is a network with two inputs, two hidden layers of LeakyReLU, and two outputs. Matrix l
// has sizes[l] rows and sizes[l+1] columns.
type mlp struct {
	batch   int
	sizes   [4]int
	x, t    []float32
	weights [3][]float32
	biases  [3][]float32
}

const (
	mlpSlope = 0.01
	mlpRate  = 0.1
)

func newMLP(batch, hidden int) *mlp {
	n := &mlp{batch: batch, sizes: [4]int{2, hidden, hidden, 2}, x: values.Normal(2*batch, 1), t: values.Normal(2*batch, 2)}
	for l := range n.weights {
		n.weights[l] = values.Normal(n.sizes[l]*n.sizes[l+1], uint64(3+l))
		for i := range n.weights[l] {
			n.weights[l][i] /= float32(math.Sqrt(float64(n.sizes[l])))
		}
		n.biases[l] = make([]float32, n.sizes[l+1])
	}
	return n
}

// A gemm sets c, of m rows and n columns, to the product of a and b, of k rows, which may be
// stored transposed.
type gemm func(transA, transB bool, m, n, k int, a, b, c []float32)

func plainGemm(transA, transB bool, m, n, k int, a, b, c []float32) {
	clear(c)
	for i := range m {
		row := c[i*n : (i+1)*n]
		for l := range k {
			v := a[i*k+l : i*k+l+1][0]
			if transA {
				v = a[l*m+i]
			}
			if transB {
				for j := range row {
					row[j] += v * b[j*k+l]
				}
				continue
			}
			for j, w := range b[l*n : (l+1)*n] {
				row[j] += v * w
			}
		}
	}
}

func gonumGemm(transA, transB bool, m, n, k int, a, b, c []float32) {
	matrix := func(trans bool, rows, cols int, data []float32) (blas.Transpose, blas32.General) {
		if trans {
			return blas.Trans, blas32.General{Rows: cols, Cols: rows, Stride: rows, Data: data}
		}
		return blas.NoTrans, blas32.General{Rows: rows, Cols: cols, Stride: cols, Data: data}
	}
	ta, ga := matrix(transA, m, k, a)
	tb, gb := matrix(transB, k, n, b)
	_, gc := matrix(false, m, n, c)
	blas32.Gemm(ta, tb, 1, ga, gb, 0, gc)
}

// onSlices returns a step of n in Go, with its products by mul.
func (n *mlp) onSlices(mul gemm) func() error {
	var z, h, gradW, gradB [3][]float32
	for l := range z {
		z[l], h[l] = make([]float32, n.batch*n.sizes[l+1]), make([]float32, n.batch*n.sizes[l+1])
		gradW[l], gradB[l] = make([]float32, len(n.weights[l])), make([]float32, len(n.biases[l]))
	}
	return func() error {
		in := n.x
		for l := range z {
			cols := n.sizes[l+1]
			mul(false, false, n.batch, cols, n.sizes[l], in, n.weights[l], z[l])
			for i := range z[l] {
				v := z[l][i] + n.biases[l][i%cols]
				z[l][i], h[l][i] = v, v
				if v < 0 && l < 2 {
					h[l][i] = mlpSlope * v
				}
			}
			in = h[l]
		}
		d := h[2]
		for i, t := range n.t {
			d[i] = (d[i] - t) / float32(n.batch)
		}
		for l := 2; l >= 0; l-- {
			in, cols := n.x, n.sizes[l+1]
			if l > 0 {
				in = h[l-1]
			}
			mul(true, false, n.sizes[l], cols, n.batch, in, d, gradW[l])
			clear(gradB[l])
			for i, v := range d {
				gradB[l][i%cols] += v
			}
			if l > 0 {
				mul(false, true, n.batch, n.sizes[l], cols, d, n.weights[l], h[l-1])
				d = h[l-1]
				for i := range d {
					if z[l-1][i] < 0 {
						d[i] *= mlpSlope
					}
				}
			}
		}
		for l := range gradW {
			for i, g := range gradW[l] {
				n.weights[l][i] -= mlpRate * g
			}
			for i, g := range gradB[l] {
				n.biases[l][i] -= mlpRate * g
			}
		}
		return nil
	}
}

// onBackend returns a step of n that stays on b, and its weights there.
func (n *mlp) onBackend(b compute.Linear) (step func() error, weights [3]compute.Buffer, err error) {
	upload := func(v []float32) compute.Buffer {
		buf, e := b.Upload(v)
		err = errors.Join(err, e)
		return buf
	}
	x, t := upload(n.x), upload(n.t)
	var z, h, w, bias, gradW, gradB [3]compute.Buffer
	for l := range z {
		z[l], h[l] = upload(make([]float32, n.batch*n.sizes[l+1])), upload(make([]float32, n.batch*n.sizes[l+1]))
		w[l], bias[l] = upload(n.weights[l]), upload(n.biases[l])
		gradW[l], gradB[l] = upload(n.weights[l]), upload(n.biases[l])
	}
	var (
		layer = expr.MustParse("func layer(xw, bias, s float32) (y, z float32) { z = xw + bias; y = where(z >= 0, z, s*z); return }")
		back  = expr.MustParse("back(dy, z, s) = where(z >= 0, dy, s*dy)")
		loss  = expr.MustParse("loss(xw, bias, t, batch) = (xw + bias - t) / batch")
		sgd   = expr.MustParse("sgd(w, g, rate) = w - rate*g")
	)
	m, s := n.batch, n.sizes
	slope, rate := compute.F32(mlpSlope), compute.F32(mlpRate)
	return func() error {
		err := errors.Join(
			b.MatMul(h[0], x, m, s[0], w[0], s[1], compute.Then(layer, z[0], compute.Row(bias[0]), slope)),
			b.MatMul(h[1], h[0], m, s[1], w[1], s[2], compute.Then(layer, z[1], compute.Row(bias[1]), slope)),
			b.MatMul(h[2], h[1], m, s[2], w[2], s[3], compute.Then(loss, compute.Row(bias[2]), t, compute.F32(m))),
			b.MatMul(gradW[2], h[1], s[2], m, h[2], s[3], compute.TransposeA),
			b.Reduce(gradB[2], compute.Sum, compute.Cols(s[3]), nil, h[2]),
			b.MatMul(h[1], h[2], m, s[3], w[2], s[2], compute.TransposeB, compute.Then(back, z[1], slope)),
			b.MatMul(gradW[1], h[0], s[1], m, h[1], s[2], compute.TransposeA),
			b.Reduce(gradB[1], compute.Sum, compute.Cols(s[2]), nil, h[1]),
			b.MatMul(h[0], h[1], m, s[2], w[1], s[1], compute.TransposeB, compute.Then(back, z[0], slope)),
			b.MatMul(gradW[0], x, s[0], m, h[0], s[1], compute.TransposeA),
			b.Reduce(gradB[0], compute.Sum, compute.Cols(s[1]), nil, h[0]),
		)
		for l := range w {
			err = errors.Join(err, b.Run(sgd, w[l], w[l], gradW[l], rate), b.Run(sgd, bias[l], bias[l], gradB[l], rate))
		}
		return errors.Join(err, b.Sync())
	}, w, err
}

// BenchmarkTrainingStep times a whole step of a network in turns: in plain Go on one core, with
// gonum's products, and on the CPU backend. It reports the time of one on the backend, and how
// many times as long the others take.
func BenchmarkTrainingStep(b *testing.B) {
	backend := testenv.Open(b, cpu.Open).(compute.Linear)
	for _, size := range [][2]int{{64, 32}, {1024, 256}, {8192, 512}} {
		b.Run(fmt.Sprintf("batch=%d/hidden=%d", size[0], size[1]), func(b *testing.B) {
			own, _, err := newMLP(size[0], size[1]).onBackend(backend)
			if err != nil {
				b.Fatal(err)
			}
			steps := []func() error{own, newMLP(size[0], size[1]).onSlices(gonumGemm), newMLP(size[0], size[1]).onSlices(plainGemm)}
			all := turns.Of(1, steps...)
			for _, s := range all {
				s.Calls = 1 + 1<<20/(size[0]*size[1]*4)
			}
			if size[0] > 4096 {
				all[2].Sample = func(int) (float64, error) { return turns.Time(steps[2], 0, 1) }
			}
			for b.Loop() {
				if err := turns.Round(b.Context(), all); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(all[0].Median()/1e6, "ms/step")
			b.ReportMetric(all[1].Median()/all[0].Median(), "gonum/backend")
			b.ReportMetric(all[2].Median()/all[0].Median(), "plain/backend")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// TestTrainingStep: the steps that BenchmarkTrainingStep compares are the same, but for the
// rounding of sums.
func TestTrainingStep(t *testing.T) {
	const batch, hidden = 32, 16
	b := testenv.Open(t, cpu.Open).(compute.Linear)
	plain, withGonum, onBackend := newMLP(batch, hidden), newMLP(batch, hidden), newMLP(batch, hidden)
	own, weights, err := onBackend.onBackend(b)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := errors.Join(plain.onSlices(plainGemm)(), withGonum.onSlices(gonumGemm)(), own()); err != nil {
			t.Fatal(err)
		}
	}
	for l := range plain.weights {
		if err := weights[l].Read(onBackend.weights[l]); err != nil {
			t.Fatal(err)
		}
		for i, w := range plain.weights[l] {
			for name, other := range map[string]float32{"with gonum": withGonum.weights[l][i], "on the backend": onBackend.weights[l][i]} {
				if !(math.Abs(float64(other-w)) <= 1e-5) {
					t.Fatalf("weight %d of layer %d is %v in plain Go, and %v %s", i, l, w, other, name)
				}
			}
		}
	}
}
