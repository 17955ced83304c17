package main

import (
	"bytes"
	_ "embed"
	"encoding/binary"
	"encoding/gob"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/cpu"

	"github.com/gmind-go/compute/internal/ir"
	"github.com/gmind-go/compute/internal/kernel"
	"github.com/gmind-go/compute/internal/randprog"
)

//go:embed testdata/run.txt
var runner string

// A call is one of a function, as testdata/run.txt has it. Operands are the contents of args.ptr,
// of which those that are equal to another are the same memory.
type call struct {
	Name     string
	N        int
	Operands [][]byte
	Same     int // operand 0 is this one, if it is not 0
	Params   [4]uint32
}

// A target is where the kernels of random programs are called.
type target struct {
	suffixes []string                            // of the functions of each instruction set
	sources  func(list []spec) map[string]string // files of package main with the functions
	env      []string
	args     []string // of go run
}

// TestRandomPrograms writes the kernels of random programs, and compares what they compute with
// the reference: for any length, and with a result over an input.
func TestRandomPrograms(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var list []spec
	for len(list) < 250 {
		if s, ok := randomSpec(r, fmt.Sprintf("f%d", len(list))); ok {
			list = append(list, s)
		}
	}
	for len(list) < 400 {
		list = append(list, wideSpec(r, fmt.Sprintf("f%d", len(list)), nil))
	}
	t.Run("amd64", func(t *testing.T) {
		if runtime.GOARCH != "amd64" || !cpu.X86.HasAVX2 || !cpu.X86.HasFMA {
			t.Skip("NOT tested: this processor has no AVX2 and FMA")
		}
		where := target{sources: amd64Files}
		for _, set := range sets {
			if set.name() == "avx512" && !cpu.X86.HasAVX512F {
				t.Log("NOT tested: avx512, which this processor does not have")
				continue
			}
			where.suffixes = append(where.suffixes, strings.ToUpper(set.name()))
		}
		where.compare(t, r, list)
		if !slices.Contains(where.suffixes, "AVX512") {
			return
		}
		var lookups []spec
		for len(lookups) < 50 {
			lookups = append(lookups, wideSpec(r, fmt.Sprintf("f%d", len(lookups)), randomTables(r)))
		}
		target{suffixes: []string{"AVX512"}, sources: lookupFiles}.compare(t, r, lookups)
	})
	t.Run("generic", func(t *testing.T) {
		printed := slices.DeleteFunc(slices.Clone(list), func(s spec) bool {
			constant := func(x ir.Result) bool { return s.body.Nodes[x.Value].Op == ir.Const }
			return !ir.Simplify(s.body).Equal(s.body) || slices.ContainsFunc(s.body.Results, constant)
		})
		target{suffixes: []string{"Generic"}, sources: genericFiles}.compare(t, r, printed)
	})
	t.Run("arm64", func(t *testing.T) {
		where := target{suffixes: []string{"NEON"}, sources: arm64Files, env: []string{"GOARCH=arm64"}}
		if runtime.GOARCH != "arm64" {
			qemu, err := exec.LookPath("qemu-aarch64-static")
			switch {
			case err != nil && os.Getenv("REQUIRE_OPENCL") == "1": // as package testenv does
				t.Fatalf("arm64 needs qemu-aarch64-static, of qemu-user-static: %v", err)
			case err != nil:
				t.Skipf("NOT tested, needs qemu-user-static (REQUIRE_OPENCL=1 makes this a failure): %v", err)
			}
			where.args = []string{"-exec", qemu}
		}
		printed := slices.DeleteFunc(slices.Clone(list), func(s spec) bool {
			_, err := neonFunction(s)
			masks := slices.Contains(slices.Concat(s.results, s.inputs), kernel.Bit)
			return err != nil && masks // which need four vectors
		})
		where.compare(t, r, printed)
	})
}

