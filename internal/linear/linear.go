// Package linear defines sums and products with fixed bits: the order of their operations. It is
// the reference that every device is held to, element by element, and it is slow.
package linear

import (
	"math"

	"github.com/gmind-go/compute/internal/single"
)

// Block is how many products a chain of MatMul has at most.
const Block = 256

// A chunk of a sum has Chunk elements, in Lanes lanes.
const (
	Chunk = 4096
	Lanes = 64
)

// A Product is a product of matrices, in row-major order: c, of m rows and n columns, of a, of m
// rows and k columns, and b. TransposeA says that a is stored as k rows of m columns, and
// TransposeB that b is stored as n rows of k columns.
type Product struct {
	M, K, N                int
	TransposeA, TransposeB bool
	Accumulate             bool // to c
}

// MatMul computes p.
func MatMul(p Product, c, a, b []float32) {
	for i := range p.M {
		for j := range p.N {
			c[i*p.N+j] = p.Element(c[i*p.N+j], a, b, i, j)
		}
	}
}

// Element returns element i, j of c, where it was c.
func (p Product) Element(c float32, a, b []float32, i, j int) float32 {
	if p.K == 0 && !p.Accumulate {
		return 0
	}
	for from := 0; from < p.K; from += Block {
		chain := p.chain(a, b, i, j, from, min(from+Block, p.K))
		if from == 0 && !p.Accumulate {
			c = chain
		} else {
			c += chain
		}
	}
	return c
}

// chain returns the chain of the products from to to of element i, j.
func (p Product) chain(a, b []float32, i, j, from, to int) float32 {
	chain := float32(0)
	for l := from; l < to; l++ {
		x, y := i*p.K+l, l*p.N+j
		if p.TransposeA {
			x = l*p.M + i
		}
		if p.TransposeB {
			y = j*p.K + l
		}
		chain = single.FMA(a[x], b[y], chain)
	}
	return chain
}

// Sum returns the sum of n elements, of which at returns one.
func Sum(n int, at func(i int) float32) float32 {
	if n <= Chunk {
		return sumChunk(n, at)
	}
	sums := make([]float32, 0, (n+Chunk-1)/Chunk)
	for from := 0; from < n; from += Chunk {
		sums = append(sums, sumChunk(min(Chunk, n-from), func(i int) float32 { return at(from + i) }))
	}
	return Sum(len(sums), func(i int) float32 { return sums[i] })
}

func sumChunk(n int, at func(i int) float32) float32 {
	var lanes [Lanes]float32
	for i := range n {
		lanes[i%Lanes] += at(i)
	}
	for half := Lanes / 2; half > 0; half /= 2 {
		for i := range half {
			lanes[i] += lanes[i+half]
		}
	}
	return lanes[0]
}

// Max returns the greatest of n elements, of which at returns one.
func Max(n int, at func(i int) float32) float32 {
	m := float32(math.Inf(-1))
	for i := range n {
		m = max(m, at(i)) // of Go: NaN if one is, and +0 is greater than -0
	}
	return m
}

// Min returns the least of n elements, of which at returns one.
func Min(n int, at func(i int) float32) float32 {
	m := float32(math.Inf(1))
	for i := range n {
		m = min(m, at(i))
	}
	return m
}

// Mean returns the mean of n elements, of which at returns one.
func Mean(n int, at func(i int) float32) float32 { return Sum(n, at) / float32(n) }
