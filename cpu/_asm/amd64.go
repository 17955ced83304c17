package main

import (
	"cmp"
	"fmt"
	"go/token"
	"go/types"
	"log"
	"maps"
	"slices"
	"strings"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/buildtags"
	avo "github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/pass"
	"github.com/mmcloughlin/avo/printer"
	"github.com/mmcloughlin/avo/reg"

	"github.com/gmind-go/compute/internal/function"
	"github.com/gmind-go/compute/internal/ir"
	"github.com/gmind-go/compute/internal/kernel"
)

// copySpec is that of Copy, which has no function. With plain stores it is written in Go.
var copySpec = spec{
	name: "copy", doc: "a copy",
	body: function.Kernel(0, function.Copy).Body, results: []kernel.Address{kernel.Element}, inputs: []kernel.Address{kernel.Element}, ptr: []int{1},
}

// storeSpec is that of a copy whose caller orders the stores, after many of them.
var storeSpec = func() spec {
	s := copySpec
	s.name, s.unordered = "store", true
	return s
}()

// amd64Table returns the Go file with the tables of kernels.
func amd64Table() []byte {
	return formatted(generated + "//go:build !purego\n\npackage cpu\n\n" +
		"import (\n\"github.com/gmind-go/compute/internal/form\"\n\"github.com/gmind-go/compute/internal/ir\"\n)\n" +
		table("avx512", "AVX512", "AVX512NT", patchTable("AVX512", 32, 16)) + table("avx2", "AVX2", "AVX2NT", patchTable("AVX2", 16, 8)))
}

// amd64Sources returns the assembly of the kernels of list, and the Go file of the package that
// declares them.
func amd64Sources(pkg string, list []spec) (assembly, declarations []byte) {
	declareArgs()
	declarePatch()
	constants, numbers, tables := map[bits32]bool{}, map[bits64]bool{}, map[ir.Table]reg.VecVirtual{}
	var functions []avo.Section
	add := func(r *routine) {
		maps.Copy(constants, r.loaded)
		maps.Copy(numbers, r.stored)
		maps.Copy(tables, r.tables)
		functions = append(functions, r.compiled)
	}
	for _, set := range sets {
		add(write(set, copySpec, true))
		add(write(set, storeSpec, true))
		for _, s := range list {
			add(write(set, s, false))
			if !s.blocks {
				add(write(set, s, true))
			}
		}
		for _, p := range prefetches {
			functions = append(functions, p.write(set))
		}
		for _, f := range writePatches(set) {
			functions = append(functions, f)
		}
	}
	file := avo.NewFile()
	file.Constraints = buildtags.Not("purego").ToConstraints()
	for _, c := range slices.Sorted(maps.Keys(constants)) {
		file.AddSection(c.data())
	}
	for _, c := range slices.Sorted(maps.Keys(numbers)) {
		file.AddSection(c.data())
	}
	byName := func(t, u ir.Table) int { return cmp.Compare(tableSymbol(t).Name, tableSymbol(u).Name) }
	for _, t := range slices.SortedFunc(maps.Keys(tables), byName) {
		file.AddSection(tableData(t))
	}
	file.Sections = append(file.Sections, functions...)
	if err := pass.IncludeTextFlagHeader(file); err != nil {
		log.Fatal(err)
	}
	config := printer.Config{Name: "cpu/_asm", Pkg: pkg}
	assembly, err := printer.NewGoAsm(config).Print(file)
	if err != nil {
		log.Fatal(err)
	}
	declarations, err = printer.NewStubs(config).Print(file)
	if err != nil {
		log.Fatal(err)
	}
	return assembly, declarations
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

// A bits32 is a constant: the bits of an element, or lane1.
type bits32 uint64

// lane1 has the integer 1<<i in element i of a vector of 8.
const lane1 bits32 = 1 << 32

func (c bits32) symbol() operand.Symbol {
	if c == lane1 {
		return operand.NewStaticSymbol("lane1")
	}
	return operand.NewStaticSymbol(fmt.Sprintf("c%08x", uint64(c)))
}

// address returns where the constant is in memory.
func (c bits32) address() operand.Mem { return operand.NewDataAddr(c.symbol(), 0) }

func (c bits32) data() *avo.Global {
	global := avo.NewStaticGlobal(c.symbol().Name)
	global.Attributes = attr.RODATA | attr.NOPTR
	if c == lane1 {
		for i := range 8 {
			global.Append(operand.U32(uint32(1) << i))
		}
	} else {
		global.Append(operand.U32(uint32(c)))
	}
	return global
}

// compile returns the only function of a file, with registers. ok is false if there are too
// few of them.
func compile(file *avo.File) (*avo.Function, bool) {
	for _, i := range file.Functions()[0].Instructions() {
		defines(i)
	}
	if err := pass.Compile.Execute(file); err != nil {
		if err.Error() != "failed to allocate registers" {
			log.Fatal(err)
		}
		return nil, false
	}
	f := file.Functions()[0]
	for v, p := range f.Allocation {
		if v.Kind() == reg.KindVector && p.Index() > 15 && !slices.Contains(f.ISA, "AVX512F") {
			return nil, false // the encoding of AVX2 has 16 vectors
		}
	}
	return f, true
}

// defines tells avo what it does not know: that an instruction sets the whole of a vector
// register, of which it may name the lower part, and that a blend does not read its result.
func defines(i *avo.Instruction) {
	for j, o := range i.Outputs {
		if v, ok := o.(reg.VecVirtual); ok {
			i.Outputs[j] = v.AsZ()
		}
	}
	if strings.Contains(i.Opcode, "BLENDM") {
		i.Inputs = i.Operands[:len(i.Operands)-1]
	}
}
