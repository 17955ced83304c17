// This program writes the amd64 assembly of package cpu, and the tables of its kernels.
// Every kernel of every instruction set comes from the same loop; go generate ./cpu runs
// it.
package main

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"go/format"
	"go/token"
	"go/types"
	"log"
	"os"
	"slices"
	"strings"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// An operation is one form of one activation. Its operands stand in the order of the form,
// and say by their names what the kernel does: x is tested for its sign, and m, a mask,
// has that sign; y is x and dx is dy, multiplied by the slope where x < 0 or NaN; d is 1
// or the slope; dst is src.
type operation struct {
	kind, form string // their names in packages compute and form; no kind for Copy
	operands   []string
	results    int // how many of the operands are results
	doc        string
}

var operations = []operation{
	{"", "Copy", []string{"dst", "src"}, 1, "dst[i] = src[i]"},
	{"LeakyReLU", "Forward", []string{"y", "x"}, 1, "y[i] = x[i] if x[i] >= 0 else slope*x[i]"},
	{"LeakyReLU", "Derivative", []string{"d", "x"}, 1, "d[i] = 1 if x[i] >= 0 else slope"},
	{"LeakyReLU", "Backward", []string{"dx", "dy", "x"}, 1, "dx[i] = dy[i] if x[i] >= 0 else slope*dy[i]"},
	{"LeakyReLU", "ForwardDerivative", []string{"y", "d", "x"}, 2, "y[i] = x[i] and d[i] = 1 if x[i] >= 0, else slope*x[i] and slope"},
	{"LeakyReLU", "ForwardMask", []string{"y", "m", "x"}, 2, "y[i] = x[i] if x[i] >= 0 else slope*x[i], and bit i of m is whether x[i] >= 0. The bits behind the last are 0"},
	{"LeakyReLU", "BackwardMask", []string{"dx", "dy", "m"}, 1, "dx[i] = dy[i] if bit i of m is set else slope*dy[i]"},
}

func (op operation) reads(operand string) bool {
	return slices.Contains(op.operands[op.results:], operand)
}

func (op operation) writes(operand string) bool {
	return slices.Contains(op.operands[:op.results], operand)
}

// function returns the name of the kernel: "" for a Copy with plain stores, which is
// written in Go.
func (op operation) function(s isa, nonTemporal bool) string {
	name := "leakyReLU" + op.form + s.name
	if op.kind == "" {
		name = "copy" + s.name
	}
	if nonTemporal {
		return name + "NT"
	}
	if op.kind == "" {
		return ""
	}
	return name
}

// unroll is the number of vectors that the main loop computes at a time.
const unroll = 4

func main() {
	table := flag.String("table", "", "file for the tables of kernels")
	flag.Parse()
	ConstraintExpr("!purego")
	declareArgs()
	declareLaneBits()
	for _, s := range []isa{avx512, avx2} {
		for _, op := range operations {
			if op.function(s, false) != "" {
				newKernel(s, op, false).plain()
			}
			newKernel(s, op, true).nonTemporal()
		}
	}
	Generate()
	if err := os.WriteFile(*table, tables(avx512, avx2), 0o666); err != nil {
		log.Fatal(err)
	}
}

// declareArgs makes the type args of package cpu known to avo.
func declareArgs() {
	args, err := types.Eval(token.NewFileSet(), nil, token.NoPos, "struct{ ptr [4]uintptr; n int; params [4]float32 }")
	if err != nil {
		log.Fatal(err)
	}
	name := types.NewTypeName(token.NoPos, nil, "args", nil)
	types.NewNamed(name, args.Type, nil)
	types.Universe.Insert(name)
}

// laneBits are the constants.bits of AVX2.
var laneBits Mem

func declareLaneBits() {
	laneBits = GLOBL("laneBits", RODATA|NOPTR)
	for i := range 8 {
		DATA(4*i, U32(1<<i))
	}
}

// A kernel is a function that is being written.
type kernel struct {
	isa
	operation
	at map[string]GPVirtual // where it is in each operand
	n  GPVirtual            // elements that are left
	c  constants
}

// newKernel begins the function of op, and loads its arguments.
func newKernel(s isa, op operation, nonTemporal bool) *kernel {
	name := op.function(s, nonTemporal)
	TEXT(name, NOSPLIT, "func(a *args)")
	Pragma("noescape")
	doc := name + ": " + op.doc + "."
	if nonTemporal {
		doc += " Its stores are non-temporal: n is a multiple of 64, and buffers of results are aligned to 64 bytes."
	}
	Doc(doc)
	a := Dereference(Param("a"))
	k := &kernel{isa: s, operation: op, at: map[string]GPVirtual{}}
	for i, operand := range op.operands {
		k.at[operand] = Load(a.Field("ptr").Index(i), GP64()).(GPVirtual)
	}
	k.n = Load(a.Field("n"), GP64()).(GPVirtual)
	if op.kind != "" {
		k.c.slope = s.vec()
		slope, err := a.Field("params").Index(0).Resolve()
		if err != nil {
			log.Fatal(err)
		}
		VBROADCASTSS(slope.Addr, k.c.slope)
	}
	if op.reads("x") {
		k.c.zero = s.vec()
		VXORPS(k.c.zero.AsX(), k.c.zero.AsX(), k.c.zero.AsX()) // clears the whole register
	}
	if op.writes("d") {
		k.c.one = s.vec()
		one, x := GP32(), XMM()
		MOVL(U32(0x3f800000), one)
		VMOVD(one, x)
		VBROADCASTSS(x, k.c.one)
	}
	if s.bits && (!nonTemporal || op.reads("m")) {
		k.c.bits = s.vec()
		VMOVDQU(laneBits, k.c.bits)
	}
	return k
}

