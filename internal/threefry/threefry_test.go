package threefry

import "testing"

// TestBlock compares with the known answers that Random123 publishes for threefry2x32 with
// 20 rounds.
func TestBlock(t *testing.T) {
	for _, known := range []struct{ counter, key, want [2]uint32 }{
		{[2]uint32{0, 0}, [2]uint32{0, 0}, [2]uint32{0x6b200159, 0x99ba4efe}},
		{[2]uint32{0xffffffff, 0xffffffff}, [2]uint32{0xffffffff, 0xffffffff}, [2]uint32{0x1cb996fc, 0xbb002be7}},
		{[2]uint32{0x243f6a88, 0x85a308d3}, [2]uint32{0x13198a2e, 0x03707344}, [2]uint32{0xc4923a9c, 0x483df7a0}},
	} {
		a, b := Block(known.key[0], known.key[1], known.counter[0], known.counter[1])
		if got := [2]uint32{a, b}; got != known.want {
			t.Errorf("counter %#x, key %#x: %#x, want %#x", known.counter, known.key, got, known.want)
		}
	}
}