// compare calls the kernels of list.
func (where target) compare(t *testing.T, r *rand.Rand, list []spec) {
	t.Helper()
	var calls []call
	var want [][][]byte
	var programs []*ir.Program
	for _, suffix := range where.suffixes {
		for _, s := range list {
			for range 8 {
				c, w := randomCall(r, s)
				c.Name = s.name + suffix
				calls, want, programs = append(calls, c), append(want, w), append(programs, s.body)
			}
		}
	}
	for i, got := range where.run(t, list, calls) {
		for j := range want[i] {
			if at, ok := differ(programs[i], j, got[j], want[i][j]); !ok {
				t.Fatalf("%s of %d elements: byte %d of result %d is wrong; the program is %+v", calls[i].Name, calls[i].N, at, j, programs[i])
			}
		}
	}
}

// randomSpec returns the kernel of a random program, if it fits into args.
func randomSpec(r *rand.Rand, name string) (spec, bool) {
	p := randprog.New(r, randprog.Options{Operations: 1 + r.IntN(24), Allowed: func(op ir.Op) bool { return op < ir.RandBits }})
	if r.IntN(2) == 0 {
		p = ir.Simplify(p)
	}
	var addresses []kernel.Address
	for _, a := range p.Args {
		address := []kernel.Address{kernel.Element, kernel.Scalar, kernel.Bit}[a.Type]
		if r.IntN(3) == 0 {
			address = kernel.Scalar
		}
		addresses = append(addresses, address)
	}
	k := kernel.New(p, addresses)
	s := spec{name: name, body: k.Body, results: k.Results, inputs: k.Inputs}
	for i := range k.Inputs {
		s.ptr = append(s.ptr, len(k.Results)+i)
	}
	for i := range k.Params {
		s.params = append(s.params, i)
	}
	masks := slices.Contains(k.Results, kernel.Bit) && slices.Contains(k.Inputs, kernel.Bit)
	return s, !masks && len(k.Inputs) > 0 && len(k.Results)+len(k.Inputs) <= 4 && len(k.Params) <= 4
}

// randomTables returns two tables of numbers.
func randomTables(r *rand.Rand) []ir.Table {
	list := make([]ir.Table, 2)
	for i := range list {
		for j := range list[i] {
			list[i][j] = math.Float64bits(r.NormFloat64())
		}
	}
	return list
}

// wideSpec returns the kernel of a random program with values of 64 bits, as the bodies of
// functions have them. If there are tables, it looks up elements in them.
func wideSpec(r *rand.Rand, name string, tables []ir.Table) spec {
	var b ir.Builder
	x, y := b.Arg("x", ir.F32), b.Arg("y", ir.F32)
	// A sum with infinities may be any NaN, so only the bits of what is finite are looked at.
	finite := b.Op(ir.Max, b.Float32(-math.MaxFloat32), b.Op(ir.Min, x, b.Float32(math.MaxFloat32)))
	byType := map[ir.Type][]ir.Value{
		ir.Bool: {b.Op(ir.LtF32, x, y), b.Op(ir.Not, b.Op(ir.LeF32, y, x))},
		ir.F32:  {x, y, b.Op(ir.AddF32, x, y)},
		ir.F64:  {b.Op(ir.F64FromF32, x), b.Op(ir.F64FromF32, y)},
		ir.U64:  {b.Op(ir.BitsF64, b.Op(ir.F64FromF32, finite))},
	}
	pick := func(t ir.Type) ir.Value {
		list := byType[t]
		switch kind := r.IntN(5); {
		case kind == 0 && t == ir.U64:
			return b.Const(t, r.Uint64())
		case kind == 0 && t == ir.F64:
			return b.Const(t, math.Float64bits([]float64{1, -0.5, 0x1.8p52, 1 / 3., 1e300, 0x1p-1070}[r.IntN(6)]))
		}
		return list[max(r.IntN(len(list)), r.IntN(len(list)))]
	}
	for range 1 + r.IntN(20) {
		if tables != nil && r.IntN(4) == 0 {
			byType[ir.F64] = append(byType[ir.F64], b.Lookup(tables[r.IntN(len(tables))], pick(ir.U64)))
			continue
		}
		op := ir.NegF64 + ir.Op(r.IntN(int(ir.FromBitsF64-ir.NegF64)+1))
		if r.IntN(2) == 0 {
			op = []ir.Op{ir.FMAF64, ir.FMAF64, ir.NegF64, ir.WhereF64}[r.IntN(4)]
		}
		if op == ir.BitsF64 {
			continue
		}
		var operands []ir.Value
		for i, t := range op.Info().In {
			if i == 1 && op.Info().Counts {
				operands = append(operands, b.Const(ir.U32, r.Uint64N(64)))
			} else {
				operands = append(operands, pick(t))
			}
		}
		byType[op.Info().Out] = append(byType[op.Info().Out], b.Op(op, operands...))
	}
	b.Result("r", b.Op(ir.F32FromF64, b.Op(ir.AddF64, pick(ir.F64), b.Op(ir.FromBitsF64, pick(ir.U64)))))
	b.Result("s", b.Op(ir.F32FromF64, pick(ir.F64)))
	e := kernel.Element
	return spec{name: name, body: b.Program(name), results: []kernel.Address{e, e}, inputs: []kernel.Address{e, e}, ptr: []int{2, 3}}
}

