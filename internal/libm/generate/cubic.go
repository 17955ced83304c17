package main

import (
	"fmt"
	"math/big"
	"strings"
)

// cubicConstants writes the coefficients of -v/log(2), for v = 2*sqrt(2/pi)*(x + 0.044715*x^3) of
// geluTanh, in two parts, and those of the derivative of v. The upper part of the first has
// trailing zeros.
func cubicConstants(b *strings.Builder) {
	linear := p.Float().Sqrt(p.Div(p.Integer(8), p.Pi()))
	cubic := p.Mul(linear, p.Div(p.Integer(44715), p.Integer(1000000)))
	parts := func(name string, c *big.Float, bits uint) {
		c = p.Neg(p.Div(c, p.Log(p.Integer(2))))
		high := new(big.Float).SetPrec(bits).Set(c)
		fmt.Fprintf(b, "%sHigh = %s\n%[1]sLow = %[3]s\n", name, hex(high), hex(p.Sub(c, high)))
	}
	b.WriteString("\nconst (\n")
	parts("linear", linear, 53-4)
	parts("cubic", cubic, 53)
	fmt.Fprintf(b, "slope = %s\nslopeSquare = %s\n)\n", hex(linear), hex(p.Mul(p.Integer(3), cubic)))
}

// exp2Tail is for powers of 2.
var exp2Tail = polynomial{
	name: "exp2Tail", doc: "(2^r - 1) / r", low: -0.5001, high: 0.5001, degree: 9, relative: true,
	f: func(r *big.Float) *big.Float {
		ln2 := p.Log(p.Integer(2))
		return p.Mul(ln2, tail(p.Mul(r, ln2), 1))
	},
}
