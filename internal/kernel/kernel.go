// Package kernel makes kernels of programs. A kernel is a program together with the way in
// which each operand is addressed: what a device compiles, and then runs on any operands that
// are addressed so.
package kernel

import (
	"fmt"
	"strings"

	"github.com/gmind-go/compute/internal/ir"
)

// An Address says where a call finds the value of an operand for element i.
type Address uint8

// The addresses. Of these, results have Element and Bit only.
const (
	Element Address = iota // element i of a buffer
	Row                    // element i modulo the length of a buffer
	Col                    // element i/period of a buffer: see Operand
	Bit                    // bit i of a mask
	Scalar                 // the same value for all elements
)

// MaxParams is the number of parameters that a kernel has at most.
const MaxParams = 16

// A Kernel computes element i of its results from element i of its inputs, and parameters. It
// is immutable.
type Kernel struct {
	// Body computes the results. Its arguments are the inputs, which have the types float32
	// and, with the address Bit, bool; then the parameters, of type float32, uint32 or bool.
	// It is simplified, and each of its nodes but constants depends on an input, on the index
	// or is an argument.
	Body    *ir.Program
	Results []Address // of the results
	Inputs  []Address // of the first arguments
	Params  []ir.Type // of the other arguments
	Indexed bool      // whether a node depends on the index of the element
	Key     string    // equal for two kernels that compute the same

	args    []int       // by input: the argument of the program
	uniform *ir.Program // computes the parameters from the scalars
	scalars []int       // by argument of uniform: the argument of the program
	direct  []int       // by parameter: the scalar that it is, if uniform computes nothing
}

// An Operand is a buffer or a mask of one call, as a kernel addresses it.
type Operand[Memory any] struct {
	Memory Memory
	Len    int // elements or bits
	Period int // of a Col: the number of neighboring elements that have the same value
}

// New returns the kernel of p for calls with arguments at the addresses. An argument that p
// does not need is no input.
func New(p *ir.Program, addresses []Address) *Kernel {
	k := &Kernel{}
	uniform := uniforms(p, addresses)
	params := frontier(p, uniform)
	if len(params) > MaxParams { // each of them is a scalar, of which there are fewer
		for i, n := range p.Nodes {
			uniform[i] = n.Op == ir.Const || n.Op == ir.Arg && uniform[i]
		}
		params = frontier(p, uniform)
	}
	k.split(p, addresses, uniform, params)
	k.Key = k.key()
	return k
}

// uniforms returns which nodes have the same value for all elements.
func uniforms(p *ir.Program, addresses []Address) []bool {
	uniform := make([]bool, len(p.Nodes))
	for i, n := range p.Nodes {
		switch {
		case n.Op == ir.Const:
			uniform[i] = true
		case n.Op == ir.Arg:
			uniform[i] = addresses[n.Imm] == Scalar
		default:
			uniform[i] = !n.Op.Info().Indexed
			for _, x := range n.Operands() {
				uniform[i] = uniform[i] && uniform[x]
			}
		}
	}
	return uniform
}

// frontier returns the uniform nodes, but constants, that others or the results need.
func frontier(p *ir.Program, uniform []bool) []ir.Value {
	needed := make([]bool, len(p.Nodes))
	for i, n := range p.Nodes {
		if !uniform[i] {
			for _, x := range n.Operands() {
				needed[x] = true
			}
		}
	}
	for _, r := range p.Results {
		needed[r.Value] = true
	}
	var values []ir.Value
	for i, n := range p.Nodes {
		if needed[i] && uniform[i] && n.Op != ir.Const {
			values = append(values, ir.Value(i))
		}
	}
	return values
}

