package form

import (
	"fmt"
	"math/bits"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/values"
)

// Agrees reports whether got is the element of o for f: the reference bit by bit, where
// any NaN stands for any other. If the device flushes subnormals, those of the inputs,
// the parameters and the result may be zeros of any sign.
func (o Operand) Agrees(f compute.Activation, got, dy, x float32, flushes bool) bool {
	return values.Same(got, o.Want(f, dy, x)) || flushes && o.flushed(f, got, dy, x)
}

func (o Operand) flushed(f compute.Activation, got, dy, x float32) bool {
	if o != DX {
		dy = 0
	}
	for _, f2 := range []compute.Activation{f, flushParams(f)} {
		for _, dy2 := range []float32{dy, flush(dy)} {
			for _, x2 := range []float32{x, flush(x)} {
				want := o.Want(f2, dy2, x2)
				flushed := f2 != f || dy2 != dy || x2 != x || values.IsSubnormal(want)
				if flushed && (values.Same(got, want) || got == 0 && flush(want) == 0) {
					return true
				}
			}
		}
	}
	return false
}

// flush returns 0 for a subnormal v and else v.
func flush(v float32) float32 {
	if values.IsSubnormal(v) {
		return 0
	}
	return v
}

// flushParams returns f with flushed parameters.
func flushParams(f compute.Activation) compute.Activation {
	for i, v := range f.Params {
		f.Params[i] = flush(v)
	}
	return f
}

// Wrong describes the first element of got, the result o of fm, that does not agree with
// the reference for dy and x. It returns "" if all agree.
func (fm Form) Wrong(o Operand, f compute.Activation, got, dy, x []float32, flushes bool) string {
	for i, v := range got {
		if !o.Agrees(f, v, dy[i], x[i], flushes) {
			return fmt.Sprintf("element %d of %d of %v of %v at x = %s, dy = %s is %s and should be %s",
				i, len(got), fm, f, values.Show(x[i]), values.Show(dy[i]), values.Show(v), values.Show(o.Want(f, dy[i], x[i])))
		}
	}
	return ""
}

// WrongBits describes the first bit of words, the mask that fm writes, that is not that of
// M for x, or that is behind the last and not 0. It returns "" if there is none. If the
// device flushes subnormals, the bit may be that of flushed x and parameters.
func (fm Form) WrongBits(f compute.Activation, words []uint64, x []float32, flushes bool) string {
	for w, want := range Words(f, x) {
		for wrong := words[w] ^ want; wrong != 0; wrong &= wrong - 1 {
			i := 64*w + bits.TrailingZeros64(wrong)
			if i >= len(x) {
				return fmt.Sprintf("bit %d of %v of %v, behind the last of %d, is not 0", i, fm, f, len(x))
			}
			if bit := Bit(f, x[i]) ^ 1; !flushes || !flushedBit(f, x[i], bit) {
				return fmt.Sprintf("bit %d of %d of %v of %v at x = %s is %d", i, len(x), fm, f, values.Show(x[i]), bit)
			}
		}
	}
	return ""
}

// flushedBit reports whether the bit of M for x is bit where x or the parameters are flushed.
func flushedBit(f compute.Activation, x float32, bit uint64) bool {
	for _, f2 := range []compute.Activation{f, flushParams(f)} {
		for _, x2 := range []float32{x, flush(x)} {
			if Bit(f2, x2) == bit {
				return true
			}
		}
	}
	return false
}
