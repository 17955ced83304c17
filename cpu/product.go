package cpu

import (
	"unsafe"

	"github.com/gmind-go/compute/internal/linear"
)

// A patch is the part of a matrix product that one call of a kernel computes. The assembly, and
// cpu/_asm, know this layout. Rows and steps are in bytes: from a row to the next, and from one
// k to the next.
//
// A kernel computes the chain of fma over k of each element, from +0. It stores the chains in C,
// or adds them to it.
type patch struct {
	c, a, b     unsafe.Pointer
	k           int // at least 1
	rowA, stepA int
	stepB       int // the columns of B follow each other
	rowC        int
	add         int // 1 to add to C, or 0
	rows        int // for kernels that compute patches of several sizes
	columns     int
}

type patchKernel func(p *patch)

// The most rows and vectors of the patch of any kernel.
const (
	maxRows    = 14
	maxVectors = 8
)

// patches are the kernels of matrix products, by rows and vectors. There is one of every number
// of rows and vectors up to the most. Kernels of more vectors are for few rows, whose elements
// are read from memory once.
type patches struct {
	rows    int // at most
	vectors int // at most, in a patch of all rows
	width   int // elements of a vector
	kernels [maxRows + 1][maxVectors + 1]patchKernel

	// transpose sets the elements of k rows of C to those of transposeRows rows of A. k is a
	// multiple of 4, and row i of C begins rowC bytes after row i-1.
	transpose     patchKernel
	transposeRows int
	// Products of one row read the other matrix from memory once, which they have to do in the
	// order of memory. dots compute elements of C, each of a row of A, the most first; the one row
	// is at b. stream continues the chains in C, of any number of vectors, by streamRows rows
	// of B, and streamRow by one. Nil if other kernels have to do.
	dots              []dot
	stream, streamRow patchKernel
	streamRows        int
	// transposed is whether kernels need rowA = 4, so that a vector has elements of several
	// rows, and may read a whole vector of these.
	transposed bool
}

// A dot is a kernel that computes elements of C, each of a row of A. anyStride is whether the rows
// may be at the same places of the L1 cache.
type dot struct {
	rows      int
	anyStride bool
	kernel    patchKernel
}

// A product is C = A·B, or C + A·B.
type product struct {
	linear.Product
	set     *patches
	c, a, b unsafe.Pointer

	// Task i computes rows × columns of C, or less at its end. There are so many across.
	rows, columns int
	across, tasks int

	then *job // that is run for each part that is complete, or nil
}

// kBlock is the number of products in a chain.
const kBlock = linear.Block

// BenchmarkProduct shows what these are good for.
const (
	// maxColumns and maxTaskRows limit a task: its columns of B stay in the L2 cache, and its
	// part of C in a cache that is shared.
	maxColumns  = 512
	maxTaskRows = 1024
	// packRows is the number of rows of C from which on it pays to copy B, so that what a
	// kernel reads is in few pages; packConflicts is that for rows of B at the same places of
	// a cache.
	packRows      = 640
	packConflicts = 80
	// streamColumns is the number of columns from which on it pays to read B in the order of
	// memory, and to load and store chains for it.
	streamColumns = 512
)

// layOut divides p into tasks, about as many as are wanted. Few rows need all columns of A, and
// few columns all rows of B, so neither should be few.
func (p *product) layOut(tasks int) {
	const leastRows = 256
	step := p.set.vectors * p.set.width
	p.columns = min(maxColumns, roundUp(p.N, step))
	if p.M == 1 { // A is short
		p.columns = roundUp(ceil(p.N, tasks), step)
		if !p.TransposeB { // the longer what is read in the order of memory, the better
			p.columns = max(p.columns, min(2*streamColumns, roundUp(p.N/2, step)))
		}
	}
	for {
		p.across = ceil(p.N, p.columns)
		p.rows = roundUp(ceil(p.M, ceil(tasks, p.across)), p.set.rows)
		if p.rows >= min(p.M, leastRows) || p.columns <= 2*step {
			break
		}
		p.columns = roundUp(p.columns/2, step)
	}
	p.rows = min(p.rows, maxTaskRows, p.M)
	p.columns = min(p.columns, p.N)
	p.tasks = p.across * ceil(p.M, p.rows)
}

// ceil returns n/d, rounded up.
func ceil(n, d int) int { return (n + d - 1) / d }

// roundUp returns the least multiple of d that is at least n.
func roundUp(n, d int) int { return ceil(n, d) * d }

// A panel is columns of a block of B, where a kernel reads them.
type panel struct {
	b       unsafe.Pointer
	step    int // bytes from row to row
	at      int // its first column in the part
	columns int
	vectors int
	skip    int // the vectors begin so many columns before
}

