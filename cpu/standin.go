package cpu

import (
	"unsafe"

	"github.com/gmind-go/compute/internal/ir"
)

func init() {
	standIn(&generic)
}

func standIn(s *instructionSet) {
	for op := ir.NegF32; op <= ir.RandBits; op++ {
		info := op.Info()
		patterns := map[int][]int{1: {0}, 2: {0, 1, 2}, 3: {0, 2, 4, 6}}[len(info.In)]
		if len(info.In) == 2 && info.Commutes {
			patterns = []int{0, 2}
		}
		if info.Counts {
			patterns = []int{2}
		}
		if op == ir.And || op == ir.Or {
			patterns = []int{0}
		}
		if op == ir.RandBits {
			patterns = []int{0, 3}
		}
		for _, p := range patterns {
			s.primitives[op][p] = standInFor(op, p)
		}
	}
	s.fill = func(a *args) {
		v := *(*uint32)(unsafe.Pointer(&a.params[0]))
		for i := range a.lanes(0) {
			a.lanes(0)[i] = v
		}
	}
	s.expand = func(a *args) {
		for i := range a.lanes(0) {
			a.lanes(0)[i] = -uint32(a.words(1)[i/64] >> (i % 64) & 1)
		}
	}
	s.compress = func(a *args) {
		w := a.words(0)
		for i := range w {
			w[i] = 0
		}
		for i, v := range a.lanes(1) {
			w[i/64] |= uint64(v&1) << (i % 64)
		}
	}
}

func (a *args) lanes(i int) []uint32 { return unsafe.Slice((*uint32)(a.ptr[i]), a.n) }

func standInFor(op ir.Op, pattern int) kernel {
	var b ir.Builder
	info := op.Info()
	var in []ir.Value
	for j, t := range info.In {
		if info.Counts && j == 1 {
			in = append(in, b.Const(ir.U32, 3))
			continue
		}
		in = append(in, b.Arg(string(rune('a'+j)), t))
	}
	b.Result("r", b.Op(op, in...))
	base := b.Program("p")
	return func(a *args) {
		if a.n%64 != 0 {
			panic("no group")
		}
		p := *base
		values := make([]uint64, len(p.Nodes))
		args := make([]uint64, len(info.In))
		params := (*[4]uint32)(unsafe.Pointer(&a.params))
		if info.Counts {
			p.Nodes = append([]ir.Node{}, p.Nodes...)
			for i := range p.Nodes {
				if p.Nodes[i].Op == ir.Const {
					p.Nodes[i].Imm = uint64(params[1])
				}
			}
		}
		for i := range a.n {
			for j, t := range info.In {
				v := params[j]
				if pattern>>j&1 == 0 {
					v = a.lanes(1 + j)[i]
				}
				if t == ir.Bool {
					if v != 0 && v != 1<<32-1 {
						panic("no bool")
					}
					v &= 1
				}
				args[j] = uint64(v)
			}
			var index uint64
			if op == ir.RandBits {
				index = uint64(a.lanes(3)[i]) | uint64(params[3])<<32
			}
			p.Eval(values, index, args[:len(p.Args)])
			r := uint32(values[p.Results[0].Value])
			if info.Out == ir.Bool {
				r = -r
			}
			a.lanes(0)[i] = r
		}
	}
}
