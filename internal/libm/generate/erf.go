package main

import (
	"fmt"
	"math/big"
	"strings"
)

// From erfMax on erf is 1 when rounded to float32.
const erfMax, erfMiddle = 3.9375, 7.75

// erfConstants writes the constants of erf.
func erfConstants(b *strings.Builder) {
	fmt.Fprintf(b, "\nconst (\nerfMax = %v\nerfMiddle = %v\ntwoOverRootPi = %s\n)\n", erfMax, erfMiddle, hex(p.TwoOverRootPi()))
}

// erfTail is a polynomial of x*x - erfMiddle.
var erfTail = polynomial{
	name: "erfTail", doc: "(erf(sqrt(t))/sqrt(t) - 2/sqrt(pi)) / t of t-erfMiddle", low: -erfMiddle + 1e-6, high: erfMiddle + 0.01, degree: 24, relative: true,
	f: func(u *big.Float) *big.Float {
		t := p.Add(u, p.Float().SetFloat64(erfMiddle))
		x := p.Float().Sqrt(t)
		return p.Div(p.Sub(p.Div(p.Erf(x), x), p.TwoOverRootPi()), t)
	},
}
