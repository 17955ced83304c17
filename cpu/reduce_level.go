package cpu

import (
	"math/bits"
	"unsafe"

	"github.com/gmind-go/compute/internal/linear"
)

// A level folds chunks of a matrix into one element each: of its rows or, down, of its columns.
// What is left are chunks of the next level, if it is more than one element for each.
//
// One unit of it is computed by one goroutine. Units differ only in what they compute, so that
// the results do not depend on how many there are, or on who computes them.
type level struct {
	fold          *fold
	none          float32        // that does not change a fold
	pairs         kernel         // sets a tile to the fold of two, or nil
	src           unsafe.Pointer // the elements in memory, or nil: those of call
	call          *call
	dst           []float32
	rows, columns int
	down          bool

	chunks int // of a row, or of a column
	units  int
	group  int // rows of a unit, if a row is one chunk
	blocks int // of columns
	width  int // columns of a block
}

const (
	// batch is the number of values of a call that are computed before they are folded.
	batch = linear.Chunk
	// atOnce is how many of them stay in the L1 cache beside the tiles of the plan.
	atOnce = 1024
	// maxWidth is the most columns of a block: their lanes stay in the L2 cache.
	maxWidth = 1024
	// together is how many rows of one lane are added at a time, so that the lanes are not read
	// and written for each.
	together = 8
)

// layOut divides l into units, and returns the number of elements of one.
func (l *level) layOut(cores int) (size int) {
	if !l.down {
		l.chunks = ceil(l.columns, linear.Chunk)
		l.group = max(1, linear.Chunk/l.columns)
		l.units = ceil(l.rows, l.group) * l.chunks
		return min(l.columns*l.group, linear.Chunk)
	}
	l.chunks = ceil(l.rows, linear.Chunk)
	l.blocks = 1
	if wanted := 2 * cores; l.chunks < wanted && cores > 1 && l.rows*l.columns > 4*linear.Chunk {
		l.blocks = min(wanted, l.columns/foldLanes)
	}
	l.blocks = max(l.blocks, ceil(l.columns, maxWidth), 1)
	l.width = ceil(l.columns, l.blocks)
	if l.blocks > 1 {
		l.width = whole(l.width)
		l.blocks = ceil(l.columns, l.width)
	}
	l.units = l.chunks * l.blocks
	return min(l.rows, linear.Chunk) * l.width
}

// run computes the units from lo to hi.
func (l *level) run(f *frame, lo, hi int) {
	s := f.reducing()
	for u := lo; u < hi; u++ {
		switch {
		case l.down:
			s.down(f, l, u/l.blocks, u%l.blocks*l.width)
		case l.chunks == 1:
			row := u * l.group
			s.across(f, l, row*l.columns, min(l.group, l.rows-row), l.columns, row)
		default:
			from := u % l.chunks * linear.Chunk
			s.across(f, l, u/l.chunks*l.columns+from, 1, min(linear.Chunk, l.columns-from), u)
		}
	}
}

// A folding is where one goroutine folds. It keeps the memory for the next call.
type folding struct {
	args  foldArgs
	pad   []float32
	lanes []float32

	level level        // of the call
	sums  [2][]float32 // of the chunks, by parity of the level
}

// forget clears the operands, to keep nobody's memory.
func (s *folding) forget() { s.args = foldArgs{} }

// values returns n elements from the index from on, at most a batch.
func (l *level) values(f *frame, from, n int) unsafe.Pointer {
	if l.call == nil {
		return unsafe.Add(l.src, 4*from)
	}
	return f.tiles.fold(&f.args, l.call, from, n)
}

// across folds rows of n elements, which follow each other from the element from on, into those
// of dst from to on.
func (s *folding) across(f *frame, l *level, from, rows, n, to int) {
	if l.call != nil && rows == 1 && n > atOnce {
		s.tiles(f, l, from, n, to)
		return
	}
	src := l.values(f, from, rows*n)
	if n%foldLanes != 0 {
		s.fillPad(l.none)
		s.args.pad = unsafe.Pointer(&s.pad[0])
	}
	s.args.dst, s.args.src, s.args.n, s.args.rows, s.args.stride = unsafe.Pointer(&l.dst[to]), src, n, rows, n
	l.fold.rows(&s.args)
}

