package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// This file has the kernels of products of one row, which read the other matrix once.

// dotRows returns how many rows functions that dot writes have.
func dotRows(width int) []int {
	if width == 16 {
		return []int{16, 32}
	}
	return []int{8, 16}
}

// dotAhead is how many bytes ahead dot fetches rows, to the L2 cache, since there are too many for
// the processor to foresee.
const dotAhead = 512

// dot writes a function that computes the elements of a row of C, one for each row of A, which
// has the columns of the product's second matrix. b has its only row of the first.
//
// Each vector of sums is a chain, whose latency is that of the function if there is one. With
// AVX-512 a line of each row is read at once: rows may be at the same places of the L1 cache, and
// a line that is read in pieces be gone in between.
func (f *patchFunc) dot() {
	width := f.set.width()
	vectors := patchRegisters(f.set)
	work := vectors[:9]
	if width == 16 {
		work = vectors[:17]
	}
	sums := vectors[len(work):][:f.rows/width]
	for _, field := range []string{"c", "a", "b", "k", "rowA"} {
		f.Load(f.args.Field(field), patchFieldRegisters[field])
	}
	// Pointers to every third row would need too many registers. These are r, 3r, 5r and 7r.
	r, r3, r5, r7 := patchRowA, reg.R10, reg.R11, reg.R13
	groups := []reg.GPPhysical{patchA[0], reg.RAX, reg.RBX, reg.R12}[: f.rows/8 : f.rows/8]
	f.LEAQ(operand.Mem{Base: r, Index: r, Scale: 2}, r3)
	f.LEAQ(operand.Mem{Base: r, Index: r, Scale: 4}, r5)
	f.LEAQ(operand.Mem{Base: r3, Index: r, Scale: 4}, r7)
	for i := 1; i < len(groups); i++ {
		f.LEAQ(operand.Mem{Base: groups[i-1], Index: r, Scale: 8}, groups[i])
	}
	row := func(i int) operand.Mem {
		m := operand.Mem{Base: groups[i/8]}
		switch i %= 8; i {
		case 0:
		case 1, 2, 4:
			m.Index, m.Scale = r, uint8(i)
		case 3, 6:
			m.Index, m.Scale = r3, uint8(i/3)
		default:
			m.Index, m.Scale = map[int]reg.Register{5: r5, 7: r7}[i], 1
		}
		return m
	}
	for _, sum := range sums {
		f.zero(sum)
	}
	loop := func(label string, k int, body func()) {
		f.Label(label)
		f.SUBQ(operand.U32(uint32(k)), patchK)
		f.JL(operand.LabelRef(label + "End"))
		body()
		for _, p := range append(groups, patchB) {
			f.ADDQ(operand.U32(uint32(4*k)), p)
		}
		f.JMP(operand.LabelRef(label))
		f.Label(label + "End")
		f.ADDQ(operand.U32(uint32(k)), patchK)
	}
	multiplyAdd := func(columns []reg.VecPhysical, sum, spare reg.VecPhysical) {
		for k, column := range columns {
			b := operand.Mem{Base: patchB, Disp: 4 * k}
			if width == 16 {
				f.VFMADD231PS_BCST(b, column, sum)
			} else {
				f.VBROADCASTSS(b, spare)
				f.VFMADD231PS(spare, column, sum)
			}
		}
	}
	if width == 16 {
		loop("line", width, func() {
			for g, sum := range sums {
				for i := range width {
					f.PREFETCHT1(row(width*g + i).Offset(dotAhead))
					f.VMOVUPS(row(width*g+i), work[i])
				}
				multiplyAdd(f.transposedSquare(work), sum, nil)
			}
		})
	}
	loop("quad", 4, func() {
		for g, sum := range sums {
			for i := range 4 {
				f.VMOVUPS(row(width*g+i), work[i].AsX())
				for lane := 1; lane < width/4; lane++ {
					from := row(width*g + 4*lane + i)
					if width == 16 {
						f.VINSERTF32X4(operand.U8(lane), from, work[i], work[i])
					} else {
						f.VINSERTF128(operand.U8(lane), from, work[i], work[i])
					}
				}
			}
			multiplyAdd(f.transposedLanes(work), sum, work[8])
		}
	})
	f.Load(f.args.Field("add"), patchK)
	f.TESTQ(patchK, patchK)
	f.JE(operand.LabelRef("store"))
	at := func(g int) operand.Mem { return operand.Mem{Base: patchC, Disp: 4 * width * g} }
	for g, sum := range sums {
		f.VADDPS(at(g), sum, sum)
	}
	f.Label("store")
	for g, sum := range sums {
		f.VMOVUPS(sum, at(g))
	}
	f.VZEROUPPER()
	f.RET()
}

