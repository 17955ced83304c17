package train_test

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/linear"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/testenv/everywhere"
	"github.com/gmind-go/compute/internal/values"
	"github.com/gmind-go/compute/train"
)

func TestMain(m *testing.M) { testenv.Main(m) }

// function returns a correctly rounded function of package expr.
func function(t *testing.T, name string) func(x float32) float32 {
	p := expr.MustParse("f(x) = " + name + "(x)")
	return func(x float32) float32 {
		r, err := p.Eval(x)
		if err != nil {
			t.Fatal(err)
		}
		return r[0].(float32)
	}
}

func sqrt32(x float32) float32 { return float32(math.Sqrt(float64(x))) }

// TestPrograms compares the programs with their formulas in plain Go.
func TestPrograms(t *testing.T) {
	softplus := function(t, "softplus")
	adam := func(a []float32, decay, c1, c2 float32) []float32 {
		w, m, v, g, rate, b1, b2, eps := a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]
		m = float32(b1*m) + float32((1-b1)*g)
		v = float32(b2*v) + float32((1-b2)*float32(g*g))
		w = float32((1-float32(rate*decay))*w) - float32(rate*float32(c1*m))/(sqrt32(c2*v)+eps)
		return []float32{w, m, v}
	}
	for _, test := range []struct {
		p *expr.Program
		f func(a []float32) []float32
	}{
		{train.SquaredError, func(a []float32) []float32 { return []float32{(a[0] - a[1]) * (a[0] - a[1])} }},
		{train.BinaryCrossEntropy, func(a []float32) []float32 {
			return []float32{float32(a[1]*softplus(-a[0])) + float32((1-a[1])*softplus(a[0]))}
		}},
		{train.Huber, func(a []float32) []float32 {
			d := float32(math.Abs(float64(a[0] - a[1])))
			if d <= a[2] {
				return []float32{0.5 * float32(d*d)}
			}
			return []float32{a[2] * (d - float32(0.5*a[2]))}
		}},
		{train.Hinge, func(a []float32) []float32 {
			if m := 1 - float32(a[1]*a[0]); m > 0 {
				return []float32{m}
			}
			return []float32{0}
		}},
		{train.SmoothLabels, func(a []float32) []float32 { return []float32{float32((1-a[1])*a[0]) + a[1]/a[2]} }},
		{train.Hit, func(a []float32) []float32 {
			if a[0] == a[1] {
				return []float32{1}
			}
			return []float32{0}
		}},
		{train.SGD, func(a []float32) []float32 { return []float32{a[0] - float32(a[2]*a[1])} }},
		{train.Momentum, func(a []float32) []float32 {
			v := float32(a[4]*a[1]) + a[2]
			return []float32{a[0] - float32(a[3]*v), v}
		}},
		{train.Nesterov, func(a []float32) []float32 {
			v := float32(a[4]*a[1]) + a[2]
			return []float32{a[0] - float32(a[3]*(a[2]+float32(a[4]*v))), v}
		}},
		{train.Adam, func(a []float32) []float32 { return adam(a, 0, a[8], a[9]) }},
		{train.AdamW, func(a []float32) []float32 { return adam(a, a[8], a[9], a[10]) }},
		{train.ClipValue, func(a []float32) []float32 {
			switch g, limit := a[0], a[1]; {
			case g > limit && limit > -limit:
				return []float32{limit}
			case g < -limit && limit > -limit:
				return []float32{-limit}
			default:
				return []float32{g}
			}
		}},
		{train.Average, func(a []float32) []float32 { return []float32{float32(a[2]*a[0]) + float32((1-a[2])*a[1])} }},
	} {
		n := len(test.p.Args())
		xs := values.Normal(200*n, 1)
		for i := 0; i < len(xs); i += n {
			a := xs[i : i+n]
			if test.p == train.ClipValue {
				a[1] = float32(math.Abs(float64(a[1]))) // a limit
			}
			if i == 0 {
				a[0] = float32(math.NaN())
			}
			if i == n {
				a[1] = a[0]
			}
			args := make([]any, n)
			for j := range args {
				args[j] = a[j]
			}
			got, err := test.p.Eval(args...)
			if err != nil {
				t.Fatal(err)
			}
			want := test.f(a)
			for j, r := range got {
				if !values.Same(r.(float32), want[j]) {
					t.Errorf("%s of %v returns %v, want %v", test.p.Name(), a, got, want)
				}
			}
		}
	}
}

