package cpu

import (
	"unsafe"
)

// A patch is the part of a matrix product that one call of a kernel computes. The assembly, and
// cpu/_asm, know this layout. Rows and steps are in bytes: from a row to the next, and from one
// k to the next.
//
// A kernel computes for each element the chain of fma over k, from +0. It stores the chains in C,
// or adds them to it.
type patch struct {
	c, a, b      unsafe.Pointer
	k            int // at least 1
	rowA, stepA  int
	stepB        int // the columns of B are one after the other
	rowC         int
	add          int // 1 to add to C, or 0
	rows, columns int // for kernels that compute patches of several sizes
}

type patchKernel func(p *patch)

// The most rows and vectors of the patch of any kernel.
const (
	maxRows    = 14
	maxVectors = 8
)

// patches are the kernels of matrix products, by rows and vectors.
type patches struct {
	rows    int // at most
	width   int // elements of a vector
	kernels [maxRows + 1][maxVectors + 1]patchKernel
}

// A product is C = A·B, or C + A·B.
type product struct {
	set *patches

	c, a, b unsafe.Pointer
	m, k, n int
	// Whether A is stored as k rows of m, B as n rows of k, and whether the product is added.
	transposeA, transposeB, add bool

	// Tasks compute parts of C of rows × columns, or less at its end; there are so many across.
	rows, columns int
	across, tasks int
}

// A panel is columns of a block of B, where a kernel reads them.
type panel struct {
	b       unsafe.Pointer
	step    int // bytes from row to row
	at      int // column of the part
	columns int
	vectors int
}

// panels are where one goroutine computes products. It keeps the memory for the next call.
type panels struct {
	patch  patch
	list   []panel
	memory []float32 // B, then A, then a patch
}

const kBlock = 256

var (
	maxColumns = 512
	packRows   = 112
	copyMod    = 2048
	copyPanels = 2
)

// layOut divides p into tasks.
func (p *product) layOut(cores int) {
	p.columns = min(maxColumns, p.n)
	p.rows = p.m
	p.across = (p.n + p.columns - 1) / p.columns
	p.tasks = p.across * ((p.m + p.rows - 1) / p.rows)
}

// run computes task i.
func (p *product) run(s *panels, i int) {
	i0, j0 := i/p.across*p.rows, i%p.across*p.columns
	rows, columns := min(p.rows, p.m-i0), min(p.columns, p.n-j0)
	s.reserve(p.columns)
	for k0 := 0; k0 < p.k; k0 += kBlock {
		p.block(s, i0, rows, j0, columns, k0, min(kBlock, p.k-k0), p.add || k0 > 0)
	}
}

const (
	lineFloats = 16
	rowOfA     = kBlock + lineFloats // of a copied row, so that rows are not at the same place of a page
	sizeOfA    = max(maxRows*rowOfA, kBlock*lineFloats)
)

// reserve makes memory for panels of so many columns.
func (s *panels) reserve(columns int) {
	need := (columns+2*lineFloats)*kBlock + sizeOfA + maxRows*maxVectors*lineFloats + lineFloats
	if len(s.memory) < need {
		memory := make([]float32, need+lineFloats)
		s.memory = memory[int(-uintptr(unsafe.Pointer(&memory[0]))/4)&(lineFloats-1):]
	}
}

