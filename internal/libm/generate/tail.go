package main

import (
	"fmt"
	"math/big"
	"strings"
)

// The tail of the normal distribution is a polynomial of w = tailShift - tailScale/(t+tailPole),
// which maps t from 0 to tailMax to w from -1 to 1. The pole is where the degree is small.
const (
	tailMax   = 14.5625
	tailPole  = 0.390625 * tailMax
	tailShift = 1 + 2*tailPole/tailMax
	tailScale = tailPole * (tailShift + 1)
)

// tailConstants writes the constants, and for the density of the distribution that at 0, and the
// factor of t*t that it has beside the exponential, see gaussTail.
func tailConstants(b *strings.Builder) {
	fmt.Fprintf(b, "\nconst (\ntailMax = %v\ntailPole = %v\ntailShift = %v\ntailScale = %v\n", tailMax, tailPole, tailShift, tailScale)
	density := p.NormalPDF(p.Integer(0))
	excess := p.Sub(stretch(), p.Integer(1))
	fmt.Fprintf(b, "density0 = %s\ndensitySlope = %s\n)\n", hex(density), hex(p.Half(p.Mul(density, excess))))
}

// stretch returns the quotient of log(2) and its float64.
func stretch() *big.Float {
	ln2 := p.Log(p.Integer(2))
	rounded, _ := ln2.Float64()
	return p.Div(ln2, p.Float().SetFloat64(rounded))
}

// gaussTail has the distribution function Phi(-t) of the standard normal distribution without
// e^(-t*t/2). The exponential is computed as if log(2) were a float64: that is
// e^(-t*t/2 * log(2)/float64(log(2))).
var gaussTail = polynomial{
	name: "gaussTail", doc: "Phi(-t) * e^(t*t/2 * log(2)/float64(log(2)))", low: -1, high: 1, degree: 18, relative: true,
	f: func(w *big.Float) *big.Float {
		t := p.Sub(p.Div(p.Float().SetFloat64(tailScale), p.Sub(p.Float().SetFloat64(tailShift), w)), p.Float().SetFloat64(tailPole))
		y := p.Mul(p.Half(p.Mul(t, t)), stretch())
		return p.Mul(p.NormalCDF(p.Neg(t)), p.Exp(y))
	},
}

// halfTail is for an exponential of half the argument.
var halfTail = polynomial{
	name: "halfTail", doc: "(e^(-u/2) - 1) / u", low: -0.6932, high: 0.6932, degree: 9, relative: true,
	f: func(u *big.Float) *big.Float { return p.Neg(p.Half(tail(p.Neg(p.Half(u)), 1))) },
}
