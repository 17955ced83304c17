package compute

import "fmt"

// A Reduction is what Backend.Reduce makes of the values of a sequence. n is their number.
//
// The order of additions is defined, so that a sum has the same bits on every backend, with
// any number of cores, and in every part of a Shard: element i belongs to the chunk i/4096, and
// in the chunk to the lane i%64. A lane starts at +0 and adds its elements one after the other.
// Lane j then adds lane j+32, for j < 32; then lane j+16, for j < 16; and so on, until lane 0 is
// the sum of the chunk. The sums of several chunks are a sequence that is summed likewise. This
// is also more accurate than one chain: an element goes through at most 70 additions in its chunk,
// and its chunk through as many in the next sequence, not through n.
type Reduction uint8

// The reductions.
const (
	Sum  Reduction = iota // +0 if n is 0
	Max                   // NaN if a value is NaN; +0 is greater than -0; -Inf if n is 0
	Min                   // NaN if a value is NaN; -0 is less than +0; +Inf if n is 0
	Mean                  // Sum, divided by float32(n); NaN if n is 0
)

// String returns the name of r, such as "sum".
func (r Reduction) String() string {
	names := [...]string{Sum: "sum", Max: "max", Min: "min", Mean: "mean"}
	if int(r) < len(names) {
		return names[r]
	}
	return fmt.Sprintf("Reduction(%d)", r)
}

// An Axis says of which elements Backend.Reduce makes one: what All, Rows and Cols return.
type Axis struct {
	Kind    AxisKind
	Columns int // of the matrix, for AxisRows and AxisCols: above 0
}

// An AxisKind is the kind of an Axis.
type AxisKind uint8

// The kinds of axes.
const (
	AxisAll AxisKind = iota
	AxisRows
	AxisCols
)

// All makes one element of all.
func All() Axis { return Axis{} }

// Rows makes one element of each row of a matrix with n columns, in row-major order: of n
// elements that follow each other. n is above 0.
func Rows(n int) Axis { return Axis{AxisRows, n} }

// Cols makes one element of each column of a matrix with n columns, in row-major order: of
// every n-th element. n is above 0.
func Cols(n int) Axis { return Axis{AxisCols, n} }

// String returns such as "all", "rows of 10" or "columns of 10".
func (a Axis) String() string {
	switch a.Kind {
	case AxisAll:
		return "all"
	case AxisRows:
		return fmt.Sprintf("rows of %d", a.Columns)
	case AxisCols:
		return fmt.Sprintf("columns of %d", a.Columns)
	}
	return fmt.Sprintf("Axis(%d, %d)", a.Kind, a.Columns)
}