// panels are where one goroutine computes products. It keeps the memory for the next call.
type panels struct {
	product product // of the goroutine itself
	then    job     // of that
	patch   patch
	list    []panel
	memory  []float32
	b       []float32 // panels
	a       []float32 // rows
	c       []float32 // a patch at an edge of C
}

const (
	line = 64 / 4 // elements of a cache line
	// rowOfA is the distance of copied rows of A, which are not at the same place in pages.
	rowOfA = kBlock + line
	sizeA  = max(maxRows*rowOfA, kBlock*line)
	sizeC  = maxRows * maxVectors * line
)

// reserve makes the memory for parts of some columns.
func (s *panels) reserve(columns int) {
	sizeB := (columns + maxVectors*line) * kBlock
	if len(s.b) >= sizeB {
		return
	}
	s.memory = make([]float32, sizeB+copied*sizeA+sizeC+line)
	aligned := s.memory[int(-uintptr(unsafe.Pointer(&s.memory[0]))/4)&(line-1):]
	s.b, s.a, s.c = aligned[:sizeB], aligned[sizeB:][:copied*sizeA], aligned[sizeB+copied*sizeA:][:sizeC]
}

// forget clears the operands, to keep nobody's memory.
func (s *panels) forget() {
	s.patch = patch{}
	clear(s.list)
	s.list = s.list[:0]
}

// run implements task.
func (p *product) run(f *frame, lo, hi int) {
	if f.panels == nil {
		f.panels = &panels{}
	}
	for i := lo; i < hi; i++ {
		p.compute(f, i)
	}
}

// compute computes task i.
func (p *product) compute(f *frame, i int) {
	s := f.panels
	i0, j0 := i/p.across*p.rows, i%p.across*p.columns
	columns := min(p.columns, p.N-j0)
	part := part{product: p, i0: i0, rows: min(p.rows, p.M-i0), j0: j0, columns: columns}
	s.reserve(min(p.columns, maxColumns))
	switch set := p.set; {
	case p.M > 1:
	case p.TransposeB && len(set.dots) > 0:
		part.skip(part.dot(s))
	case !p.TransposeB && set.stream != nil && part.columns >= streamColumns:
		part.skip(part.stream(s))
	}
	for part.columns > 0 {
		left := part
		left.columns = min(part.columns, maxColumns)
		for left.k0 = 0; left.k0 < p.K; left.k0 += kBlock {
			left.k = min(kBlock, p.K-left.k0)
			left.run(f)
		}
		part.skip(left.columns)
	}
	if p.M == 1 {
		p.finish(f, i0, 1, j0, columns)
	}
	s.forget()
}

// A part is rows and columns of C, and the block of k that is computed.
type part struct {
	*product
	i0, rows    int
	j0, columns int
	k0, k       int
}

// skip makes p the part without its first columns.
func (p *part) skip(columns int) {
	p.j0 += columns
	p.columns -= columns
}

// dot computes columns of a part of one row, whose B is transposed, and returns how many.
func (p *part) dot(s *panels) (columns int) {
	for _, d := range p.set.dots {
		if !d.anyStride && p.K%(conflict/2) == 0 {
			continue
		}
		for ; columns+d.rows <= p.columns; columns += d.rows {
			p.dotRows(s, d, p.j0+columns)
		}
	}
	return columns
}

// dotRows computes the columns of a kernel, from column j of C on.
func (p *part) dotRows(s *panels, d dot, j int) {
	a := &s.patch
	for k0 := 0; k0 < p.K; k0 += kBlock {
		k := min(kBlock, p.K-k0)
		*a = patch{
			c: unsafe.Add(p.c, 4*j), b: unsafe.Add(p.a, 4*k0), k: k &^ 3,
			a: unsafe.Add(p.b, 4*(j*p.K+k0)), rowA: 4 * p.K,
		}
		if p.Accumulate || k0 > 0 {
			a.add = 1
		}
		if k%4 == 0 {
			d.kernel(a)
			continue
		}
		c, add := floats(a.c, d.rows), a.add
		chains := s.c[:d.rows]
		a.c, a.add = unsafe.Pointer(&chains[0]), 0
		d.kernel(a)
		x := floats(unsafe.Add(p.a, 4*k0), k)
		for i := range chains {
			y := floats(unsafe.Add(p.b, 4*((j+i)*p.K+k0)), k)
			for l := k &^ 3; l < k; l++ {
				chains[i] = fma(x[l], y[l], chains[i])
			}
		}
		store(c, chains, add > 0)
	}
}

// store sets c to the chains, or adds them.
func store(c, chains []float32, add bool) {
	if !add {
		copy(c, chains)
		return
	}
	for i, v := range chains {
		c[i] += v
	}
}