// TestBinaryCrossEntropy: the loss and its gradient have full precision, however small they are.
func TestBinaryCrossEntropy(t *testing.T) {
	gradient := train.BinaryCrossEntropy.Partial("z")
	softplus := func(z float64) float64 { return max(z, 0) + math.Log1p(math.Exp(-math.Abs(z))) }
	sigmoid := func(z float64) float64 { return math.Exp(-softplus(-z)) }
	for _, target := range []float64{0, 0.25, 0.5, 1} {
		for _, z := range []float64{-80, -17, -5, -0.125, 0, 0.125, 5, 17, 80} {
			for _, test := range []struct {
				p    *expr.Program
				a, b float64 // of which it is the sum
			}{
				{train.BinaryCrossEntropy, target * softplus(-z), (1 - target) * softplus(z)},
				{gradient, -target * sigmoid(-z), (1 - target) * sigmoid(z)},
			} {
				got, err := test.p.Eval(float32(z), float32(target))
				if err != nil {
					t.Fatal(err)
				}
				if y := float64(got[0].(float32)); math.Abs(y-(test.a+test.b)) > 2e-7*(math.Abs(test.a)+math.Abs(test.b)) {
					t.Errorf("%s of %v and the target %v is %v, want %v", test.p.Name(), z, target, y, test.a+test.b)
				}
			}
		}
	}
}

// TestCorrection compares with the formula at 200 bits.
func TestCorrection(t *testing.T) {
	for _, beta := range []float32{0, 0.5, 0.9, 0.99, 0.999, 0.9999} {
		power, one := big.NewFloat(1).SetPrec(200), big.NewFloat(1)
		for step := 1; step <= 3000; step++ {
			power.Mul(power, big.NewFloat(float64(beta)))
			d := new(big.Float).SetPrec(200).Sub(one, power)
			if want, _ := d.Quo(one, d).Float32(); train.Correction(beta, step) != want {
				t.Errorf("Correction(%v, %d) is %v, want %v", beta, step, train.Correction(beta, step), want)
			}
		}
	}
	if c := train.Correction(0.9, 0); !math.IsInf(float64(c), 1) {
		t.Errorf("Correction in step 0 is %v", c)
	}
}

// TestRandom: Normal is the inverse of the normal distribution function, to 3e-7 of its value,
// and Uniform has the moments of the uniform distribution.
func TestRandom(t *testing.T) {
	n := 20_000
	uniform := expr.MustParse(`func u(seed, stream uint32) (u float32) {
		return float32(2*(randbits(seed, stream)>>9)+1)*(1.0/8388608) - 1
	}`)
	eval := func(p *expr.Program, i int, args ...any) float32 {
		r, err := p.EvalAt(uint64(i), args...)
		if err != nil {
			t.Fatal(err)
		}
		return r[0].(float32)
	}
	var sum, squares float64
	for i := range n {
		u := eval(uniform, i, uint32(3), uint32(4))
		want := math.Sqrt2 * math.Erfinv(float64(u))
		if got := eval(train.Normal, i, float32(0), float32(1), uint32(3), uint32(4)); math.Abs(float64(got)-want) > 3e-7*math.Abs(want) {
			t.Errorf("Normal of element %d is %v, want %v", i, got, want)
		}
		x := float64(eval(train.Uniform, i, float32(-1), float32(3), uint32(3), uint32(4)))
		sum, squares = sum+x, squares+(x-1)*(x-1)
		if x < -1 || x >= 3 {
			t.Errorf("Uniform of element %d is %v", i, x)
		}
	}
	if mean, variance := sum/float64(n), squares/float64(n); math.Abs(mean-1) > 0.03 || math.Abs(variance-4.0/3) > 0.03 {
		t.Errorf("Uniform has the mean %v and the variance %v", mean, variance)
	}
	if d := train.HeDeviation(8); d != 0.5 {
		t.Errorf("HeDeviation(8) is %v", d)
	}
	if d := train.GlorotDeviation(3, 5); d != 0.5 {
		t.Errorf("GlorotDeviation(3, 5) is %v", d)
	}
}

// crossEntropy is CrossEntropy in plain Go, with the order of sums of Backend.Reduce, and
// predict is Predict.
func crossEntropy(t *testing.T, z, target []float32, rows, classes int) (loss, dz, class []float32) {
	exp, log := function(t, "exp"), function(t, "log")
	dz = make([]float32, len(z))
	for i := range rows {
		z, dz := z[i*classes:(i+1)*classes], dz[i*classes:(i+1)*classes]
		most := linear.Max(classes, func(j int) float32 { return z[j] })
		sum := linear.Sum(classes, func(j int) float32 { return exp(z[j] - most) })
		best := float32(math.Inf(1))
		for j := classes - 1; j >= 0; j-- {
			if z[j] == most {
				best = float32(j)
			}
		}
		class = append(class, best)
		losses := make([]float32, classes)
		for j := range classes {
			t, of := float32(0), log(sum)-(z[j]-most)
			if len(target) == len(dz)*rows {
				if t = target[i*classes+j]; t != 0 {
					losses[j] = float32(t * of)
				}
			} else if label := target[i]; label == float32(j) {
				t, losses[j] = 1, of
			} else if !(label >= 0 && label < float32(classes)) || label != float32(int(label)) {
				t, losses[j] = float32(math.NaN()), float32(math.NaN())
			}
			dz[j] = (exp(z[j]-most)/sum - t) * (1 / float32(rows))
		}
		loss = append(loss, linear.Sum(classes, func(j int) float32 { return losses[j] }))
	}
	return loss, dz, class
}

