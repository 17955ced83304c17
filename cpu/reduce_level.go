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
	// maxWidth is the most columns of a block: their lanes stay in the L2 cache.
	maxWidth = 512
	// together is how many rows of one lane are added at a time, so that the lanes are not read
	// and written for each.
	together = 8
)

// layOut divides l into units, and returns the number of elements of one.
func (l *level) layOut(cores int) (size int) {
	if !l.down {
		l.chunks = chunksOf(l.columns)
		l.group = max(1, linear.Chunk/l.columns)
		l.units = (l.rows + l.group - 1) / l.group * l.chunks
		return min(l.columns*l.group, linear.Chunk)
	}
	l.chunks = chunksOf(l.rows)
	l.blocks = 1
	if wanted := 2 * cores; l.chunks < wanted && cores > 1 && l.rows*l.columns > 4*linear.Chunk {
		l.blocks = min(wanted, l.columns/foldLanes)
	}
	l.blocks = max(l.blocks, (l.columns+maxWidth-1)/maxWidth, 1)
	l.width = (l.columns + l.blocks - 1) / l.blocks
	if l.blocks > 1 {
		l.width = whole(l.width)
		l.blocks = (l.columns + l.width - 1) / l.width
	}
	l.units = l.chunks * l.blocks
	return min(l.rows, linear.Chunk) * l.width
}

// chunksOf returns the number of chunks of n elements.
func chunksOf(n int) int { return (n + linear.Chunk - 1) / linear.Chunk }

// run computes the units in the blocks from lo to hi.
func (l *level) run(f *frame, lo, hi int) {
	for u := lo; u < hi; u++ {
		switch {
		case l.down:
			f.folding.down(f, l, u/l.blocks, u%l.blocks*l.width)
		case l.chunks == 1:
			row := u * l.group
			f.folding.across(f, l, row*l.columns, min(l.group, l.rows-row), l.columns, row)
		default:
			from := u % l.chunks * linear.Chunk
			f.folding.across(f, l, u/l.chunks*l.columns+from, 1, min(linear.Chunk, l.columns-from), u)
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
	src := l.values(f, from, rows*n)
	if n%foldLanes != 0 {
		s.fillPad(l.none)
		s.args.pad = unsafe.Pointer(&s.pad[0])
	}
	s.args.dst, s.args.src, s.args.n, s.args.rows, s.args.stride = unsafe.Pointer(&l.dst[to]), src, n, rows, n
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
func (s *folding) down(f *frame, l *level, chunk, first int) {
	from := chunk * linear.Chunk
	rows, columns := min(linear.Chunk, l.rows-from), min(l.width, l.columns-first)
	lanes := foldLanes
	if rows < foldLanes {
		lanes = 1 << bits.Len(uint(rows-1))
	}
	width := columns // of the lanes
	if l.blocks > 1 {
		width = whole(columns)
	}
	s.lanes = extend(s.lanes, lanes*width+foldLanes) // and what the last block of a fold has
	for i := range s.lanes {
		s.lanes[i] = l.none
	}
	if l.blocks > 1 {
		s.block(f, l, from, rows, first, columns)
	} else {
		s.flat(f, l, from*l.columns, rows*l.columns)
	}
	for half := lanes / 2; half > 0; half /= 2 {
		// The last block has elements that the one before has folded, and nobody needs.
		s.add(l, 0, unsafe.Pointer(&s.lanes[half*width]), whole(half*width), 1, 0)
	}
	dst := l.dst[chunk*l.columns+first:][:columns]
	n := copy(dst, s.lanes[:columns&^(foldLanes-1)])
	copy(dst[n:], s.lanes[width-(columns-n):]) // see block; without blocks they follow
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
		copy(s.pad, unsafe.Slice((*float32)(unsafe.Add(src, 4*blocks)), n-blocks))
		s.add(l, at+blocks, unsafe.Pointer(&s.pad[0]), foldLanes, 1, 0)
	}
}

// flat adds n elements from the index from on to lanes of all columns: a matrix of rows of all
// lanes of all columns.
func (s *folding) flat(f *frame, l *level, from, n int) {
	period := foldLanes * l.columns
	for at := 0; at < n; {
		left := n - at
		switch lane := at % period; {
		case l.call == nil && left >= period:
			rows := min(left/period, together)
			s.add(l, 0, l.values(f, from+at, rows*period), period, rows, period)
			at += rows * period
		case l.call != nil && left >= period && 2*period <= batch:
			rows := min(left, batch) / period
			s.add(l, 0, l.values(f, from+at, rows*period), period, rows, period)
			at += rows * period
		default:
			m := min(left, period-lane)
			if l.call != nil {
				m = min(m, batch)
			}
			s.addSome(l, lane, l.values(f, from+at, m), m)
			at += m
		}
	}
}

// block adds columns, from the column first on, of the rows from on to their lanes. The
// last of them that fill no block are the last of a block, which has others before these.
func (s *folding) block(f *frame, l *level, from, rows, first, columns int) {
	width, blocks := whole(columns), columns&^(foldLanes-1)
	before := width - columns // elements of the last block that are another's
	if l.call != nil {
		start := first - max(0, before-blocks)
		for r := range rows {
			src := l.values(f, (from+r)*l.columns+start, first+columns-start)
			lane := r % foldLanes * width
			if blocks > 0 {
				s.add(l, lane, unsafe.Add(src, 4*(first-start)), blocks, 1, 0)
			}
			if before > 0 {
				s.add(l, lane+blocks, unsafe.Add(src, 4*(first+columns-foldLanes-start)), foldLanes, 1, 0)
			}
		}
		return
	}
	stride := foldLanes * l.columns
	for r := 0; r < rows; r += together * foldLanes {
		for lane := range min(foldLanes, rows-r) {
			n := min((rows-r-lane+foldLanes-1)/foldLanes, together)
			src := unsafe.Add(l.src, 4*((from+r+lane)*l.columns+first))
			if blocks > 0 {
				s.add(l, lane*width, src, blocks, n, stride)
			}
			if before > 0 {
				s.add(l, lane*width+blocks, unsafe.Add(src, 4*(columns-foldLanes)), foldLanes, n, stride)
			}
		}
	}
}