// randomCall returns a call of s, and the results that it should have.
func randomCall(r *rand.Rand, s spec) (call, [][]byte) {
	c := call{N: r.IntN(200)}
	values := make([][]uint64, len(s.body.Args))
	for i, a := range s.body.Args {
		values[i] = make([]uint64, max(c.N, 1))
		for e := range values[i] {
			values[i][e] = randprog.Bits(r, a.Type)
		}
	}
	results := make([][]uint64, len(s.results))
	nodes, element := make([]uint64, len(s.body.Nodes)), make([]uint64, len(values))
	for e := range c.N {
		for i := range values {
			element[i] = values[i][e]
			if i >= len(s.inputs) {
				element[i] = values[i][0]
			}
		}
		s.body.Eval(nodes, 0, element)
		for i, result := range s.body.Results {
			results[i] = append(results[i], nodes[result.Value])
		}
	}
	var want [][]byte
	for i, address := range s.results {
		want = append(want, encode(address, results[i]))
		c.Operands = append(c.Operands, bytes.Repeat([]byte{0xc0}, len(want[i])))
	}
	for i, address := range s.inputs {
		c.Operands = append(c.Operands, encode(address, values[i][:c.N]))
		if address == s.results[0] && r.IntN(2) == 0 {
			c.Same = len(c.Operands) - 1
		}
	}
	for i := range s.params {
		a := len(s.inputs) + i
		c.Params[i] = uint32(values[a][0])
		if s.body.Args[a].Type == ir.Bool {
			c.Params[i] = -c.Params[i]
		}
	}
	return c, want
}

// encode returns the memory of an operand.
func encode(address kernel.Address, v []uint64) []byte {
	if address == kernel.Bit {
		words := make([]uint64, (len(v)+63)/64)
		for i, bit := range v {
			words[i/64] |= bit << (i % 64)
		}
		data, _ := binary.Append(nil, binary.LittleEndian, words)
		return data
	}
	var data []byte
	for _, x := range v {
		data = binary.LittleEndian.AppendUint32(data, uint32(x))
	}
	return data
}

// differ returns where result j of p is not as it should be. A NaN is as good as any other.
func differ(p *ir.Program, j int, got, want []byte) (at int, ok bool) {
	t := p.Nodes[p.Results[j].Value].Type
	if t == ir.Bool {
		return 0, bytes.Equal(got, want)
	}
	for at := 0; at < len(want); at += 4 {
		if !randprog.Same(t, uint64(binary.LittleEndian.Uint32(got[at:])), uint64(binary.LittleEndian.Uint32(want[at:]))) {
			return at, false
		}
	}
	return 0, len(got) == len(want)
}