// tiles is across for one row of values, of which no more than atOnce are computed at a time.
func (s *folding) tiles(f *frame, l *level, from, n, to int) {
	s.lanes = extend(s.lanes, foldLanes)
	for i := range s.lanes {
		s.lanes[i] = l.none
	}
	for at := 0; at < n; at += atOnce {
		m := min(atOnce, n-at)
		src := l.values(f, from+at, m)
		if rows := m / foldLanes; rows > 0 {
			s.add(l, 0, src, foldLanes, rows, foldLanes)
		}
		if m%foldLanes > 0 {
			s.addSome(l, 0, unsafe.Add(src, 4*(m&^(foldLanes-1))), m%foldLanes)
		}
	}
	s.args.dst, s.args.src, s.args.n, s.args.rows = unsafe.Pointer(&l.dst[to]), unsafe.Pointer(&s.lanes[0]), foldLanes, 1
	l.fold.rows(&s.args)
}

// fillPad sets the pad to none.
func (s *folding) fillPad(none float32) {
	s.pad = extend(s.pad, foldLanes)
	for i := range s.pad {
		s.pad[i] = none
	}
}

// down folds a chunk of the columns of a block, which begins with the column first.
//
// Lanes begin with their first element, not with +0. This changes no more than the sign of a zero,
// which is +0 in the end: +0 is added last.
func (s *folding) down(f *frame, l *level, chunk, first int) {
	from := chunk * linear.Chunk
	rows, columns := min(linear.Chunk, l.rows-from), min(l.width, l.columns-first)
	lanes := min(1<<bits.Len(uint(rows-1)), foldLanes)
	width := columns // of the lanes
	if l.blocks > 1 {
		width = whole(columns)
	}
	s.lanes = extend(s.lanes, lanes*width+foldLanes) // and what the last block of a fold has
	if l.call != nil && rows < lanes {
		for i := range s.lanes[rows*width : lanes*width] {
			s.lanes[rows*width+i] = l.none
		}
	}
	switch {
	case l.call != nil && l.blocks > 1:
		s.blockOfValues(f, l, from, rows, first, columns)
	case l.call != nil:
		s.flatValues(f, l, from*l.columns, rows*l.columns)
	case l.blocks > 1:
		lanes = s.block(f, l, from, rows, first, columns, lanes)
	default:
		lanes = s.flat(f, l, from*l.columns, rows, lanes)
	}
	for half := lanes / 2; half > 0; half /= 2 {
		// The last block has elements that the one before has folded, and nobody needs.
		s.add(l, 0, unsafe.Pointer(&s.lanes[half*width]), whole(half*width), 1, 0)
	}
	dst := l.dst[chunk*l.columns+first:][:columns]
	n := copy(dst, s.lanes[:columns&^(foldLanes-1)])
	copy(dst[n:], s.lanes[width-(columns-n):]) // see block; without blocks they follow
	if l.none == 0 {
		for i := range dst {
			dst[i] += l.none
		}
	}
}

// add adds rows of n elements, a multiple of foldLanes, to those of the lanes from at on.
func (s *folding) add(l *level, at int, src unsafe.Pointer, n, rows, stride int) {
	s.args.dst, s.args.src, s.args.n, s.args.rows, s.args.stride = unsafe.Pointer(&s.lanes[at]), src, n, rows, stride
	l.fold.columns(&s.args)
}

// addSome adds n elements to those of the lanes from at on.
func (s *folding) addSome(l *level, at int, src unsafe.Pointer, n int) {
	blocks := n &^ (foldLanes - 1)
	if blocks > 0 {
		s.add(l, at, src, blocks, 1, 0)
	}
	if blocks < n {
		s.fillPad(l.none)
		copy(s.pad, floatsAt(src, n)[blocks:])
		s.add(l, at+blocks, unsafe.Pointer(&s.pad[0]), foldLanes, 1, 0)
	}
}

// begin sets n elements of the lanes from at on to those of src, and adds the first of those that
// follow stride elements later, of which there are more.
func (s *folding) begin(f *frame, l *level, at int, src unsafe.Pointer, n, more, stride int) {
	blocks := 0
	if l.pairs != nil {
		if blocks = more &^ (blockSize - 1); blocks > 0 {
			a := &f.args
			a.ptr = [4]unsafe.Pointer{unsafe.Pointer(&s.lanes[at]), src, unsafe.Add(src, 4*stride)}
			a.n = blocks
			l.pairs(a)
		}
	}
	copy(s.lanes[at+blocks:], floatsAt(src, n)[blocks:])
	if blocks < more {
		s.addSome(l, at+blocks, unsafe.Add(src, 4*(stride+blocks)), more-blocks)
	}
}