// block adds the product of columns k0 to k0+k of A, and rows of B, to a part of C.
func (p *product) block(s *panels, i0, rows, j0, columns, k0, k int, add bool) {
	set := p.set
	memory := s.memory
	s.list = s.list[:0]
	direct := !p.transposeB && rows < packRows
	for at := 0; at < columns; {
		rest := columns - at
		q := panel{at: at, columns: rest, vectors: 1}
		switch {
		case direct && rows < 4 && rest >= 8*set.width && set.kernels[rows][8] != nil:
			q.vectors = 8
		case direct && rows < 4 && rest >= 4*set.width && set.kernels[rows][4] != nil:
			q.vectors = 4
		case rest > set.width && set.kernels[1][2] != nil && (!direct || rest >= 2*set.width):
			q.vectors = 2
		}
		width := q.vectors * set.width
		q.columns = min(rest, width)
		if direct && q.columns == width {
			q.b, q.step = unsafe.Add(p.b, 4*(k0*p.n+j0+at)), 4*p.n
		} else {
			packed := memory[:k*width]
			memory = memory[len(packed):]
			p.pack(packed, width, j0+at, q.columns, k0, k)
			q.b, q.step = unsafe.Pointer(&packed[0]), 4*width
		}
		s.list = append(s.list, q)
		at += q.columns
	}
	memory = s.memory[len(s.memory)-sizeOfA-maxRows*maxVectors*lineFloats-lineFloats:]
	memory = memory[int(-uintptr(unsafe.Pointer(&memory[0]))/4)&(lineFloats-1):]
	copied, spare := memory[:sizeOfA], memory[sizeOfA:]

	a := &s.patch
	a.k = k
	count := (rows + set.rows - 1) / set.rows
	for i := range count {
		from, to := i*rows/count, (i+1)*rows/count
		a.rows = to - from
		if p.transposeA {
			a.a, a.rowA, a.stepA = unsafe.Add(p.a, 4*(k0*p.m+i0+from)), 4, 4*p.m
			if len(s.list) > copyPanels {
				copyColumns(copied, unsafe.Slice((*float32)(a.a), (k-1)*p.m+a.rows), p.m, k, a.rows)
				a.a, a.stepA = unsafe.Pointer(&copied[0]), 4*lineFloats
			}
		} else {
			a.a, a.rowA, a.stepA = unsafe.Add(p.a, 4*((i0+from)*p.k+k0)), 4*p.k, 4
			if len(s.list) > copyPanels && a.rows > 4 && p.k%copyMod == 0 {
				src := unsafe.Slice((*float32)(a.a), (a.rows-1)*p.k+k)
				for r := range a.rows {
					copy(copied[r*rowOfA:][:k], src[r*p.k:])
				}
				a.a, a.rowA = unsafe.Pointer(&copied[0]), 4*rowOfA
			}
		}
		for q := range s.list {
			q := &s.list[q]
			c := unsafe.Add(p.c, 4*((i0+from)*p.n+j0+q.at))
			kernel := set.kernels[a.rows][q.vectors]
			a.b, a.stepB = q.b, q.step
			width := q.vectors * set.width
			if q.columns == width {
				a.c, a.rowC, a.add = c, 4*p.n, 0
				if add {
					a.add = 1
				}
				kernel(a)
				continue
			}
			a.c, a.rowC, a.add = unsafe.Pointer(&spare[0]), 4*width, 0
			kernel(a)
			dst := unsafe.Slice((*float32)(c), (a.rows-1)*p.n+q.columns)
			for r := range a.rows {
				to, from := dst[r*p.n:][:q.columns], spare[r*width:][:q.columns]
				if add {
					for j, v := range from {
						to[j] += v
					}
				} else {
					copy(to, from)
				}
			}
		}
	}
}

// copyColumns copies k rows of src, with stride columns, of which it takes the first few.
func copyColumns(dst, src []float32, stride, k, columns int) {
	for i := range k {
		copy(dst[i*lineFloats:][:columns], src[i*stride:])
	}
}

// pack copies rows k0 to k0+k of columns of B to dst, whose rows have width elements. What is
// beyond the columns is 0.
func (p *product) pack(dst []float32, width, j0, columns, k0, k int) {
	if p.transposeB {
		src := unsafe.Slice((*float32)(unsafe.Add(p.b, 4*(j0*p.k+k0))), (columns-1)*p.k+k)
		for i := range k {
			to := dst[i*width:][:width]
			for j := range columns {
				to[j] = src[j*p.k+i]
			}
			clear(to[columns:])
		}
		return
	}
	src := unsafe.Slice((*float32)(unsafe.Add(p.b, 4*(k0*p.n+j0))), (k-1)*p.n+columns)
	for i := range k {
		to := dst[i*width:][:width]
		copy(to, src[i*p.n:][:columns])
		clear(to[columns:])
	}
}