// amd64Files returns the kernels of list in assembly, and their declarations.
func amd64Files(list []spec) map[string]string {
	assembly, declarations := amd64Sources("main", list)
	return map[string]string{"kernels_amd64.s": string(assembly), "stubs.go": string(declarations) + patchType}
}

// patchType declares the argument of the kernels of products.
const patchType = "\ntype patch " + patchFields + "\n"

// lookupFiles is amd64Files with the bodies of list for the instruction sets that look up
// elements in tables. Others, whose kernels are not called, get a sum in their place.
func lookupFiles(list []spec) map[string]string {
	var b ir.Builder
	sum := b.Op(ir.AddF32, b.Arg("x", ir.F32), b.Arg("y", ir.F32))
	b.Result("r", sum)
	b.Result("s", sum)
	list = slices.Clone(list)
	for i := range list {
		list[i].body, list[i].lookups = b.Program("sum"), list[i].body
	}
	return amd64Files(list)
}

// arm64Files returns the same for NEON.
func arm64Files(list []spec) map[string]string {
	declarations := "package main\n\nfunc prefetchNEON(a *args)\n\nfunc prefetchWriteNEON(a *args)\n" + neonPatchStubs()
	for _, s := range list {
		declarations += fmt.Sprintf("\nfunc %sNEON(a *args)\n", s.name)
	}
	return map[string]string{"kernels_arm64.s": string(arm64Source(list)), "stubs.go": declarations + patchType}
}

// genericFiles returns the kernels of list in Go.
func genericFiles(list []spec) map[string]string {
	return map[string]string{"kernels.go": `package main

import (
	"math"
	"unsafe"

	"github.com/gmind-go/compute/internal/single"
)

var _, _ = math.FMA, single.FMA // which may be all that is used

func (a *args) floats(i int) []float32 { return unsafe.Slice((*float32)(a.ptr[i]), a.n) }
func (a *args) uints(i int) []uint32   { return unsafe.Slice((*uint32)(a.ptr[i]), a.n) }
func (a *args) words(i int) []uint64   { return unsafe.Slice((*uint64)(a.ptr[i]), (a.n+63)/64) }

func lane(c bool) uint32 {
	if c {
		return 1<<32 - 1
	}
	return 0
}

func bit(c bool) uint64 { return uint64(lane(c) & 1) }
` + goFunctions(list)}
}

// run makes the calls in a program with the kernels of list, and returns the operands after them.
func (where target) run(t *testing.T, list []spec, calls []call) (operands [][][]byte) {
	t.Helper()
	dir := t.TempDir()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	files := where.sources(list)
	table := "package main\n\nvar kernels = map[string]func(*args){\n"
	for _, suffix := range where.suffixes {
		for _, s := range list {
			table += fmt.Sprintf("%[1]q: %[1]s,\n", s.name+suffix)
		}
	}
	files["table.go"] = table + "}\n"
	files["main.go"] = runner
	files["go.mod"] = "module github.com/gmind-go/compute/random\n\ngo 1.25.0\n\n" +
		"require github.com/gmind-go/compute v0.0.0\n\nreplace github.com/gmind-go/compute => " + root + "\n"
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("go", append(append([]string{"run"}, where.args...), ".")...)
	cmd.Dir, cmd.Env = dir, append(append(os.Environ(), "CGO_ENABLED=0"), where.env...)
	var in, out bytes.Buffer
	if err := gob.NewEncoder(&in).Encode(calls); err != nil {
		t.Fatal(err)
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = &in, &out, os.Stderr
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	if err := gob.NewDecoder(&out).Decode(&operands); err != nil {
		t.Fatal(err)
	}
	return operands
}
