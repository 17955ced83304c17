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

// TestRandomPrograms writes the kernels of random programs, and compares what they compute with
// the reference: for any length, and with a result over an input.
func TestRandomPrograms(t *testing.T) {
	if runtime.GOARCH != "amd64" || !cpu.X86.HasAVX2 || !cpu.X86.HasFMA {
		t.Skip("NOT tested: this processor has no AVX2 and FMA")
	}
	r := rand.New(rand.NewPCG(1, 2))
	var list []spec
	for len(list) < 250 {
		if s, ok := randomSpec(r, fmt.Sprintf("f%d", len(list))); ok {
			list = append(list, s)
		}
	}
	for len(list) < 400 {
		list = append(list, wideSpec(r, fmt.Sprintf("f%d", len(list))))
	}
	var calls []call
	var want [][][]byte
	var programs []*ir.Program
	for _, set := range sets {
		if set.name() == "avx512" && !cpu.X86.HasAVX512F {
			t.Log("NOT tested: avx512, which this processor does not have")
			continue
		}
		for _, s := range list {
			for range 8 {
				c, w := randomCall(r, s)
				c.Name = s.name + strings.ToUpper(set.name())
				calls, want, programs = append(calls, c), append(want, w), append(programs, s.body)
			}
		}
	}
	for i, got := range run(t, list, calls) {
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

// wideSpec returns the kernel of a random program with values of 64 bits, as the bodies of
// functions have them.
func wideSpec(r *rand.Rand, name string) spec {
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

// run makes the calls in a program with the kernels of list, and returns the operands after them.
func run(t *testing.T, list []spec, calls []call) (operands [][][]byte) {
	t.Helper()
	dir := t.TempDir()
	assembly, declarations := amd64Sources("main", list)
	table := "package main\n\nvar kernels = map[string]func(*args){\n"
	for _, set := range sets {
		for _, s := range list {
			table += fmt.Sprintf("%[1]q: %[1]s,\n", s.name+strings.ToUpper(set.name()))
		}
	}
	for name, text := range map[string]string{
		"go.mod": "module random\n\ngo 1.25\n", "kernels_amd64.s": string(assembly), "stubs.go": string(declarations),
		"table.go": table + "}\n", "main.go": runner,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("go", "run", ".")
	cmd.Dir = dir
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
