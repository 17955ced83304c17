package expr

import (
	"fmt"
	"math"

	"github.com/gmind-go/compute/internal/ir"
)

// Eval returns the results of the program for one element, the one with index 0. It is the
// reference: it defines the bits that every backend returns, except that any NaN stands for
// any other.
//
// The arguments are given as float32, uint32 or bool, which are also the types of the
// results. Eval returns an error if their number or a type is wrong.
func (p *Program) Eval(args ...any) ([]any, error) { return p.EvalAt(0, args...) }

// EvalAt is like Eval for the element with the index, which only rand and randbits use.
func (p *Program) EvalAt(index uint64, args ...any) ([]any, error) {
	if err := p.Err(); err != nil {
		return nil, err
	}
	if len(args) != len(p.ir.Args) {
		return nil, fmt.Errorf("expr: %s has %d arguments and not %d", p.ir.Name, len(p.ir.Args), len(args))
	}
	bits := make([]uint64, len(args))
	for i, a := range p.ir.Args {
		var t ir.Type
		switch v := args[i].(type) {
		case float32:
			t, bits[i] = ir.F32, uint64(math.Float32bits(v))
		case uint32:
			t, bits[i] = ir.U32, uint64(v)
		case bool:
			if t = ir.Bool; v {
				bits[i] = 1
			}
		default:
			return nil, fmt.Errorf("expr: the argument %s of %s is %T and should be %v", a.Name, p.ir.Name, v, a.Type)
		}
		if t != a.Type {
			return nil, fmt.Errorf("expr: the argument %s of %s is %v and should be %v", a.Name, p.ir.Name, t, a.Type)
		}
	}
	values := make([]uint64, len(p.ir.Nodes))
	p.ir.Eval(values, index, bits)
	results := make([]any, len(p.ir.Results))
	for i, r := range p.ir.Results {
		switch v := values[r.Value]; p.ir.Nodes[r.Value].Type {
		case ir.F32:
			results[i] = math.Float32frombits(uint32(v))
		case ir.U32:
			results[i] = uint32(v)
		default:
			results[i] = v != 0
		}
	}
	return results, nil
}
