//go:build opencl && cgo

package gpu

import (
	"fmt"

	"github.com/gmind-go/compute/gpu/internal/opencl"
	"github.com/gmind-go/compute/internal/linear"
)

// A tile is the part of a product of matrices that a work-group computes at a time. If it has a
// depth, the group shares local memory: see kernels/matmul_tiles.cl. Otherwise the group is one
// item, and a and b are packed into panels first: see kernels/matmul_panels.cl.
type tile struct {
	width                 int // of a vector
	rowVectors            int // of a, that an item multiplies at a time; rows, in panels
	columnVectors         int // of b, likewise
	rowItems, columnItems int // of a group
	depth                 int // elements of a row of a that are in local memory; 0 for panels
}

// panelTiles are for what computes on a CPU, by the width of its vectors, and for devices that take
// none of groupTiles. c has most of the registers, 24 of 32 with AVX-512, 12 of 16 with AVX2 and 16 of
// 32 with NEON. Two units for fma with a latency of 4 need 8 independent chains.
var panelTiles = map[int]tile{
	16: {width: 16, rowVectors: 12, columnVectors: 2, rowItems: 1, columnItems: 1},
	8:  {width: 8, rowVectors: 6, columnVectors: 2, rowItems: 1, columnItems: 1},
	4:  {width: 4, rowVectors: 8, columnVectors: 2, rowItems: 1, columnItems: 1},
}

// groupTiles are for GPUs, the largest first. Tuned libraries use the first on most of them, for
// large matrices (CLBlast's database, CUTLASS): 64 elements of c for an item, which do with 16
// loads from local memory what 64 fma need. Smaller tiles give more groups, for small matrices, and
// need less of a device.
var groupTiles = []tile{
	{width: 4, rowVectors: 2, columnVectors: 2, rowItems: 16, columnItems: 16, depth: 16}, // 128 by 128
	{width: 4, rowVectors: 1, columnVectors: 1, rowItems: 16, columnItems: 16, depth: 16}, // 64 by 64
	{width: 4, rowVectors: 1, columnVectors: 1, rowItems: 8, columnItems: 8, depth: 16},   // 32 by 32
	{width: 2, rowVectors: 1, columnVectors: 1, rowItems: 4, columnItems: 8, depth: 8},    // 8 by 16
}

// tilesFor returns the tiles to try on d.
func tilesFor(d *opencl.Device) []tile {
	panels := panelTiles[powerOfTwo(min(max(d.Width, 4), 16))]
	if d.Type == opencl.CPU || d.Software {
		return []tile{panels}
	}
	var tiles []tile
	for _, t := range groupTiles {
		if t.group() <= d.MaxGroup {
			tiles = append(tiles, t)
		}
	}
	return append(tiles, panels)
}

// group returns the number of items in a group.
func (t tile) group() int { return t.rowItems * t.columnItems }

// rows and columns return the extents of the tile.
func (t tile) rows() int {
	if t.depth == 0 {
		return t.rowVectors
	}
	return t.rowItems * t.rowVectors * t.width
}

func (t tile) columns() int { return t.columnItems * t.columnVectors * t.width }

// groups returns how many tiles c of m rows and n columns has.
func (t tile) groups(m, n int) int { return parts(m, t.rows()) * parts(n, t.columns()) }

// groupsAtOnce returns how many groups multiply k rows with so many operations at most, at least one.
func (t tile) groupsAtOnce(k int, flop int64) int {
	return int(max(flop/(2*int64(t.rows())*int64(t.columns())*int64(k)), 1))
}

// parts returns how many parts of a size n has.
func parts(n, size int) int {
	count := n / size
	if n%size > 0 {
		count++
	}
	return count
}

// defines returns what a program for the tile begins with.
func (t tile) defines(v variant) string {
	text := fmt.Sprintf("#define BLOCK %d\n#define COLUMN_VECTORS %d\n", linear.Block, t.columnVectors)
	if t.depth == 0 {
		return text + fmt.Sprintf("#define ROWS %d\n#define STEP %d\n#define STRIP %d\n#define TALL %d\n", t.rowVectors, packStep, vectorStrip, vectorRows)
	}
	text += fmt.Sprintf("#define ROW_VECTORS %d\n#define ROW_ITEMS %d\n#define COLUMN_ITEMS %d\n#define DEPTH %d\n", t.rowVectors, t.rowItems, t.columnItems, t.depth)
	if v.transposeA {
		text += "#define TRANSPOSE_A\n"
	}
	if v.transposeB {
		text += "#define TRANSPOSE_B\n"
	}
	return text
}
