package rounded

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// A trial is a function of the package and its definition.
type trial struct {
	name     string
	f        func(float32) float32
	parts    *function // nil for a quotient
	low      float64   // where the definition is tried, besides in [-20, 20]
	high     float64
	want     func(fixed) fixed
	hard     []float32 // the hardest to round
	infinite [2]float32
}

func trials() []trial {
	one, two := whole(1), whole(2)
	realSilu := func(x fixed) fixed { return x.mul(x.sigmoid()) }
	realGelu := func(x fixed) fixed { return x.mul(one.add(x.div(two.sqrt()).erf())).div(two) }
	realGeluTanh := func(x fixed) fixed {
		c := whole(44715).div(whole(1000000))
		u := two.div(pi).sqrt().mul(x.add(c.mul(x).mul(x).mul(x)))
		return x.mul(one.add(u.tanh())).div(two)
	}
	realMish := func(x fixed) fixed { return x.mul(x.softplus().tanh()) }
	realSoftsign := func(x fixed) fixed { return x.div(one.add(fixed{x.neg().Abs(x.Int)})) }
	prime := func(f func(fixed) fixed) func(fixed) fixed {
		return func(x fixed) fixed { return x.slope(f) }
	}
	return []trial{
		{"exp", Exp, &exp, -104, 89, fixed.exp, []float32{-0x1.d2259ap+3}, [2]float32{0, inf}},
		{"expm1", Expm1, &expm1, -30, 89, func(x fixed) fixed { return x.exp().sub(one) }, []float32{0x1.84a5bap-4}, [2]float32{-1, inf}},
		{"log", Log, &log, 0, math.MaxFloat32, fixed.log, nil, [2]float32{nan, inf}},
		{"log1p", Log1p, &log1p, -1, math.MaxFloat32, func(x fixed) fixed { return one.add(x).log() }, nil, [2]float32{nan, inf}},
		{"tanh", Tanh, &tanh, -12, 12, fixed.tanh, []float32{0x1.86fbc4p-10}, [2]float32{-1, 1}},
		{"sigmoid", Sigmoid, &sigmoid, -110, 20, fixed.sigmoid, append(odds(-23), -0x1.250c02p-10), [2]float32{0, 1}},
		{"softplus", Softplus, &softplus, -110, 110, fixed.softplus, []float32{0x1.d483ap-12, 0x1.172c44p-12}, [2]float32{0, inf}},
		{"logSigmoid", LogSigmoid, nil, -110, 110, func(x fixed) fixed { return x.neg().softplus().neg() }, []float32{-0x1.d483ap-12, -0x1.172c44p-12}, [2]float32{-inf, negative}},
		{"erf", Erf, &erf, -4, 4, fixed.erf, []float32{0x1.81d5acp-13}, [2]float32{-1, 1}},
		{"silu", SiLU, &silu, -120, 50, realSilu, odds(-149), [2]float32{negative, inf}},
		{"gelu", GELU, &gelu, -15.5, 10, realGelu, odds(-149), [2]float32{negative, inf}},
		{"geluTanh", GELUTanh, &geluTanh, -12, 12, realGeluTanh, odds(-149), [2]float32{negative, inf}},
		{"mish", Mish, &mish, -110, 50, realMish, []float32{0x1.4p-24, -0x1.4p-24}, [2]float32{negative, inf}},
		{"softsign", Softsign, nil, -math.MaxFloat32, math.MaxFloat32, realSoftsign, nil, [2]float32{-1, 1}},
		{"log1pPrime", Log1pPrime, nil, -2, math.MaxFloat32, func(x fixed) fixed { return one.div(one.add(x)) }, odds(-24), [2]float32{negative, 0}},
		{"tanhPrime", TanhPrime, &tanhPrime, -55, 55, prime(fixed.tanh), nil, [2]float32{0, 0}},
		{"sigmoidPrime", SigmoidPrime, &sigmoidPrime, -104, 104, prime(fixed.sigmoid), nil, [2]float32{0, 0}},
		{"erfPrime", ErfPrime, &erfPrime, -10.4, 10.4, prime(fixed.erf), nil, [2]float32{0, 0}},
		{"siluPrime", SiLUPrime, &siluPrime, -120, 50, prime(realSilu), append(odds(-24), -1.2784646, -1.278464543), [2]float32{negative, 1}},
		{"geluPrime", GELUPrime, &geluPrime, -15.5, 10, prime(realGelu), []float32{-0.7517915, -0.75179}, [2]float32{negative, 1}},
		{"geluTanhPrime", GELUTanhPrime, &geluTanhPrime, -12, 12, prime(realGeluTanh), []float32{-0.7524614, -0.75246}, [2]float32{negative, 1}},
		{"mishPrime", MishPrime, &mishPrime, -110, 50, prime(realMish), []float32{-0x1.4p-27, -1.1924312}, [2]float32{negative, 1}},
		{"softsignPrime", SoftsignPrime, nil, -math.MaxFloat32, math.MaxFloat32, func(x fixed) fixed {
			d := one.add(fixed{x.neg().Abs(x.Int)})
			return one.div(d.mul(d))
		}, odds(-25), [2]float32{0, 0}},
	}
}

// odds returns odd multiples of 2^exponent, and of its half, of both signs.
func odds(exponent int) []float32 {
	var list []float32
	for _, n := range []float64{1, 3, 5, 77, 999, 2047} {
		for _, e := range []int{exponent, exponent - 1} {
			x := float32(math.Ldexp(n, e))
			list = append(list, x, -x)
		}
	}
	return list
}

