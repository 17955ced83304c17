package golden

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/values"
)

// TestNear compares the results at the inputs that are hard to round, made with MPFR, with
// those of package rounded: all of them (make exhaustive), or some.
func TestNear(t *testing.T) {
	tried := 0
	for _, op := range Functions() {
		f := Rounded(op)
		x, want := Near(op)
		if len(x) < 100 {
			t.Errorf("%s has only %d inputs that are hard to round", op.Info().Name, len(x))
		}
		step := 1
		if !testenv.Exhaustive() {
			step = 1 + len(x)/100
		}
		for i := len(x) % step; i < len(x); i += step {
			tried++
			if got := f(x[i]); !values.Same(got, want[i]) {
				t.Errorf("%s(%s) is %s by package rounded, and %s by MPFR", op.Info().Name, values.Show(x[i]), values.Show(got), values.Show(want[i]))
			}
		}
	}
	t.Logf("the references agree at %d inputs that are hard to round, of %d functions", tried, len(Functions()))
}

// TestHash computes hashes by their definition.
func TestHash(t *testing.T) {
	for n := range 40 {
		results := values.Bits(n, uint64(n))
		var lanes [8]uint64
		for i, y := range results {
			if y == y {
				lanes[i%8] ^= uint64(math.Float32bits(y))
			} else {
				lanes[i%8] ^= 0x7fc00000
			}
			lanes[i%8] *= 0x9e3779b97f4a7c15
		}
		want := uint64(0)
		for _, lane := range lanes {
			want = (want ^ lane) * 0x9e3779b97f4a7c15
			want ^= want >> 32
		}
		if got := Hash(results); got != want {
			t.Errorf("the hash of %d results is %#x and should be %#x", n, got, want)
		}
	}
}

// TestHashDiffers: a hash changes if one result does, in any bit, and if two are exchanged; but
// not with the bits of a NaN.
func TestHashDiffers(t *testing.T) {
	results := values.Normal(100, 1)
	right := Hash(results)
	for i := range results {
		own := math.Float32bits(results[i])
		for bit := range 32 {
			results[i] = math.Float32frombits(own ^ 1<<bit)
			if Hash(results) == right {
				t.Errorf("the hash is the same with another bit %d of result %d", bit, i)
			}
		}
		results[i] = math.Float32frombits(own)
		j := (i + 8) % len(results)
		results[i], results[j] = results[j], results[i]
		if Hash(results) == right {
			t.Errorf("the hash is the same with the results %d and %d exchanged", i, j)
		}
		results[i], results[j] = results[j], results[i]
	}
	results[5] = math.Float32frombits(0x7fc00000)
	one := Hash(results)
	for _, nan := range []uint32{0x7f800001, 0xffc00000, 0xffffffff} {
		results[5] = math.Float32frombits(nan)
		if Hash(results) != one {
			t.Errorf("the hash depends on the bits of a NaN, %#x", nan)
		}
	}
}

// TestInputs: the inputs of the blocks are all float32, in order.
func TestInputs(t *testing.T) {
	x := make([]float32, 3)
	for _, b := range []int{0, 1, 1016, 2047, 2048, Blocks - 9} {
		Inputs(b, x)
		for i, v := range x {
			if got, want := math.Float32bits(v), uint32(b<<20+i); got != want {
				t.Errorf("input %d of block %d is %#x", i, b, got)
			}
		}
	}
	x = make([]float32, BlockSize)
	Inputs(Sample, x)
	for i, v := range x {
		if got := math.Float32bits(v); got/4096 != uint32(i) && v == v {
			t.Fatalf("input %d of the sample is %#x", i, got)
		}
	}
}

// TestBlocks compares the hashes, made with MPFR, with those of what package rounded returns,
// for random blocks: 32 of every function (make exhaustive), or one.
func TestBlocks(t *testing.T) {
	count := 1
	switch {
	case testenv.Exhaustive():
		count = 32
	case testing.Short() || testenv.Raced || strconv.IntSize == 32:
		t.Skip("takes a minute; without -race and on 64 bits, seconds")
	}
	r := rand.New(rand.NewPCG(uint64(count), 1))
	for _, op := range Functions() {
		var blocks []int
		for range count {
			const low, high = (127 - 13) * 8, (127 + 6) * 8 // from 2^-13 to 2^6, where results vary
			blocks = append(blocks, low+r.IntN(high-low)+r.IntN(2)*Blocks/2)
		}
		t.Run(op.Info().Name, func(t *testing.T) {
			t.Parallel()
			f := Rounded(op)
			x := make([]float32, BlockSize)
			for _, b := range blocks {
				Inputs(b, x)
				for i, v := range x {
					x[i] = f(v)
				}
				if got, want := Hash(x), Block(op, b); got != want {
					t.Errorf("block %d has the hash %#x by package rounded, and %#x by MPFR", b, got, want)
				}
			}
			t.Logf("the references agree on the blocks %v of %d inputs", blocks, BlockSize)
		})
	}
}
