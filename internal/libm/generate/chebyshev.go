package main

import (
	"math"
	"math/big"
)

// interpolate returns the coefficients of the polynomial that equals f at the Chebyshev nodes of
// the interval, whose largest error is near the smallest that a polynomial of the degree has.
// It uses Newton's divided differences.
func (a *polynomial) interpolate() []*big.Float {
	n := a.degree + 1
	nodes, values := make([]*big.Float, n), make([]*big.Float, n)
	for i := range n {
		nodes[i] = p.Float().SetFloat64((a.low+a.high)/2 + (a.high-a.low)/2*math.Cos(math.Pi*(float64(i)+0.5)/float64(n)))
		values[i] = a.f(nodes[i])
	}
	for order := 1; order < n; order++ {
		for i := n - 1; i >= order; i-- {
			values[i] = p.Div(p.Sub(values[i], values[i-1]), p.Sub(nodes[i], nodes[i-order]))
		}
	}
	c := []*big.Float{values[n-1]} // of values[i] + (x-nodes[i])*(...), from inside
	for i := n - 2; i >= 0; i-- {
		c = append(c, p.Integer(0))
		for j := len(c) - 1; j >= 0; j-- {
			c[j] = p.Neg(p.Mul(c[j], nodes[i]))
			if j > 0 {
				// c[j-1] is not changed yet
				c[j] = p.Add(c[j], c[j-1])
			}
		}
		c[0] = p.Add(c[0], values[i])
	}
	return c
}

// worst returns the largest absolute error, at many points, of the polynomial with coefficients
// rounded to float64.
func (a *polynomial) worst(c []*big.Float) float64 {
	const points = 2000
	worst := 0.0
	for i := range points + 1 {
		x := p.Float().SetFloat64(a.low + (a.high-a.low)*float64(i)/points)
		sum := p.Integer(0)
		for j := len(c) - 1; j >= 0; j-- {
			rounded, _ := c[j].Float64()
			sum = p.Add(p.Mul(sum, x), p.Float().SetFloat64(rounded))
		}
		e, _ := p.Sub(sum, a.f(x)).Float64()
		worst = max(worst, math.Abs(e))
	}
	return worst
}

// tail returns the sum of x^(n-from)/n! from n = from on: (e^x - 1 - x ...) / x^from.
func tail(x *big.Float, from int64) *big.Float {
	term := p.Integer(1)
	for n := int64(2); n <= from; n++ {
		term = p.Div(term, p.Integer(n))
	}
	sum := p.Float().Set(term)
	for n := from + 1; p.Counts(term, sum); n++ {
		term = p.Div(p.Mul(term, x), p.Integer(n))
		sum = p.Add(sum, term)
	}
	return sum
}
