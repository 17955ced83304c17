package expr

import (
	"go/constant"
	"go/token"
	"math/rand/v2"
	"testing"

	"github.com/gmind-go/compute/internal/ir"
)

// TestConverted checks which constants a type has, and how a float32 is rounded.
func TestConverted(t *testing.T) {
	for _, known := range []struct {
		literal string
		kind    token.Token
		t       ir.Type
		want    string // empty for an error
	}{
		{"0.1", token.FLOAT, ir.F32, "0.100000001490116119384765625"},
		{"16777217", token.INT, ir.F32, "16777216"},
		{"16777219", token.INT, ir.F32, "16777220"},
		{"0x1.000001p0", token.FLOAT, ir.F32, "1"},                      // halfway, to even
		{"0x1.0000010000000001p0", token.FLOAT, ir.F32, "0x1.000002p0"}, // above halfway: rounded once
		{"1e-60", token.FLOAT, ir.F32, "0"},
		{"3.4028235e38", token.FLOAT, ir.F32, "0x1.fffffep127"},
		{"3.4028236e38", token.FLOAT, ir.F32, ""},
		{"4294967295", token.INT, ir.U32, "4294967295"},
		{"4294967296", token.INT, ir.U32, ""},
		{"2.0", token.FLOAT, ir.U32, "2"},
		{"2.5", token.FLOAT, ir.U32, ""},
		{"1", token.INT, ir.Bool, ""},
	} {
		c, err := converted(constant.MakeFromLiteral(known.literal, known.kind, 0), known.t)
		switch {
		case err != nil && known.want != "", err == nil && known.want == "":
			t.Errorf("%v of %s: %v, %v", known.t, known.literal, c, err)
		case known.want != "" && !constant.Compare(c, token.EQL, constant.MakeFromLiteral(known.want, token.FLOAT, 0)):
			t.Errorf("%v of %s is %s, want %s", known.t, known.literal, c.ExactString(), known.want)
		}
	}
}

// TestFold tries all operators on constants of all kinds: none may panic, whatever they are.
func TestFold(t *testing.T) {
	float32s, uint32s, bools := ir.F32, ir.U32, ir.Bool
	values := []constant.Value{
		constant.MakeInt64(0), constant.MakeInt64(-7), constant.MakeInt64(3), constant.MakeUint64(1 << 63), constant.MakeBool(true),
		constant.MakeFromLiteral("0.0", token.FLOAT, 0), constant.MakeFromLiteral("1e1000", token.FLOAT, 0), constant.MakeFromLiteral("-2.5", token.FLOAT, 0),
		constant.MakeFromLiteral("1e-1000000", token.FLOAT, 0), constant.Shift(constant.MakeInt64(1), token.SHL, 511),
	}
	r := rand.New(rand.NewPCG(1, 1))
	folded := 0
	for range 20000 {
		x, y := values[r.IntN(len(values))], values[r.IntN(len(values))]
		typ := []*ir.Type{nil, &float32s, &uint32s, &bools}[r.IntN(4)]
		op := token.ADD + token.Token(r.IntN(int(token.GEQ-token.ADD)+1))
		if c, err := foldBinary(op, x, y, typ); err == nil {
			folded++
			if c.Kind() == constant.Int && typ == nil && constant.BitLen(c) > maxBits {
				t.Errorf("%v %v %v has %d bits", x, op, y, constant.BitLen(c))
			}
		}
		if _, err := foldUnary(op, x, typ); err == nil {
			folded++
		}
	}
	if folded < 1000 {
		t.Errorf("%d operations were possible", folded)
	}
}
