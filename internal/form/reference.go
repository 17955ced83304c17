package form

import (
	"slices"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/values"
)

// A Reference compares results of one activation for the same inputs many times: it computes
// what they should be once, which takes longer than to compare them.
type Reference struct {
	f     compute.Activation
	dy, x []float32
	want  [M][]float32 // by result; nil until it is compared
	words []uint64     // M, in the same way
}

// NewReference returns the reference of f for x and dy, which have the same length.
func NewReference(f compute.Activation, dy, x []float32) *Reference {
	return &Reference{f: f, dy: dy, x: x}
}

// Wrong is Wrong of fm.
func (r *Reference) Wrong(fm Form, o Operand, got []float32, flushes bool) string {
	if r.want[o] == nil {
		r.want[o] = make([]float32, len(r.x))
		for i, x := range r.x {
			r.want[o][i] = o.Want(r.f, r.dy[i], x)
		}
	}
	if slices.EqualFunc(got, r.want[o], values.Same) {
		return ""
	}
	return fm.Wrong(o, r.f, got, r.dy, r.x, flushes)
}

// WrongBits is WrongBits of fm.
func (r *Reference) WrongBits(fm Form, words []uint64, flushes bool) string {
	if r.words == nil {
		r.words = Words(r.f, r.x)
	}
	if slices.Equal(words, r.words) {
		return ""
	}
	return fm.WrongBits(r.f, words, r.x, flushes)
}
