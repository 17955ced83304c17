package main

import (
	"fmt"
	"math/big"
	"strings"
)

// A series is a polynomial whose coefficients are float32, of which the first ones get a low part.
type series struct {
	polynomial
	pairs int
}

var quick = []series{
	{
		polynomial{
			name: "quickExpTail", doc: "(e^r - 1 - r - r^2/2) / r^3", low: -0.3466, high: 0.3466, degree: 6,
			f: func(r *big.Float) *big.Float { return tail(r, 3) },
		}, 3,
	},
	{
		polynomial{
			name: "quickNormalTail", doc: "Phi(-t)*(t+3)/e^(-t*t/2), t = 8/(1.53125-v) - 3,", low: -1.1355, high: 1.0313, degree: 16,
			f: func(v *big.Float) *big.Float {
				d := p.Div(p.Integer(8), p.Sub(p.Float().SetFloat64(1.53125), v)) // t + 3
				t := p.Sub(d, p.Integer(3))
				return p.Div(p.Mul(p.NormalCDF(p.Neg(t)), d), p.Exp(p.Half(p.Neg(p.Mul(t, t)))))
			},
		}, 11,
	},
	{
		polynomial{
			name: "quickLogTail", doc: "(log((1+z)/(1-z))/z - 2) / z^2 for w = z^2", low: 0, high: 0.0296, degree: 5,
			f: func(w *big.Float) *big.Float { // 2/3 + 2/5*w + ...
				sum, power := p.Div(p.Integer(2), p.Integer(3)), p.Integer(1)
				for n := int64(5); ; n += 2 {
					power = p.Mul(power, w)
					term := p.Div(p.Double(power), p.Integer(n))
					if !p.Counts(term, sum) {
						return sum
					}
					sum = p.Add(sum, term)
				}
			},
		}, 2,
	},
	{
		polynomial{
			name: "quickErf", doc: "erf(x)/x for w = -x^2", low: -0.0626, high: 0, degree: 5,
			f: func(w *big.Float) *big.Float { // 2/sqrt(pi) * (1 + w/3 + w^2/(2!*5) + ...)
				sum, power := p.Integer(1), p.Integer(1)
				for n := int64(1); ; n++ {
					power = p.Div(p.Mul(power, w), p.Integer(n))
					term := p.Div(power, p.Integer(2*n+1))
					if !p.Counts(term, sum) {
						return p.Mul(sum, p.TwoOverRootPi())
					}
					sum = p.Add(sum, term)
				}
			},
		}, 3,
	},
}

// quickConstants writes the parts of some numbers. log(2) has them twice: the upper part has 8
// trailing zeros.
func quickConstants(b *strings.Builder) {
	b.WriteString("\nconst (\n")
	write := func(name string, x *big.Float) {
		high, low := split(x)
		fmt.Fprintf(b, "%sHigh = %s\n%[1]sLow = %[3]s\n", name, hex(high), hex(low))
	}
	ln2 := p.Log(p.Integer(2))
	write("quickLn2", ln2)
	upper := new(big.Float).SetPrec(24 - 8).Set(ln2)
	lower, _ := split(p.Sub(ln2, upper))
	fmt.Fprintf(b, "quickLn2Upper = %s\nquickLn2Lower = %s\n", hex(upper), hex(lower))
	write("twoOverRootPi", p.TwoOverRootPi())
	write("density", p.NormalPDF(p.Integer(0)))
	write("root2", p.Float().Sqrt(p.Integer(2)))
	linear := p.Double(p.Float().Sqrt(p.Div(p.Integer(2), p.Pi())))
	write("quickLinear", linear)
	write("quickCubic", p.Mul(linear, p.Div(p.Integer(44715), p.Integer(1000000))))
	b.WriteString(")\n")
}

// split returns x as the sum of two float32.
func split(x *big.Float) (high, low *big.Float) {
	h, _ := x.Float32()
	high = p.Float().SetFloat64(float64(h))
	l, _ := p.Sub(x, high).Float32()
	return high, p.Float().SetFloat64(float64(l))
}

// write writes the variable with the coefficients, and the largest error of the polynomial that
// has them.
func (a *series) write(b *strings.Builder) {
	var high, low []string
	sum := a.interpolate()
	for i, c := range sum {
		h, l := split(c)
		high, sum[i] = append(high, hex(h)), h
		if i < a.pairs {
			low, sum[i] = append(low, hex(l)), p.Add(h, l)
		}
	}
	fmt.Fprintf(b, "\n// %s approximates %s for x from %v to %v, with an error of at most %.2g.\nvar %[1]s = series{\n", a.name, a.doc, a.low, a.high, a.worst(sum))
	fmt.Fprintf(b, "high: []float32{\n%s,\n},\nlow: []float32{\n%s,\n},\n}\n", strings.Join(high, ",\n"), strings.Join(low, ",\n"))
}