func want(t *testing.T, what string, x compute.Buffer, want []float32) {
	t.Helper()
	got := make([]float32, x.Len())
	err := x.Read(got)
	testenv.Equal(t, what, got, want, err)
}

// TestSoftmax compares with plain Go, for labels and for probabilities, in place and apart.
func TestSoftmax(t *testing.T) {
	everywhere.Run(t, func(t *testing.T, b compute.Backend) {
		for _, shape := range [][2]int{{1, 2}, {5, 3}, {33, 10}, {3, 200}, {1, 2}, {0, 4}} {
			rows, classes := shape[0], shape[1]
			zs := values.Normal(rows*classes, 1)
			labels, targets := make([]float32, rows), values.Uniform(rows*classes, 2)
			for i := range rows {
				labels[i] = float32(i * 7 % classes)
				targets[i*classes] = 0
				zs[i*classes] = zs[i*classes+1] // the greatest may be there twice
			}
			if rows > 0 {
				zs[0] = float32(math.Inf(-1)) // of the probability 0
			}
			if rows >= 5 {
				copy(labels, []float32{-1, 0.5, float32(classes), float32(math.NaN())})
				for j := range classes {
					zs[4*classes+j] *= 1000
				}
			}
			s, err := train.NewSoftmax(b, classes)
			if err != nil {
				t.Fatal(err)
			}
			for _, target := range [][]float32{labels, targets} {
				x := upload(b, zs, target, make([]float32, rows), make([]float32, rows*classes), make([]float32, rows))
				z, y, loss, dz, class := x[0], x[1], x[2], x[3], x[4]
				wantLoss, wantDz, wantClass := crossEntropy(t, zs, target, rows, classes)
				what := fmt.Sprintf("of %d rows of %d classes, %d targets", rows, classes, len(target))
				if err := errors.Join(s.CrossEntropy(loss, nil, z, y), s.CrossEntropy(nil, dz, z, y), s.Predict(class, z)); err != nil {
					t.Fatal(err)
				}
				want(t, "the loss "+what, loss, wantLoss)
				want(t, "the gradient "+what, dz, wantDz)
				want(t, "the prediction "+what, class, wantClass)
				if err := errors.Join(b.Fill(loss, 0), s.CrossEntropy(loss, z, z, y)); err != nil {
					t.Fatal(err)
				}
				want(t, "the loss in place "+what, loss, wantLoss)
				want(t, "the gradient in place "+what, z, wantDz)
				for _, x := range x {
					x.Release()
				}
			}
			if err := s.Release(); err != nil {
				t.Error(err)
			}
		}
		if n := b.Info().LiveBuffers; n != 0 {
			t.Errorf("%d buffers are live", n)
		}
	})
}

// TestSoftmaxFormula compares with the definition, in float64.
func TestSoftmaxFormula(t *testing.T) {
	b := testenv.Open(t, cpu.Open)
	zs, label := []float32{1, -2, 0.5, 3}, 2
	x := upload(b, zs, []float32{float32(label)}, make([]float32, 1), make([]float32, 4), make([]float32, 4))
	z, y, loss, dz, p := x[0], x[1], x[2], x[3], x[4]
	s, err := train.NewSoftmax(b, 4)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.CrossEntropy(loss, dz, z, y), s.Probabilities(p, z)); err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, v := range zs {
		sum += math.Exp(float64(v))
	}
	near := func(what string, got float32, want float64) {
		if math.Abs(float64(got)-want) > 1e-6 {
			t.Errorf("%s is %v, want %v", what, got, want)
		}
	}
	near("the loss", read(loss)[0], -math.Log(math.Exp(float64(zs[label]))/sum))
	for j, v := range zs {
		want := math.Exp(float64(v)) / sum
		near("the probability", read(p)[j], want)
		if j == label {
			want--
		}
		near("the gradient", read(dz)[j], want)
	}
}