// floatsAt returns n elements of memory.
func floatsAt(p unsafe.Pointer, n int) []float32 { return unsafe.Slice((*float32)(p), n) }

// flat adds rows, from the element from on, to lanes: elements of rows of all lanes. It returns
// the number of lanes that are left.
func (s *folding) flat(f *frame, l *level, from, rows, lanes int) int {
	src := unsafe.Add(l.src, 4*from)
	period, n := lanes*l.columns, rows*l.columns
	if rows <= lanes { // each lane has one row, and is folded at once
		lanes = max(lanes/2, 1)
		period = lanes * l.columns
	}
	more := min(period, n-period)
	s.begin(f, l, 0, src, period, more, period)
	for at := period + more; at < n; {
		if groups := min((n-at)/period, together); groups > 0 {
			s.add(l, 0, unsafe.Add(src, 4*at), period, groups, period)
			at += groups * period
		} else {
			s.addSome(l, 0, unsafe.Add(src, 4*at), n-at)
			at = n
		}
	}
	return lanes
}

// flatValues is flat for n values.
func (s *folding) flatValues(f *frame, l *level, from, n int) {
	period := foldLanes * l.columns
	for at := 0; at < n; {
		left, lane := min(n-at, atOnce), at%period
		if left >= period && at > 0 {
			rows := left / period
			s.add(l, 0, l.values(f, from+at, rows*period), period, rows, period)
			at += rows * period
			continue
		}
		m := min(left, period-lane)
		src := l.values(f, from+at, m)
		if at < period {
			copy(s.lanes[at:], floatsAt(src, m))
		} else {
			s.addSome(l, lane, src, m)
		}
		at += m
	}
}

// block adds columns, from the column first on, of the rows from on to their lanes, and returns
// the number of lanes that are left. The columns that fill no block of lanes are the last of one,
// in which others are before these.
func (s *folding) block(f *frame, l *level, from, rows, first, columns, lanes int) int {
	width, blocks := whole(columns), columns&^(foldLanes-1)
	if rows <= lanes {
		lanes = max(lanes/2, 1)
	}
	stride := lanes * l.columns
	for r := 0; r < rows; {
		groups := together
		if r == 0 {
			groups = 2
		}
		for lane := range min(lanes, rows-r) {
			n := min(ceil(rows-r-lane, lanes), groups)
			src := unsafe.Add(l.src, 4*((from+r+lane)*l.columns+first))
			s.addRows(f, l, r, lane*width, src, blocks, n, stride)
			if blocks < columns {
				s.addRows(f, l, r, lane*width+blocks, unsafe.Add(src, 4*(columns-foldLanes)), foldLanes, n, stride)
			}
		}
		r += groups * lanes
	}
	return lanes
}

// addRows adds n elements, whole blocks, of one row or more to the lanes from at on. The first row
// is r, and the lanes begin with that if it is 0.
func (s *folding) addRows(f *frame, l *level, r, at int, src unsafe.Pointer, n, rows, stride int) {
	switch {
	case n == 0:
	case r > 0:
		s.add(l, at, src, n, rows, stride)
	default:
		s.begin(f, l, at, src, n, (rows-1)*n, stride)
	}
}

// blockOfValues is block for values.
func (s *folding) blockOfValues(f *frame, l *level, from, rows, first, columns int) {
	width, blocks := whole(columns), columns&^(foldLanes-1)
	start := first // of the values
	if blocks == 0 {
		start = first + columns - foldLanes
	}
	for r := range rows {
		src := l.values(f, (from+r)*l.columns+start, first+columns-start)
		lane := r % foldLanes * width
		s.addRow(l, r, lane, unsafe.Add(src, 4*(first-start)), blocks)
		if blocks < columns {
			s.addRow(l, r, lane+blocks, unsafe.Add(src, 4*(first+columns-foldLanes-start)), foldLanes)
		}
	}
}

// addRow adds n elements of row r, whole blocks, to the lanes from at on.
func (s *folding) addRow(l *level, r, at int, src unsafe.Pointer, n int) {
	switch {
	case n == 0:
	case r < foldLanes:
		copy(s.lanes[at:], floatsAt(src, n))
	default:
		s.add(l, at, src, n, 1, 0)
	}
}
