package cpu

import (
	"math"

	"github.com/gmind-go/compute/internal/driver"
)

// A gather is a call of Gather. Its units are groups of rows.
type gather struct {
	dst, src, index []float32
	width, rows     int
	group           int // rows of a unit
}

// gatherElements is the least number of elements of a unit.
const gatherElements = 4096

// Gather implements driver.Device.
func (d *device) Gather(dst, src, index driver.Memory, width, rows, n int) error {
	g := &gather{
		dst: dst.(*memory).elements, src: src.(*memory).elements, index: index.(*memory).elements,
		width: width, rows: rows, group: max(1, gatherElements/width),
	}
	units := ceil(n, g.group)
	// Each row costs what it moves, and about as much as some elements more.
	const perRow = 16
	perUnit := func(speed int) cost { return moving(64, speed) * cost(g.group*(width+perRow)) }
	f := &dst.(*memory).frame
	j := job{task: g, n: units, chunk: 1, cost: perUnit(cacheSpeed), cold: perUnit(memorySpeed)}
	d.pool.do(&j, f)
	return nil
}

func (g *gather) run(_ *frame, lo, hi int) {
	from, to := lo*g.group, min(hi*g.group, len(g.index))
	for i, v := range g.index[from:to] {
		row := g.dst[(from+i)*g.width:][:g.width]
		if at, ok := driver.RowOf(v, g.rows); ok {
			copy(row, g.src[at*g.width:])
			continue
		}
		for j := range row {
			row[j] = float32(math.NaN())
		}
	}
}