// plain writes the kernel for any length and place.
func (k *kernel) plain() {
	if k.writes("m") {
		k.clearLastWord()
	}
	whole := func(v VecVirtual, m Mem) { VMOVUPS(v, m) }
	k.loop("block", unroll, whole)
	k.loop("vector", 1, whole)
	TESTQ(k.n, k.n)
	JE(LabelRef("done"))
	lanes := k.lanes(k.n, k.c)
	k.vectors(1, lanes, func(v VecVirtual, m Mem) { k.store(v, lanes, m) })
	Label("done")
	VZEROUPPER()
	RET()
}

// nonTemporal writes the kernel with non-temporal stores for whole blocks and aligned
// results. Masks are small: they are stored through the caches.
func (k *kernel) nonTemporal() {
	k.loop("block", unroll, func(v VecVirtual, m Mem) { VMOVNTPS(v, m) })
	Comment("Non-temporal stores are weakly ordered: others may see later stores first.")
	SFENCE()
	VZEROUPPER()
	RET()
}

// clearLastWord zeroes the last word of the mask.
func (k *kernel) clearLastWord() {
	Comment("The last word may have fewer bits than are stored to it.")
	last := GP64()
	MOVQ(k.n, last)
	SUBQ(U32(1), last)
	JL(LabelRef("cleared"))
	SHRQ(U8(6), last)
	MOVQ(U32(0), Mem{Base: k.at["m"], Index: last, Scale: 8})
	Label("cleared")
}

// loop writes a loop over count vectors at a time, while at least as many are left.
func (k *kernel) loop(label string, count int, store func(v VecVirtual, m Mem)) {
	elements := count * k.width
	SUBQ(U32(elements), k.n)
	JL(LabelRef(label + "_end"))
	Label(label)
	k.vectors(count, nil, store)
	for _, operand := range k.operands {
		ADDQ(U32(k.bytes(operand, elements)), k.at[operand])
	}
	SUBQ(U32(elements), k.n)
	JGE(LabelRef(label))
	Label(label + "_end")
	ADDQ(U32(elements), k.n)
}

// bytes returns the size of elements of the operand.
func (k *kernel) bytes(operand string, elements int) int {
	if operand == "m" {
		return elements / 8
	}
	return 4 * elements
}

// vectors computes the next count vectors, or the elements in lanes of one. It loads all
// inputs before it stores to a buffer, since a result may replace an input.
func (k *kernel) vectors(count int, lanes Register, store func(v VecVirtual, m Mem)) {
	results := make([]map[string]VecVirtual, count)
	for i := range results {
		results[i] = k.vector(i, lanes)
	}
	for _, operand := range k.operands[:k.results] {
		for i, vectors := range results {
			if v, ok := vectors[operand]; ok {
				store(v, k.mem(operand, i))
			}
		}
	}
}

// mem returns the place of vector i in the operand.
func (k *kernel) mem(operand string, i int) Mem {
	return Mem{Base: k.at[operand], Disp: k.bytes(operand, i*k.width)}
}

// vector computes vector i, and returns the results that go to buffers.
func (k *kernel) vector(i int, lanes Register) map[string]VecVirtual {
	inputs := map[string]VecVirtual{}
	for _, operand := range k.operands[k.results:] {
		if operand == "m" {
			continue
		}
		v := k.vec()
		if lanes == nil {
			VMOVUPS(k.mem(operand, i), v)
		} else {
			k.load(k.mem(operand, i), lanes, v)
		}
		inputs[operand] = v
	}
	var signs Register
	switch {
	case k.reads("x"):
		signs = k.test(inputs["x"], k.c)
	case k.reads("m"):
		signs = k.recall(k.mem("m", i), k.c)
	}
	results := map[string]VecVirtual{}
	for _, operand := range k.operands[:k.results] {
		switch operand {
		case "m":
			k.keep(signs, lanes, k.mem("m", i))
		case "d":
			results["d"] = k.vec()
			k.choose(results["d"], signs, k.c)
		case "y", "dx":
			v := inputs[map[string]string{"y": "x", "dx": "dy"}[operand]]
			k.scale(v, signs, k.c)
			results[operand] = v
		case "dst":
			results["dst"] = inputs["src"]
		}
	}
	return results
}

// tables returns a Go file with the table of each instruction set.
func tables(sets ...isa) []byte {
	var b bytes.Buffer
	fmt.Fprint(&b, "// Code generated by cpu/_asm. DO NOT EDIT.\n\n//go:build !purego\n\npackage cpu\n\n")
	fmt.Fprint(&b, "import (\n\"github.com/gmind-go/compute\"\n\"github.com/gmind-go/compute/internal/form\"\n)\n")
	for _, s := range sets {
		name := strings.ToLower(s.name)
		fmt.Fprintf(&b, "\nvar %s = instructionSet{\nname: %q,\n", name, name)
		for _, stores := range []string{"plain", "nonTemporal"} {
			fmt.Fprintf(&b, "%s: []kernels{\n", stores)
			for i, op := range operations {
				if i == 0 || op.kind != operations[i-1].kind {
					fmt.Fprintf(&b, "%s: {\n", op.index())
				}
				fmt.Fprintf(&b, "form.%s: %s,\n", op.form, cmp.Or(op.function(s, stores == "nonTemporal"), "copyElements"))
				if i == len(operations)-1 || op.kind != operations[i+1].kind {
					fmt.Fprint(&b, "},\n")
				}
			}
			fmt.Fprint(&b, "},\n")
		}
		fmt.Fprint(&b, "}\n")
	}
	source, err := format.Source(b.Bytes())
	if err != nil {
		log.Fatal(err)
	}
	return source
}

// index returns the index of op in tables.
func (op operation) index() string {
	if op.kind == "" {
		return "0"
	}
	return "compute.Kind" + op.kind
}