// transposedSquare transposes the 16 rows in the first registers, with the use of one more, and
// returns those of the columns. It interleaves elements, pairs of them, and quarters of vectors.
func (f *patchFunc) transposedSquare(registers []reg.VecPhysical) (columns []reg.VecPhysical) {
	rows, free := append([]reg.VecPhysical(nil), registers[:16]...), registers[16]
	quarters := func(first, second operand.U8) func(x, y, low reg.VecPhysical) {
		return func(x, y, low reg.VecPhysical) { f.VSHUFF32X4(first, y, x, low); f.VSHUFF32X4(second, y, x, y) }
	}
	for s, step := range []func(x, y, low reg.VecPhysical){
		func(x, y, low reg.VecPhysical) { f.VUNPCKLPS(y, x, low); f.VUNPCKHPS(y, x, y) },
		func(x, y, low reg.VecPhysical) { f.VUNPCKLPD(y, x, low); f.VUNPCKHPD(y, x, y) },
		quarters(0x44, 0xee),
		quarters(0x88, 0xdd),
	} {
		for i := range rows {
			if j := i + 1<<s; i>>s&1 == 0 { // the low parts, then the high ones in place of row j
				step(rows[i], rows[j], free)
				rows[i], free = free, rows[i]
			}
		}
	}
	for k := range rows { // which are in an order with the bits of both pairs reversed
		columns = append(columns, rows[k&1<<1|k>>1&1|k&4<<1|k>>1&4])
	}
	return columns
}

// zero sets a vector to 0.
func (f *patchFunc) zero(v reg.VecPhysical) {
	if f.set.width() == 16 {
		f.VPXORD(v, v, v)
	} else {
		f.VXORPS(v.AsX(), v.AsX(), v.AsX())
	}
}

// streamRows is the number of rows of B that are read together, in the order of memory.
const streamRows = 8

// stream writes a function that adds products to the chains of a row of C, or to chains that
// begin with +0 if add is 0. columns is a multiple of a vector.
func (f *patchFunc) stream() {
	for _, field := range []string{"c", "a", "b", "stepA", "stepB"} {
		f.Load(f.args.Field(field), patchFieldRegisters[field])
	}
	f.Load(f.args.Field("columns"), patchK)
	add := f.Load(f.args.Field("add"), reg.R8)
	vectors := patchRegisters(f.set)
	sum := vectors[f.rows]
	for i := range f.rows {
		f.VBROADCASTSS(operand.Mem{Base: patchA[0]}, vectors[i])
		f.ADDQ(patchStepA, patchA[0])
	}
	f.Comment("Every third row of B.")
	rows := []reg.GPPhysical{patchB, reg.RAX, reg.RBX}[:(f.rows+2)/3]
	for i := 1; i < len(rows); i++ {
		f.LEAQ(operand.Mem{Base: rows[i-1], Index: patchStepB, Scale: 2}, rows[i])
		f.ADDQ(patchStepB, rows[i])
	}
	row := func(i int) operand.Mem {
		m := operand.Mem{Base: rows[i/3]}
		if i%3 > 0 {
			m.Index, m.Scale = patchStepB, uint8(i%3)
		}
		return m
	}
	f.Label("vector")
	x := sum.AsX()
	f.VXORPS(x, x, x)
	f.TESTQ(add, add)
	f.JE(operand.LabelRef("begun"))
	f.VMOVUPS(operand.Mem{Base: patchC}, sum)
	f.Label("begun")
	for i := range f.rows {
		f.VFMADD231PS(row(i), vectors[i], sum)
	}
	f.VMOVUPS(sum, operand.Mem{Base: patchC})
	f.ADDQ(operand.U32(uint32(4*f.set.width())), patchC)
	for _, r := range rows {
		f.ADDQ(operand.U32(uint32(4*f.set.width())), r)
	}
	f.SUBQ(operand.U32(uint32(f.set.width())), patchK)
	f.JNE(operand.LabelRef("vector"))
	f.VZEROUPPER()
	f.RET()
}