// TestClipNorm: bits, above and below the limit, and a NaN.
func TestClipNorm(t *testing.T) {
	everywhere.Run(t, func(t *testing.T, b compute.Backend) {
		for _, n := range []int{0, 1, 100, 5000} {
			gs := values.Normal(n, 3)
			norm := sqrt32(linear.Sum(n, func(i int) float32 { return float32(gs[i] * gs[i]) }))
			for _, limit := range []float32{0.5, 1e6} {
				x := upload(b, gs, make([]float32, 1))
				if err := train.ClipNorm(b, x[0], x[1], limit); err != nil {
					t.Fatal(err)
				}
				clipped := make([]float32, n)
				for i, g := range gs {
					clipped[i] = g * min(1, limit/(norm+1e-6))
				}
				want(t, "the norm", x[1], []float32{norm})
				want(t, fmt.Sprintf("%d elements clipped to %v", n, limit), x[0], clipped)
			}
		}
		nan := float32(math.NaN())
		x := upload(b, []float32{1, nan}, make([]float32, 1))
		if err := train.ClipNorm(b, x[0], x[1], 1); err != nil {
			t.Fatal(err)
		}
		want(t, "a gradient with NaN", x[0], []float32{nan, nan})
	})
}

func TestErrors(t *testing.T) {
	b := testenv.Open(t, cpu.Open)
	x := upload(b, make([]float32, 6), make([]float32, 4), make([]float32, 1), make([]float32, 2))
	six, four, one, two := x[0], x[1], x[2], x[3]
	s, err := train.NewSoftmax(b, 3)
	if err != nil {
		t.Fatal(err)
	}
	tooFew := func() error { _, err := train.NewSoftmax(b, 1); return err }
	tooMany := func() error { _, err := train.NewSoftmax(b, 1<<24+1); return err }
	onNil := func() error { _, err := train.NewSoftmax(nil, 3); return err }
	for _, test := range []struct {
		what string
		err  error
		want error
	}{
		{"one class", tooFew(), compute.ErrArgument},
		{"too many classes", tooMany(), compute.ErrArgument},
		{"no backend", onNil(), compute.ErrUnavailable},
		{"no backend of Norm", train.Norm(nil, one, six), compute.ErrUnavailable},
		{"half rows", s.CrossEntropy(two, four, four, two), compute.ErrLength},
		{"a target of another length", s.CrossEntropy(two, six, six, four), compute.ErrLength},
		{"no target", s.CrossEntropy(two, six, six, nil), compute.ErrForeignBuffer},
		{"no logits", s.CrossEntropy(two, six, nil, two), compute.ErrForeignBuffer},
		{"a loss of another length", s.CrossEntropy(one, six, six, two), compute.ErrLength},
		{"a gradient of another length", s.CrossEntropy(nil, four, six, two), compute.ErrLength},
		{"no classes", s.Predict(nil, six), compute.ErrForeignBuffer},
		{"probabilities of another length", s.Probabilities(four, six), compute.ErrLength},
		{"a limit of 0", train.ClipNorm(b, six, one, 0), compute.ErrArgument},
		{"a limit of NaN", train.ClipNorm(b, six, one, float32(math.NaN())), compute.ErrArgument},
		{"a norm of another length", train.ClipNorm(b, six, two, 1), compute.ErrLength},
		{"no gradient", train.Norm(b, one, nil), compute.ErrForeignBuffer},
	} {
		if !errors.Is(test.err, test.want) {
			t.Errorf("%s: error %v, want %v", test.what, test.err, test.want)
		}
	}
	if err := train.ClipNorm(b, six, two, 1); err == nil || !strings.HasPrefix(err.Error(), "train: clip norm: ") {
		t.Errorf("the error of ClipNorm is %v", err)
	}
	if err := s.Release(); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"CrossEntropy": s.CrossEntropy(two, six, six, two), "Probabilities": s.Probabilities(six, six), "Predict": s.Predict(two, six),
	} {
		if !errors.Is(err, compute.ErrClosed) {
			t.Errorf("%s after Release: %v", what, err)
		}
	}
	if err := s.Release(); err != nil {
		t.Errorf("a second Release: %v", err)
	}
}

// TestSoftmaxWithoutBackend: a Softmax that NewSoftmax has not made returns errors.
func TestSoftmaxWithoutBackend(t *testing.T) {
	for _, s := range []*train.Softmax{nil, {}} {
		for name, err := range map[string]error{
			"CrossEntropy": s.CrossEntropy(nil, nil, nil, nil), "Probabilities": s.Probabilities(nil, nil), "Predict": s.Predict(nil, nil),
		} {
			if !errors.Is(err, compute.ErrUnavailable) {
				t.Errorf("%s: got error %v, want %v", name, err, compute.ErrUnavailable)
			}
		}
		if err := s.Release(); err != nil {
			t.Error(err)
		}
	}
}