// split sets Body and uniform, and what describes them.
func (k *Kernel) split(p *ir.Program, addresses []Address, uniform []bool, params []ir.Value) {
	var body, prelude ir.Builder
	inBody := make([]ir.Value, len(p.Nodes))
	inPrelude := make([]ir.Value, len(p.Nodes))
	argOf := make([]ir.Value, len(p.Args)) // the nodes
	used := make([]bool, len(p.Args))
	for i, n := range p.Nodes {
		if n.Op == ir.Arg {
			argOf[n.Imm], used[n.Imm] = ir.Value(i), true
		}
	}
	for i, a := range p.Args {
		switch {
		case !used[i]:
		case addresses[i] == Scalar:
			inPrelude[argOf[i]] = prelude.Arg(a.Name, a.Type)
			k.scalars = append(k.scalars, i)
		default:
			inBody[argOf[i]] = body.Arg(a.Name, a.Type)
			k.args, k.Inputs = append(k.args, i), append(k.Inputs, addresses[i])
		}
	}
	for i, n := range p.Nodes {
		if uniform[i] && n.Op != ir.Arg {
			inPrelude[i] = copyNode(&prelude, n, inPrelude)
		}
	}
	for i, v := range params {
		name := fmt.Sprintf("p%d", i)
		prelude.Result(name, inPrelude[v])
		inBody[v] = body.Arg(name, p.Nodes[v].Type)
		k.Params = append(k.Params, p.Nodes[v].Type)
	}
	for i, n := range p.Nodes {
		if !uniform[i] && n.Op != ir.Arg || n.Op == ir.Const {
			inBody[i] = copyNode(&body, n, inBody)
			k.Indexed = k.Indexed || n.Op.Info().Indexed
		}
	}
	for _, r := range p.Results {
		body.Result(r.Name, inBody[r.Value])
		address := Element
		if p.Nodes[r.Value].Type == ir.Bool {
			address = Bit
		}
		k.Results = append(k.Results, address)
	}
	k.Body, k.uniform = body.Program(p.Name), prelude.Program(p.Name)
	if k.uniform.Size() == 0 {
		for _, r := range k.uniform.Results {
			k.direct = append(k.direct, k.scalars[k.uniform.Nodes[r.Value].Imm])
		}
	}
}

// copyNode returns the value of n in b, where the operands are at.
func copyNode(b *ir.Builder, n ir.Node, at []ir.Value) ir.Value {
	if n.Op == ir.Const {
		return b.Const(n.Type, n.Imm)
	}
	operands := n.Operands()
	for i, x := range operands {
		operands[i] = at[x]
	}
	return b.Op(n.Op, operands...)
}

// key returns Body and the addresses without the names.
func (k *Kernel) key() string {
	var b strings.Builder
	fmt.Fprint(&b, k.Results, k.Inputs, k.Params)
	for _, n := range k.Body.Nodes {
		fmt.Fprintf(&b, " %d:%d", n.Op, n.Type)
		if n.Op <= ir.Const {
			fmt.Fprintf(&b, "=%x", n.Imm)
		}
		for _, x := range n.Operands() {
			fmt.Fprintf(&b, ",%d", x)
		}
	}
	for _, r := range k.Body.Results {
		fmt.Fprintf(&b, " >%d", r.Value)
	}
	return b.String()
}

// Arg returns the argument of the program that input i is.
func (k *Kernel) Arg(i int) int { return k.args[i] }

// Scalar returns the argument of the program that parameter i is, or -1 if it is computed.
func (k *Kernel) Scalar(i int) int {
	if k.direct == nil {
		return -1
	}
	return k.direct[i]
}

// Scratch returns the length of the scratch that Eval needs.
func (k *Kernel) Scratch() int {
	if k.direct != nil || len(k.Params) == 0 {
		return 0
	}
	return len(k.uniform.Nodes) + len(k.uniform.Args)
}

// Eval sets params from the arguments of the program, of which it needs the scalars: the bits
// of a float32, a uint32, or 0 and 1. It is the reference evaluator that computes what depends
// on scalars alone, so all devices have the same bits.
func (k *Kernel) Eval(params []uint32, args []uint32, scratch []uint64) {
	if k.direct != nil || len(k.Params) == 0 {
		for i, from := range k.direct {
			params[i] = args[from]
		}
		return
	}
	values, scalars := scratch[:len(k.uniform.Nodes)], scratch[len(k.uniform.Nodes):]
	for i, from := range k.scalars {
		scalars[i] = uint64(args[from])
	}
	k.uniform.Eval(values, 0, scalars)
	for i, r := range k.uniform.Results {
		params[i] = uint32(values[r.Value])
	}
}

// Bits returns the number of bits that a call moves for each element. A Row and a Col count
// as nothing: they stay in a cache.
func (k *Kernel) Bits() int {
	bits := 0
	for _, list := range [2][]Address{k.Results, k.Inputs} {
		for _, a := range list {
			switch a {
			case Element:
				bits += 32
			case Bit:
				bits++
			}
		}
	}
	return bits
}

// Function returns an operation of Body that is a correctly rounded function, and whether
// there is one.
func (k *Kernel) Function() (ir.Op, bool) {
	for _, n := range k.Body.Nodes {
		if n.Op.Info().Function {
			return n.Op, true
		}
	}
	return 0, false
}

// At is an argument of a call after those of the program. The call is a part of one of Total
// elements, and begins at the element with the index. Row, Col and random numbers go by that.
type At struct {
	Index uint64
	Total int
	N     int // elements of the part
}

// Len returns 0.
func (At) Len() int { return 0 }