// TestRounded compares with the definitions, at the inputs that are the hardest to round and
// at random ones, both what is computed in float64 and what is computed exactly.
func TestRounded(t *testing.T) {
	samples := 60
	if testing.Short() {
		samples = 5
	}
	for seed, trial := range trials() {
		t.Run(trial.name, func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(uint64(seed), 1))
			inputs := append([]float32{0x1p-149, -0x1p-149, 0x1p-126, 0x1p-24, 1, -1}, trial.hard...)
			for range samples {
				inputs = append(inputs, float32(40*r.Float64()-20), math.Float32frombits(r.Uint32()))
				if width := trial.high - trial.low; width < 1000 {
					inputs = append(inputs, float32(trial.low+width*r.Float64()))
				}
			}
			tried := 0
			for _, x := range inputs {
				if isNaN(x) || float64(x) <= trial.low || float64(x) >= trial.high || x == 0 || x == -1 && trial.low >= -2 {
					continue
				}
				tried++
				want := trial.want(fromFloat(float64(x))).float32()
				if got := trial.f(x); got != want {
					t.Errorf("%s(%x) = %x, want %x", trial.name, x, got, want)
				}
				if trial.parts != nil {
					if got := trial.parts.exactly(x); got != want {
						t.Errorf("%s(%x) = %x exactly, want %x", trial.name, x, got, want)
					}
				}
			}
			if tried < samples/2 {
				t.Errorf("tried %d inputs only", tried)
			}
		})
	}
}

// TestLimits checks the results at infinities and NaN, with their signs.
func TestLimits(t *testing.T) {
	for _, trial := range trials() {
		for i, x := range []float32{-inf, inf} {
			if got, want := trial.f(x), trial.infinite[i]; math.Float32bits(got) != math.Float32bits(want) && !(isNaN(got) && isNaN(want)) {
				t.Errorf("%s(%v) = %v, want %v", trial.name, x, got, want)
			}
		}
		if got := trial.f(nan); !isNaN(got) {
			t.Errorf("%s(NaN) = %v", trial.name, got)
		}
	}
}

// TestZeros checks that odd functions, and those that are x times something, keep the sign
// of a zero.
func TestZeros(t *testing.T) {
	for name, f := range map[string]func(float32) float32{
		"expm1": Expm1, "log1p": Log1p, "tanh": Tanh, "erf": Erf, "silu": SiLU, "gelu": GELU,
		"geluTanh": GELUTanh, "mish": Mish, "softsign": Softsign,
	} {
		for _, zero := range []float32{0, negative} {
			if got := f(zero); math.Float32bits(got) != math.Float32bits(zero) {
				t.Errorf("%s(%v) = %v", name, zero, got)
			}
		}
	}
	for _, known := range []struct {
		name string
		f    func(float32) float32
		want float64
	}{
		{"exp", Exp, 1}, {"log", Log, math.Inf(-1)}, {"sigmoid", Sigmoid, 0.5}, {"softplus", Softplus, math.Ln2},
		{"logSigmoid", LogSigmoid, -math.Ln2}, {"log1pPrime", Log1pPrime, 1}, {"tanhPrime", TanhPrime, 1},
		{"sigmoidPrime", SigmoidPrime, 0.25}, {"erfPrime", ErfPrime, 2 / math.SqrtPi}, {"siluPrime", SiLUPrime, 0.5},
		{"geluPrime", GELUPrime, 0.5}, {"geluTanhPrime", GELUTanhPrime, 0.5}, {"mishPrime", MishPrime, 0.6},
		{"softsignPrime", SoftsignPrime, 1},
	} {
		if got := known.f(negative); got != float32(known.want) {
			t.Errorf("%s(-0) = %v, want %v", known.name, got, float32(known.want))
		}
	}
}

// TestTails tries all the range in which a result is neither 0 nor 1 nor x, and beyond: the
// special parts must begin where they may.
func TestTails(t *testing.T) {
	for _, trial := range trials() {
		for x := float32(-120.7); x < 121; x += 0.7 {
			if float64(x) <= trial.low || float64(x) >= trial.high {
				continue
			}
			if got, want := trial.f(x), trial.want(fromFloat(float64(x))).float32(); got != want {
				t.Errorf("%s(%v) = %v, want %v", trial.name, x, got, want)
			}
		}
	}
}

// TestBounds checks that float64 is within a quarter of the error bound, so that package math
// of another processor may be less exact.
func TestBounds(t *testing.T) {
	samples := 300
	if testing.Short() {
		samples = 20
	}
	r := rand.New(rand.NewPCG(8, 9))
	for _, trial := range trials() {
		tried := 0
		for tried < samples && trial.parts != nil {
			x := float32(trial.low + (min(trial.high, 1000)-trial.low)*r.Float64())
			if tried%3 == 0 {
				x = float32(math.Ldexp(r.NormFloat64(), -r.IntN(150)))
			}
			if _, special := trial.parts.special(x); special {
				continue
			}
			tried++
			y, bound := trial.parts.approx(float64(x))
			exact := trial.parts.exact(200+guard, new(big.Float).SetFloat64(float64(x)))
			difference, _ := exact.Sub(exact, new(big.Float).SetFloat64(y)).Float64()
			if !(math.Abs(difference) <= bound/4) {
				t.Errorf("%s(%x) is %v in float64, off by %v, and the bound is %v", trial.name, x, y, difference, bound)
			}
		}
	}
}
