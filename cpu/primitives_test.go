package cpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/function"
	"github.com/gmind-go/compute/internal/ir"
	program "github.com/gmind-go/compute/internal/kernel"
	"github.com/gmind-go/compute/internal/values"
)

// A subject is a kernel, and what it computes.
type subject struct {
	name    string
	run     kernel
	results []argument
	args    []argument
	eval    func(args []uint64) (results []uint64) // of one element: the reference
	blocks  bool                                   // it computes blocks only
}

// An argument is one of a subject.
type argument struct {
	typ     ir.Type
	address program.Address // Element, Bit or Scalar
	at      int             // in args.ptr or args.params
	count   bool            // of bits in a shift
}

// TestPrimitives compares the kernels of every operation, and those of what moves values,
// with the reference: for all combinations of scalars, for special values, at all places in a
// cache line, and with the result over each operand.
func TestPrimitives(t *testing.T) {
	r := heapRooms(t)
	for _, set := range instructionSets() {
		t.Run(set.name, func(t *testing.T) {
			for _, s := range append(primitiveSubjects(set), moveSubjects(set)...) {
				if err := s.try(r, places); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestFunctions compares the kernels of the library's own functions with the reference, for
// all lengths.
func TestFunctions(t *testing.T) {
	r := heapRooms(t)
	for _, set := range instructionSets() {
		t.Run(set.name, func(t *testing.T) {
			for _, s := range functionSubjects(set) {
				if err := s.try(r, places); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestNonTemporalFunctions compares the kernels of functions with non-temporal stores with the
// reference, for whole blocks and aligned results.
func TestNonTemporalFunctions(t *testing.T) {
	r := heapRooms(t)
	for _, set := range instructionSets() {
		t.Run(set.name, func(t *testing.T) {
			for op, k := range set.nonTemporalFunctions {
				if k == nil {
					continue
				}
				s := primitive(ir.Op(op), 0, k)
				s.blocks = true
				aligned := func(c, i, floats int) int {
					if i == 0 || s.over(c) >= 0 {
						return margin
					}
					return places(c, i, floats)
				}
				if err := s.try(r, aligned); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestPatterns: every instruction set has every operation, with all operands in tiles or, of
// a shift, with a scalar count, and the same kernels as the generic one.
func TestPatterns(t *testing.T) {
	for _, set := range instructionSets() {
		for _, op := range ir.Ops() {
			if op > ir.RandBits {
				continue
			}
			first := 0
			if op.Info().Counts {
				first = 0b10
			}
			if set.primitives[op][first] == nil {
				t.Errorf("%s has no kernel of operation %d, %s", set.name, op, op.Info().Name)
			}
			for pattern := range 8 {
				if (set.primitives[op][pattern] == nil) != (generic.primitives[op][pattern] == nil) {
					t.Errorf("%s and generic differ in whether they have %s with the scalars %03b", set.name, op.Info().Name, pattern)
				}
			}
		}
	}
}

// TestPrefetch: prefetching changes nothing, and needs no element to be there.
func TestPrefetch(t *testing.T) {
	r := heapRooms(t)
	for _, set := range instructionSets() {
		for n := 0; n <= longest; n += blockSize {
			x := r[0].take(margin+1, values.Normal(n, 1))
			a := &args{n: n, ptr: [4]unsafe.Pointer{unsafe.Pointer(unsafe.SliceData(x))}}
			set.prefetch(a)
			set.prefetchWrite(a)
			if !slices.Equal(x, values.Normal(n, 1)) || !r[0].intact() {
				t.Errorf("%s: prefetching %d elements changed something", set.name, n)
			}
			set.prefetch(&args{n: n})
			set.prefetchWrite(&args{n: n})
		}
	}
}

func primitiveSubjects(set instructionSet) []subject {
	var list []subject
	for op, kernels := range set.primitives {
		for pattern, k := range kernels {
			if k != nil {
				list = append(list, primitive(ir.Op(op), pattern, k))
			}
		}
	}
	return list
}

// primitive returns the subject of one operation.
func primitive(op ir.Op, pattern int, k kernel) subject {
	var b ir.Builder
	info := op.Info()
	s := subject{name: fmt.Sprintf("%s (%d) with the scalars %03b", info.Name, op, pattern), run: k, blocks: !info.Function}
	types := info.In
	operands := make([]ir.Value, len(types))
	for i, typ := range types {
		operands[i] = b.Arg("x", typ)
	}
	b.Result("r", b.Op(op, operands...))
	p := b.Program("f")
	if info.Indexed { // by two words, of which the high one is a scalar
		types = append(slices.Clone(types), ir.U32, ir.U32)
		pattern |= 0b1000
	}
	for i, typ := range types {
		a := argument{typ: typ, at: 1 + i, count: info.Counts && i == 1}
		if pattern>>i&1 == 1 {
			a.address, a.at = program.Scalar, i
		}
		s.args = append(s.args, a)
	}
	s.results = []argument{{typ: info.Out}}
	nodes := make([]uint64, len(p.Nodes))
	s.eval = func(args []uint64) []uint64 {
		var index uint64
		if info.Indexed {
			index = args[2] | args[3]<<32
		}
		p.Eval(nodes, index, args[:len(info.In)])
		return nodes[p.Results[0].Value:][:1]
	}
	if info.Function {
		s.eval = remembered(op, s.eval)
	}
	return s
}

// remembered returns eval of a function, which takes long, for arguments that it has got before.
func remembered(op ir.Op, eval func(args []uint64) []uint64) func(args []uint64) []uint64 {
	known := functionValues[op]
	if known == nil {
		known = map[uint64]uint64{}
		functionValues[op] = known
	}
	return func(args []uint64) []uint64 {
		y, ok := known[args[0]]
		if !ok {
			y = eval(args)[0]
			known[args[0]] = y
		}
		return []uint64{y}
	}
}

// functionValues has what remembered knows.
var functionValues = map[ir.Op]map[uint64]uint64{}

func moveSubjects(set instructionSet) []subject {
	same := func(args []uint64) []uint64 { return args }
	move := func(name string, k kernel, typ ir.Type, to, from program.Address, at int) subject {
		return subject{
			name: name, run: k, eval: same, blocks: true,
			results: []argument{{typ: typ, address: to}}, args: []argument{{typ: typ, address: from, at: at}},
		}
	}
	return []subject{
		move("fill", set.fill, ir.U32, program.Element, program.Scalar, 0),
		move("expand", set.expand, ir.Bool, program.Element, program.Bit, 1),
		move("compress", set.compress, ir.Bool, program.Bit, program.Element, 1),
	}
}

func functionSubjects(set instructionSet) []subject {
	var list []subject
	for kind, forms := range set.plain {
		for fm, run := range forms {
			if run == nil {
				continue
			}
			k := function.Kernel(kind, function.Form(fm))
			s := subject{name: fmt.Sprintf("%v of kind %d", form.Form(fm), kind), run: run}
			for i, address := range k.Results {
				s.results = append(s.results, argument{typ: k.Body.Nodes[k.Body.Results[i].Value].Type, address: address, at: i})
			}
			for i, address := range k.Inputs {
				s.args = append(s.args, argument{typ: k.Body.Args[i].Type, address: address, at: len(k.Results) + i})
			}
			for i, typ := range k.Params {
				s.args = append(s.args, argument{typ: typ, address: program.Scalar, at: i})
			}
			nodes, results := make([]uint64, len(k.Body.Nodes)), make([]uint64, len(k.Results))
			s.eval = func(args []uint64) []uint64 {
				k.Body.Eval(nodes, 0, args)
				for i, r := range k.Body.Results {
					results[i] = nodes[r.Value]
				}
				return results
			}
			list = append(list, s)
		}
	}
	return list
}

// An arrangement returns where operand i of call c, with some float32 of memory, begins in
// its room. Masks take a multiple of two.
type arrangement func(c, i, floats int) int

// places puts operands at all places in a cache line. Masks are aligned to words.
func places(c, i, floats int) int { return margin + (7*c+5*i)%16 }

// try makes many calls: with all pairs of special values if there are two scalars, and with all
// lengths.
func (s subject) try(r *rooms, place arrangement) error {
	calls, pairs := 64, 1
	for _, a := range s.args {
		if a.address == program.Scalar {
			pairs *= len(special(a))
		}
	}
	if calls = max(calls, min(pairs, 3000)); !s.blocks {
		calls = 2 * (longest + 1)
	}
	for c := range calls {
		if err := s.call(r, c, place); err != nil {
			return err
		}
	}
	return nil
}

// call makes call c.
func (s subject) call(r *rooms, c int, place arrangement) error {
	n := c % (longest + 1)
	if s.blocks {
		n = blockSize * (1 + c%(longest/blockSize))
	}
	a := &args{n: n}
	inputs := s.inputs(c, n)
	memory := make([][]float32, len(s.results)+len(s.args))
	for i, x := range s.args {
		if x.address == program.Scalar {
			a.params[x.at] = math.Float32frombits(stored(x.typ, inputs[i][0]))
			continue
		}
		room := len(s.results) + i
		contents := s.args[i].encode(inputs[i][:n], true)
		memory[room] = r[room].take(s.begin(place, c, room, x.address, len(contents)), contents)
		a.ptr[x.at] = unsafe.Pointer(unsafe.SliceData(memory[room]))
	}
	over := s.over(c)
	for i, x := range s.results {
		if i == 0 && over >= 0 {
			memory[0] = memory[len(s.results)+over]
		} else {
			contents := x.encode(make([]uint64, n), false)
			memory[i] = r[i].take(s.begin(place, c, i, x.address, len(contents)), canaries[:len(contents)])
		}
		a.ptr[x.at] = unsafe.Pointer(unsafe.SliceData(memory[i]))
	}
	s.run(a)

	want := make([][]uint64, len(s.results))
	element := make([]uint64, len(s.args))
	for e := range n {
		for i := range s.args {
			element[i] = inputs[i][e]
		}
		for i, v := range s.eval(element) {
			want[i] = append(want[i], v)
		}
	}
	for room, got := range memory {
		if got == nil || over >= 0 && room == len(s.results)+over {
			continue // a scalar, or replaced
		}
		var expected []float32
		same := values.Identical
		if room < len(s.results) {
			expected = s.results[room].encode(want[room], false)
			if s.results[room].typ == ir.F32 {
				same = values.Same
			}
		} else {
			i := room - len(s.results)
			expected = s.args[i].encode(inputs[i][:n], true)
		}
		where := r[room]
		if over >= 0 && room == 0 {
			where = r[len(s.results)+over]
		}
		if !where.intact() {
			return fmt.Errorf("%s of %d elements, call %d: something outside of operand %d changed", s.name, n, c, room)
		}
		for e, v := range got {
			if !same(v, expected[e]) {
				return fmt.Errorf("%s of %d elements, call %d, over %d: value %d of operand %d is %#x and should be %#x; the arguments are %s",
					s.name, n, c, over, e, room, math.Float32bits(v), math.Float32bits(expected[e]), show(inputs, e))
			}
		}
	}
	return nil
}

// begin returns where an operand begins.
func (s subject) begin(place arrangement, c, room int, address program.Address, floats int) int {
	at := place(c, room, floats)
	if address == program.Bit {
		at &^= 1
	}
	return at
}

// over returns the argument that the first result replaces in call c, or -1.
func (s subject) over(c int) int {
	list := []int{-1}
	for i, a := range s.args {
		if a.address == program.Element && s.results[0].address == program.Element {
			list = append(list, i)
		}
	}
	return list[(c+c/(longest+1))%len(list)]
}

// inputs returns the arguments of call c: for n elements, or of a scalar the same for all. Of
// two tiles all pairs of special values are in the first calls, as are those of a tile and a
// scalar, and all pairs of two scalars in many; after these come values of mixed.
func (s subject) inputs(c, n int) [][]uint64 {
	all := make([][]uint64, len(s.args))
	scalars, tiles := 1, 1 // the combinations of those before
	for i, a := range s.args {
		list := special(a)
		all[i] = make([]uint64, max(n, 1))
		if a.address == program.Scalar {
			for e := range all[i] {
				all[i][e] = list[c/scalars%len(list)]
			}
			scalars *= len(list)
			continue
		}
		for e := range all[i] {
			if at := c*longest + e; at < len(list)*len(list) {
				all[i][e] = list[at/tiles%len(list)]
			} else {
				all[i][e] = mixed[a.typ][(at+7*i*c)%len(mixed[a.typ])]
			}
		}
		tiles *= len(list)
	}
	return all
}

// mixed are special and random values of the types of arguments. Their number is a prime.
var mixed = func() (mixed [ir.Bool + 1][]uint64) {
	random := rand.New(rand.NewPCG(1, 2))
	for typ := range mixed {
		list := special(argument{typ: ir.Type(typ)})
		for range 10007 {
			v := list[random.IntN(len(list))]
			switch kind := random.IntN(4); {
			case ir.Type(typ) != ir.Bool && kind == 0:
				v = uint64(random.Uint32())
			case ir.Type(typ) == ir.F32 && kind == 1:
				v = uint64(math.Float32bits(float32(8 * random.NormFloat64())))
			}
			mixed[typ] = append(mixed[typ], v)
		}
	}
	return mixed
}()

// special returns the values of an argument that show errors.
func special(a argument) []uint64 {
	var list []uint64
	switch {
	case a.count:
		for i := range uint64(32) {
			list = append(list, i)
		}
	case a.typ == ir.Bool:
		list = []uint64{1, 0}
	case a.typ == ir.U32:
		for i := range 32 {
			list = append(list, 1<<i, 1<<i-1, math.MaxUint32-1<<i+1)
		}
		list = append(list, 0x1000001, 0x1000003, 0x80000080, 0x80000180, 0xffffff7f, 0xffffff80, 0xffffff81, 0x12345678)
	default:
		for _, x := range values.Special() {
			list = append(list, uint64(math.Float32bits(x)))
		}
		for _, x := range []float32{0x1.7ffffep2, 6, 0x1.800002p2, 0.5, 1.5, 2.5, -0.5, -2.5, 0x1.fffffep22, 0x1.000002p22, 0x1p23, 0x1p31, 0x1.fffffep31, 0x1p32, -0x1p32} {
			list = append(list, uint64(math.Float32bits(x)))
		}
	}
	return list
}

// encode returns the memory of an operand with these values. An input mask has ones behind
// the last.
func (a argument) encode(v []uint64, input bool) []float32 {
	if a.address != program.Bit {
		elements := make([]float32, len(v))
		for i, x := range v {
			elements[i] = math.Float32frombits(stored(a.typ, x))
		}
		return elements
	}
	words := make([]uint64, form.MaskWords(len(v)))
	for i, x := range v {
		words[i/64] |= x << (i % 64)
	}
	if rest := len(v) % 64; input && rest > 0 {
		words[len(words)-1] |= ^uint64(0) << rest
	}
	return asFloats(words)
}

// stored returns the 32 bits of a value in a tile, or in the parameters.
func stored(typ ir.Type, x uint64) uint32 {
	if typ == ir.Bool {
		return -uint32(x)
	}
	return uint32(x)
}

// show returns the arguments of an element.
func show(inputs [][]uint64, e int) string {
	var list []string
	for _, v := range inputs {
		list = append(list, fmt.Sprintf("%#x", v[e]))
	}
	return strings.Join(list, ", ")
}