// stream computes columns of a part of one row, and returns how many.
func (p *part) stream(s *panels) (columns int) {
	set, a := p.set, &s.patch
	columns = p.columns / set.width * set.width
	most := len(s.b) / set.width * set.width
	for at := 0; at < columns; at += most {
		width := min(columns-at, most)
		c := unsafe.Add(p.c, 4*(p.j0+at))
		for k0 := 0; k0 < p.K; k0 += kBlock {
			*a = patch{
				c: c, columns: width, stepA: 4, stepB: 4 * p.N,
				a: unsafe.Add(p.a, 4*k0), b: unsafe.Add(p.b, 4*(k0*p.N+p.j0+at)),
			}
			add := p.Accumulate || k0 > 0
			if add { // the chains of the first block may be where C is
				a.c = unsafe.Pointer(&s.b[0])
			}
			for k := min(kBlock, p.K-k0); k > 0; {
				kernel, rows := set.stream, set.streamRows
				if k < rows {
					kernel, rows = set.streamRow, 1
				}
				kernel(a)
				k -= rows
				a.add = 1
				if k > 0 {
					a.a, a.b = unsafe.Add(a.a, rows*a.stepA), unsafe.Add(a.b, rows*a.stepB)
				}
			}
			if add {
				store(floats(c, width), s.b[:width], true)
			}
		}
	}
	return columns
}

// run computes the block.
func (p *part) run(f *frame) {
	s := f.panels
	p.place(s)
	a := &s.patch
	a.k = p.k
	for i := range p.panels() {
		p.takeRows(s, i)
		from, to := p.rowsOf(i)
		for q := range s.list {
			p.compute(s, &s.list[q], from)
		}
		if p.k0+p.k == p.K && p.M > 1 {
			p.finish(f, p.i0+from, to-from, p.j0, p.columns)
		}
	}
}

// finish runs what follows the product for rows and columns of C, which are complete.
func (p *product) finish(f *frame, i0, rows, j0, columns int) {
	if p.then == nil {
		return
	}
	if columns == p.N { // all is in one piece
		rows, columns = 1, rows*p.N
	}
	for i := range rows {
		lo := (i0+i)*p.N + j0
		for hi := lo + columns; lo < hi; lo += p.then.chunk {
			p.then.run(f, lo, min(lo+p.then.chunk, hi))
		}
	}
}

// panels returns the number of panels of rows. rowsOf returns the rows of panel i: all have about
// as many.
func (p *part) panels() int { return ceil(p.rows, p.set.rows) }

func (p *part) rowsOf(i int) (from, to int) {
	n := p.panels()
	return i * p.rows / n, (i + 1) * p.rows / n
}

// place divides the columns into panels, and copies those that are not read where they are.
func (p *part) place(s *panels) {
	set := p.set
	most := &set.kernels[min(p.rows, set.rows)]
	direct := !p.TransposeB && (p.rows < packConflicts || p.rows < packRows && p.N%conflict != 0)
	b := s.b
	s.list = s.list[:0]
	for at := 0; at < p.columns; {
		rest := p.columns - at
		vectors := min(ceil(rest, set.width), set.vectors)
		if direct {
			vectors = maxVectors
			for vectors > 1 && (most[vectors] == nil || vectors*set.width > rest) {
				vectors--
			}
		}
		width := vectors * set.width
		q := panel{at: at, vectors: vectors, columns: min(width, rest)}
		if skip := width - q.columns; direct && skip <= p.j0+at { // the end of a row of B has whole vectors
			q.skip = skip
			q.b, q.step = unsafe.Add(p.b, 4*(p.k0*p.N+p.j0+at-skip)), 4*p.N
		} else {
			packed := b[:p.k*width]
			b = b[len(packed):]
			p.pack(s, packed, &q)
			q.b, q.step = unsafe.Pointer(&packed[0]), 4*width
		}
		s.list = append(s.list, q)
		at += q.columns
	}
}

// pack copies columns of B to dst, whose rows are those of a kernel. What is beyond the columns
// is 0.
func (p *part) pack(s *panels, dst []float32, q *panel) {
	width := q.vectors * p.set.width
	if q.columns < width {
		clear(dst)
	}
	if p.TransposeB {
		src := floats(unsafe.Add(p.b, 4*((p.j0+q.at)*p.K+p.k0)), (q.columns-1)*p.K+p.k)
		p.set.transposeRowsOf(&s.patch, dst, width, src, p.K, q.columns, p.k)
		return
	}
	src := floats(unsafe.Add(p.b, 4*(p.k0*p.N+p.j0+q.at)), (p.k-1)*p.N+q.columns)
	for i := range p.k {
		copy(dst[i*width:][:width], src[i*p.N:][:q.columns])
	}
}

