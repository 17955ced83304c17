// Package threefry has the counter-based random number generator threefry2x32 with 20
// rounds, of Salmon, Moraes, Dror and Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3"
// (2011). It keeps no state: equal keys and counters give equal numbers on every device.
package threefry

import "math/bits"

// rotations are the left rotations of the rounds, which repeat.
var rotations = [8]int{13, 15, 26, 6, 17, 29, 16, 24}

// parity is added to the words of the key as a third word.
const parity = 0x1bd11bda

// Block returns the two random words of the counter (c0, c1) under the key (k0, k1).
func Block(k0, k1, c0, c1 uint32) (uint32, uint32) {
	key := [3]uint32{k0, k1, parity ^ k0 ^ k1}
	a, b := c0+k0, c1+k1
	for round := range 20 {
		a += b
		b = bits.RotateLeft32(b, rotations[round%8]) ^ a
		if round%4 == 3 {
			n := uint32(round/4 + 1)
			a += key[n%3]
			b += key[(n+1)%3] + n
		}
	}
	return a, b
}
