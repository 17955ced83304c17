package form_test

import (
	"math"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/form"
)

// TestTable: what the table says twice agrees, and each mask is written before it is read.
func TestTable(t *testing.T) {
	names, written := map[string]bool{}, map[form.Operand]bool{form.X: true, form.DY: true}
	for _, fm := range form.All() {
		bits := 0
		for _, o := range fm.Operands() {
			if bits += 32; o == form.M {
				bits -= 31
			}
		}
		if fm.Bits() != bits {
			t.Errorf("%v moves %d bits per element and should move %d", fm, fm.Bits(), bits)
		}
		if op, ok := fm.Op(); ok && (form.Of(op) != fm || op.String() != fm.String()) {
			t.Errorf("the form of %v is %v and should be %v", op, form.Of(op), fm)
		}
		for _, o := range fm.Inputs() {
			if !written[o] {
				t.Errorf("%v reads %v, which no form before it writes", fm, o)
			}
		}
		for _, o := range fm.Results() {
			written[o] = true
		}
		if names[fm.String()] {
			t.Errorf("two forms are named %v", fm)
		}
		names[fm.String()] = true
	}
}

// TestWrong: a result that differs from the reference in one bit is found.
func TestWrong(t *testing.T) {
	f, x, dy := compute.LeakyReLU(0.5), []float32{1, -2, 4, -8}, []float32{3, 5, 7, 9}
	for i := range x {
		words := form.Words(f, x)
		reference := form.NewReference(f, dy, x)
		right := form.ForwardMask.WrongBits(f, words, x, false) + reference.WrongBits(form.ForwardMask, words, false)
		words[0] ^= 1 << i
		if wrong := form.ForwardMask.WrongBits(f, words, x, false); right != "" || wrong == "" || reference.WrongBits(form.ForwardMask, words, false) != wrong {
			t.Errorf("bit %d: right %q, wrong %q", i, right, wrong)
		}
		for _, o := range []form.Operand{form.Y, form.D, form.DX} {
			got := make([]float32, len(x))
			for i := range got {
				got[i] = o.Want(f, dy[i], x[i])
			}
			right := form.Forward.Wrong(o, f, got, dy, x, false) + reference.Wrong(form.Forward, o, got, false)
			got[i] = math.Float32frombits(math.Float32bits(got[i]) ^ 1)
			if wrong := form.Forward.Wrong(o, f, got, dy, x, false); right != "" || wrong == "" || reference.Wrong(form.Forward, o, got, false) != wrong {
				t.Errorf("element %d of %v: right %q, wrong %q", i, o, right, wrong)
			}
		}
	}
	if wrong := form.ForwardMask.WrongBits(f, []uint64{0b10101}, x, false); wrong == "" {
		t.Error("a bit behind the last is not found")
	}
}
