package shard

import (
	"math"

	"github.com/gmind-go/compute/internal/driver"
)

// Gather implements driver.Device.
func (d *device) Gather(dst, src, index driver.Memory, width, rows, n int) error {
	l := &lent{device: d}
	to, from, at := dst.(memory), src.(memory), index.(memory)
	if len(from) == 1 {
		return l.release(l.gatherOn(&from[0], to, at))
	}
	return l.release(l.gather(to, from, at, width, rows))
}

// gatherOn gathers rows of one member.
func (l *lent) gatherOn(p *part, dst, index memory) error {
	at, err := l.input(p.member, index)
	if err != nil {
		return err
	}
	var back []moved
	to, err := l.output(p.member, dst, false, &back)
	if err != nil {
		return err
	}
	err = p.blame(p.Backend.Gather(to, p.buffer(), at))
	p.launched.Store(true)
	if err != nil {
		return err
	}
	return l.moveBack(back)
}

// gather gathers rows of several members: each gathers its own, and the host puts them in their
// places. Only these rows move.
func (l *lent) gather(dst, src, index memory, width, rows int) error {
	indices, values := make([]float32, index.len()), make([]float32, dst.len())
	if err := l.Read(index, indices); err != nil {
		return err
	}
	row := func(i int) []float32 { return values[i*width : (i+1)*width] }
	first := func(p part) int { return (p.from + width - 1) / width } // row that p has whole
	places := make([][]int, len(src))                                 // by part: the rows of dst
	for i, v := range indices {
		r, ok := driver.RowOf(v, rows)
		if !ok {
			for j := range row(i) {
				row(i)[j] = float32(math.NaN())
			}
			continue
		}
		whole := false
		for k, p := range src {
			if first(p) <= r && (r+1)*width <= p.to && isIndex(r-first(p)) {
				places[k], whole = append(places[k], i), true
			}
		}
		if whole {
			continue
		}
		if err := l.Read(src.cut(r*width, (r+1)*width), row(i)); err != nil {
			return err
		}
	}
	err := l.each(src, func(k int, p *part) error {
		if len(places[k]) == 0 {
			return nil
		}
		return p.gatherRows(first(*p), width, indices, places[k], row)
	})
	if err != nil {
		return err
	}
	return l.Write(dst, values)
}

// isIndex reports whether a float32 is the number of row r. A row of a long part may have one in the
// whole and none in the part.
func isIndex(r int) bool { return int(float32(r)) == r }

// gatherRows reads the rows of p that have places. Its first whole row has the number first.
func (p *part) gatherRows(first, width int, indices []float32, places []int, row func(i int) []float32) error {
	local := make([]float32, len(places))
	for i, place := range places {
		local[i] = float32(int(indices[place]) - first)
	}
	skip := first*width - p.from
	src, err := p.buffer().View(skip, skip+(p.to-p.from-skip)/width*width)
	if err != nil {
		return err
	}
	defer src.Release()
	at, err := p.Upload(local)
	if err != nil {
		return err
	}
	defer at.Release()
	out, err := p.Alloc(len(places) * width)
	if err != nil {
		return err
	}
	defer out.Release()
	host := make([]float32, out.Len())
	if err := p.Backend.Gather(out, src, at); err != nil {
		return err
	}
	if err := out.Read(host); err != nil {
		return err
	}
	for i, place := range places {
		copy(row(place), host[i*width:])
	}
	return nil
}
