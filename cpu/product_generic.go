package cpu

import (
	"math"
	"unsafe"

	"github.com/gmind-go/compute/internal/single"
)

// genericPatches are those in plain Go.
var genericPatches = func() patches {
	p := patches{rows: 4, vectors: 1, width: 4}
	for rows := 1; rows <= p.rows; rows++ {
		p.kernels[rows][1] = patchGeneric
	}
	return p
}()

// patchGeneric computes a patch of any number of rows of 4 columns.
func patchGeneric(p *patch) {
	for i := range p.rows {
		var s0, s1, s2, s3 float32
		a, b := unsafe.Add(p.a, i*p.rowA), p.b
		for k := range p.k {
			x := *(*float32)(unsafe.Add(a, k*p.stepA))
			y := (*[4]float32)(unsafe.Add(b, k*p.stepB))
			s0 = fma(x, y[0], s0)
			s1 = fma(x, y[1], s1)
			s2 = fma(x, y[2], s2)
			s3 = fma(x, y[3], s3)
		}
		c := (*[4]float32)(unsafe.Add(p.c, i*p.rowC))
		if p.add != 0 {
			s0, s1, s2, s3 = c[0]+s0, c[1]+s1, c[2]+s2, c[3]+s3
		}
		*c = [4]float32{s0, s1, s2, s3}
	}
}

// fma returns x*y + z, rounded once. It is faster than single.FMA, but branches.
func fma(x, y, z float32) float32 {
	// The product is exact in float64. Rounding the sum twice is as rounding it once, unless
	// the first time ends halfway between two float32, or below the normal ones, and not at 0.
	sum := float64(float64(x)*float64(y)) + float64(z)
	bits := math.Float64bits(sum)
	if bits&(1<<29-1) == 1<<28 || bits<<1-1 < 0x381<<53-1 {
		return single.FMA(x, y, z)
	}
	return float32(sum)
}
