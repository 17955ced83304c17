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
