package play

import (
	"encoding/binary"
	"math"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/values"
)

// A script is the calls of a Player, encoded as bytes. Every sequence of bytes is a script.
// Zeros follow its end.
type script []byte

func (s *script) byte() byte {
	if len(*s) == 0 {
		return 0
	}
	b := (*s)[0]
	*s = (*s)[1:]
	return b
}

// below returns a number from 0 to n-1, n at most 256.
func (s *script) below(n int) int { return int(s.byte()) % n }

// oneIn reports whether something rare happens: with random bytes, one time in n. After
// the end of the script it never does.
func (s *script) oneIn(n int) bool { return s.below(n) == n-1 }

func (s *script) float() float32 {
	var raw [4]byte
	for i := range raw {
		raw[i] = s.byte()
	}
	return math.Float32frombits(binary.LittleEndian.Uint32(raw[:]))
}

// edges are lengths at which backends switch to other code, and their neighbours: bits of a
// byte and of a word, vectors, pages, parts of a stream, shares of a core.
var edges = []int{7, 8, 9, 63, 64, 65, 127, 128, 129, 1023, 1024, 1025, 4095, 4097, 8191, 8192, 8193, 16383, 16384, 16387}

// length returns the length of a buffer, usually a small one.
func (s *script) length() int {
	const most = 20_000 // longer ones are slow; the conformance suite has them
	switch kind := s.byte(); {
	case kind < 200:
		return s.below(200)
	case kind < 240:
		return edges[s.below(len(edges))]
	}
	return min(s.below(256)<<8|s.below(256), most)
}

// badLength returns a length that no buffer can have, and the error for it.
func (s *script) badLength() (int, error) {
	switch s.below(4) {
	case 0:
		return -1, compute.ErrLength
	case 1:
		return math.MinInt, compute.ErrLength
	case 2:
		return math.MaxInt, compute.ErrOutOfMemory
	}
	return math.MaxInt/4 + 1, compute.ErrOutOfMemory
}

// values returns n elements: some raw ones repeated, special ones, or random ones.
func (s *script) values(n int) []float32 {
	switch s.below(4) {
	case 0:
		few := make([]float32, 1+s.below(8))
		for i := range few {
			few[i] = s.float()
		}
		return repeat(few, n)
	case 1:
		special := values.Special()
		return repeat(special[s.below(len(special)):], n)
	case 2:
		return values.Bits(n, uint64(s.byte()))
	}
	return values.Normal(n, uint64(s.byte()))
}

// repeat returns n elements, which repeat v.
func repeat(v []float32, n int) []float32 {
	r := make([]float32, n)
	for i := range r {
		r[i] = v[i%len(v)]
	}
	return r
}