// floats returns the n elements at p.
func floats(p unsafe.Pointer, n int) []float32 { return unsafe.Slice((*float32)(p), n) }

// transposeRowsOf sets columns of dst to the first k elements of rows of src. stride is the
// distance of rows.
func (set *patches) transposeRowsOf(t *patch, dst []float32, dstStride int, src []float32, srcStride, rows, k int) {
	i, whole := 0, 0
	if set.transpose != nil && k >= 4 {
		whole = k &^ 3
		saved := *t
		for ; i+set.transposeRows <= rows; i += set.transposeRows {
			*t = patch{c: unsafe.Pointer(&dst[i]), rowC: 4 * dstStride, a: unsafe.Pointer(&src[i*srcStride]), rowA: 4 * srcStride, k: whole}
			set.transpose(t)
		}
		*t = saved
	}
	for r := range rows {
		from := src[r*srcStride:][:k]
		first := 0
		if r < i {
			first = whole
		}
		for j := first; j < k; j++ {
			dst[j*dstStride+r] = from[j]
		}
	}
}

// takeRows sets the patch to rows of A, of the panel i of rows. It copies them if the kernels
// cannot read them well where they are.
func (p *part) takeRows(s *panels, i int) {
	a := &s.patch
	from, to := p.rowsOf(i)
	a.rows = to - from
	if p.TransposeA {
		a.a, a.rowA, a.stepA = unsafe.Add(p.a, 4*(p.k0*p.M+p.i0+from)), 4, 4*p.M
		if p.set.transposed || len(s.list) > 2 && p.M%(conflict/2) == 0 {
			if i%copied == 0 {
				p.copyColumns(s, i)
			}
			a.a, a.stepA = unsafe.Pointer(&s.a[i%copied*sizeA]), 4*line
		}
		return
	}
	a.a, a.rowA, a.stepA = unsafe.Add(p.a, 4*((p.i0+from)*p.K+p.k0)), 4*p.K, 4
	switch src := floats(a.a, (a.rows-1)*p.K+p.k); {
	case p.set.transposed:
		p.set.transposeRowsOf(a, s.a, line, src, p.K, a.rows, p.k)
		a.a, a.rowA, a.stepA = unsafe.Pointer(&s.a[0]), 4, 4*line
	case len(s.list) > 1 && a.rows > 4 && p.K%conflict == 0:
		for r := range a.rows {
			copy(s.a[r*rowOfA:][:p.k], src[r*p.K:])
		}
		a.a, a.rowA = unsafe.Pointer(&s.a[0]), 4*rowOfA
	}
}

// copied is the number of panels of rows of a transposed A that are copied at once: what follows
// each other in memory.
const copied = 8

// copyColumns copies panels from i on, whose elements of a k follow each other. What a line has
// behind the last row is not used.
func (p *part) copyColumns(s *panels, i int) {
	count := min(copied, p.panels()-i)
	var from [copied]int
	end := 0
	for j := range count {
		from[j], end = p.rowsOf(i + j)
	}
	for l := range p.k {
		at := p.k0 + l
		src := unsafe.Add(p.a, 4*(at*p.M+p.i0))
		inside := p.K*p.M - at*p.M - p.i0 // elements
		for j, first := range from[:count] {
			to := unsafe.Pointer(&s.a[j*sizeA+l*line])
			if first+line <= inside {
				*(*[line]float32)(to) = *(*[line]float32)(unsafe.Add(src, 4*first))
			} else {
				copy(floats(to, line), floats(unsafe.Add(src, 4*first), end-first))
			}
		}
	}
}

// conflict is the distance in elements of rows that are at the same places of the L1 cache, so
// that it cannot hold a line of each.
const conflict = 1024

// compute computes the rows of the patch, from one on, and the columns of q.
func (p *part) compute(s *panels, q *panel, from int) {
	a := &s.patch
	kernel := p.set.kernels[a.rows][q.vectors]
	a.b, a.stepB = q.b, q.step
	c := unsafe.Add(p.c, 4*((p.i0+from)*p.N+p.j0+q.at))
	add := p.Accumulate || p.k0 > 0
	width := q.vectors * p.set.width
	if q.columns == width {
		a.c, a.rowC, a.add = c, 4*p.N, 0
		if add {
			a.add = 1
		}
		kernel(a)
		return
	}
	a.c, a.rowC, a.add = unsafe.Pointer(&s.c[0]), 4*width, 0
	kernel(a)
	dst := floats(c, (a.rows-1)*p.N+q.columns)
	for r := range a.rows {
		store(dst[r*p.N:][:q.columns], s.c[r*width+q.skip:][:q.columns], add)
	}
}
