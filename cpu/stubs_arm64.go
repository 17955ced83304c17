//go:build !purego

package cpu

// leakyReLUForwardNEON: y[i] = x[i] if x[i] >= 0 else slope*x[i].
//
//go:noescape
func leakyReLUForwardNEON(y, x []float32, slope float32)

// leakyReLUDerivativeNEON: d[i] = 1 if x[i] >= 0 else slope.
//
//go:noescape
func leakyReLUDerivativeNEON(d, x []float32, slope float32)

// leakyReLUBackwardNEON: dx[i] = dy[i] if x[i] >= 0 else slope*dy[i].
//
//go:noescape
func leakyReLUBackwardNEON(dx, dy, x []float32, slope float32)

// leakyReLUForwardMaskNEON: y[i] = x[i] if x[i] >= 0 else slope*x[i], and bit i of mask is whether x[i] >= 0. It sets all words, with zeros behind the last element.
//
//go:noescape
func leakyReLUForwardMaskNEON(y []float32, mask []uint64, x []float32, slope float32)

// leakyReLUBackwardMaskNEON: dx[i] = dy[i] if bit i of mask is set else slope*dy[i].
//
//go:noescape
func leakyReLUBackwardMaskNEON(dx, dy []float32, mask []uint64, slope float32)

// leakyReLUForwardDerivativeNEON: y[i] = x[i] and d[i] = 1 if x[i] >= 0, else slope*x[i] and slope.
//
//go:noescape
func leakyReLUForwardDerivativeNEON(y, d, x []float32, slope float32)
