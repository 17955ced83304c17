package main

import (
	"math"
	"math/big"
)

// minimax returns the coefficients of the polynomial whose largest error, relative to f, is
// near the smallest that a polynomial of the degree has. It is Remez's algorithm on a grid: of
// the polynomials whose relative errors at degree+2 points are equal with alternating signs,
// it seeks that whose errors elsewhere are no larger, by moving the points to the largest errors.
func (a *polynomial) minimax() []*big.Float {
	n := a.degree + 2
	size := 40 * n
	x, f := make([]*big.Float, size), make([]*big.Float, size)
	for i := range size {
		x[i] = p.Float().SetFloat64((a.low+a.high)/2 - float64((a.high-a.low)/2*math.Cos(math.Pi*(float64(i)+0.5)/float64(size))))
		f[i] = a.f(x[i])
	}
	points := make([]int, n)
	for i := range points {
		points[i] = 40*i + 20
	}
	var c []*big.Float
	for range 30 {
		rows := make([][]*big.Float, n)
		sign := int64(1)
		for i, k := range points {
			rows[i] = powers(x[k], a.degree)
			rows[i] = append(rows[i], p.Mul(f[k], p.Integer(sign)), f[k])
			sign = -sign
		}
		c = solve(rows)[:n-1]
		errors := make([]float64, size)
		for i := range size {
			errors[i], _ = p.Div(p.Sub(value(c, x[i]), f[i]), f[i]).Float64()
		}
		next := extrema(errors, n)
		if next == nil {
			break
		}
		points = next
	}
	return c
}

// extrema returns the indices of n errors of alternating signs, the largest of their runs of
// one sign. There are at least n runs; the smaller of the outermost are left out.
func extrema(errors []float64, n int) []int {
	var list []int
	for i, e := range errors {
		last := len(list) - 1
		switch {
		case last < 0 || (e < 0) != (errors[list[last]] < 0):
			list = append(list, i)
		case math.Abs(e) > math.Abs(errors[list[last]]):
			list[last] = i
		}
	}
	if len(list) < n {
		return nil
	}
	for len(list) > n {
		if math.Abs(errors[list[0]]) < math.Abs(errors[list[len(list)-1]]) {
			list = list[1:]
		} else {
			list = list[:len(list)-1]
		}
	}
	return list
}

// powers returns 1, x, x^2 ... x^degree.
func powers(x *big.Float, degree int) []*big.Float {
	list := []*big.Float{p.Integer(1)}
	for i := range degree {
		list = append(list, p.Mul(list[i], x))
	}
	return list
}

// value returns c[0] + c[1]*x + ...
func value(c []*big.Float, x *big.Float) *big.Float {
	sum := p.Integer(0)
	for i := len(c) - 1; i >= 0; i-- {
		sum = p.Add(p.Mul(sum, x), c[i])
	}
	return sum
}

// solve solves the linear equations of the rows, whose last elements are the right sides, by
// elimination. It changes the rows.
func solve(rows [][]*big.Float) []*big.Float {
	n := len(rows)
	for i := range n {
		for k := i + 1; k < n; k++ {
			if rows[k][i].MantExp(nil) > rows[i][i].MantExp(nil) || rows[i][i].Sign() == 0 {
				rows[i], rows[k] = rows[k], rows[i]
			}
		}
		for k := range n {
			if k == i {
				continue
			}
			factor := p.Div(rows[k][i], rows[i][i])
			for j := i; j <= n; j++ {
				rows[k][j] = p.Sub(rows[k][j], p.Mul(factor, rows[i][j]))
			}
		}
	}
	x := make([]*big.Float, n)
	for i := range n {
		x[i] = p.Div(rows[i][n], rows[i][i])
	}
	return x
}
