// Package contracted has a product and a sum that Go makes one operation of, on processors
// that have one. A test checks that it sees that.
package contracted

// F returns x*y + z, rounded once or twice.
func F(x, y, z float32) float32 { return x*y + z }
