//go:build opencl && cgo

package gpu

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/gpu/internal/opencl"
	"github.com/gmind-go/compute/internal/driver"
	"github.com/gmind-go/compute/internal/linear"
	"github.com/gmind-go/compute/internal/mempool"
)

// A multiplier has the programs that multiply matrices. Each is built when it is first needed,
// and kept.
type multiplier struct {
	tiles []tile // to choose from, the best for large matrices first

	inPanels, inTiles string // kernels.MatMulPanels and MatMulTiles

	launchFlop int64 // that a launch of groups that share memory does at most

	mu    sync.Mutex // guards what follows, and is held while a program is built
	codes map[variant]*tileCode
	unfit map[variant]error // what the device cannot use, if it can use another
}

// A variant is what a program is for. That for panels is for all transposes.
type variant struct {
	tile                   tile
	transposeA, transposeB bool
}

// A tileCode has the kernels of a program.
type tileCode struct {
	tile    tile
	product *code
	pack    [4]*code // of panels: a and its transpose, b and its transpose
	vectors [2]*code // for a few vectors and a matrix, and its transpose
}

// The arguments of the kernels.
const (
	tileArgs   = 11
	panelArgs  = 9
	packArgs   = 6
	vectorArgs = 13
)

// An item packs packStep elements of a panel, or multiplies a vector with vectorStrip columns of
// the rows of a matrix, or with vectorRows of its rows.
const (
	packStep    = 64
	vectorStrip = 256
	vectorRows  = 16
)

// launchFlop is how much a launch computes at most: systems reset a GPU that takes too long for one,
// Windows after 2 seconds.
const launchFlop = 1 << 36

// fewVectors is how many rows of a, or columns of b, are multiplied one by one: packing the other
// matrix takes as long as to read it for three.
const fewVectors = 3

// panelElements is how many elements of a, and of b, are packed at most at a time, and panelDepth
// how many of k: a panel of b then fits in a cache of the second level.
const (
	panelElements = 4 << 20
	panelDepth    = 8 * linear.Block
)

// MatMul enqueues the product, and then what is to be done with it.
func (d *device) MatMul(c *driver.MatMulCall) error {
	t, err := d.tileCode(c.Product)
	if err != nil {
		return err
	}
	p := &product{Product: c.Product, tileCode: t, d: d, c: c.C.(*memory), a: c.A.(*memory), b: c.B.(*memory)}
	err = p.allocPanels(func(n int) (*memory, error) {
		m, err := d.Alloc(n, false)
		if err != nil {
			return nil, err
		}
		return m.(*memory), nil
	})
	if err == nil {
		err = d.multiply(p)
	}
	p.freePanels(func(m *memory) { d.Free(m) })
	if err != nil || c.Then == nil {
		return err
	}
	return d.Launch(c.Then)
}

func (d *device) multiply(p *product) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := p.enqueue(d.queue, d.kernels); err != nil {
		return err
	}
	return d.queue.Flush()
}

// A product is a product of matrices with the program and the memory for it.
type product struct {
	linear.Product
	*tileCode
	d       *device
	c, a, b *memory

	panels            [2]*memory // of a and b
	rows, deep, width int        // how much of m, k and n is in panels at a time
}

// allocPanels gets the memory for panels, if there are some, from alloc.
func (p *product) allocPanels(alloc func(n int) (*memory, error)) (err error) {
	if p.tile.depth > 0 || p.areVectors() {
		return nil
	}
	p.deep = min(p.K, panelDepth)
	strip := func(n, unit int) int { return min(parts(n, unit), max(panelElements/p.deep/unit, 1)) * unit }
	p.rows, p.width = strip(p.M, p.tile.rows()), strip(p.N, p.tile.columns())
	for i, n := range []int{p.rows, p.width} {
		if p.panels[i], err = alloc(mempool.Class(n * p.deep)); err != nil {
			return err
		}
	}
	return nil
}

// freePanels gives back what allocPanels got.
func (p *product) freePanels(free func(m *memory)) {
	for _, m := range p.panels {
		if m != nil {
			free(m)
		}
	}
}

// enqueue enqueues the product in q, which has these kernels.
func (p *product) enqueue(q *opencl.Queue, kernels kernelSet) error {
	if p.tile.depth > 0 {
		index := p.product.shape.count
		all, most := p.tile.groups(p.M, p.N), p.tile.groupsAtOnce(p.K, p.d.multiplier.launchFlop)
		for first := 0; first < all; first += most {
			err := p.launch(q, kernels, p.product, min(most, all-first),
				p.c.Mem, index(p.c.from), p.a.Mem, index(p.a.from), p.b.Mem, index(p.b.from),
				index(p.M), index(p.K), index(p.N), index(first), bit(p.Accumulate))
			if err != nil {
				return err
			}
		}
		return nil
	}
	if p.areVectors() {
		return p.multiplyVectors(q, kernels)
	}
	for column := 0; column < p.N; column += p.width {
		width := min(p.width, p.N-column)
		for from := 0; from < p.K; from += p.deep {
			deep := min(p.deep, p.K-from)
			if err := p.packB(q, kernels, from, deep, column, width); err != nil {
				return err
			}
			for row := 0; row < p.M; row += p.rows {
				rows := min(p.rows, p.M-row)
				err := p.packA(q, kernels, row, rows, from, deep)
				if err == nil {
					err = p.multiplyPanels(q, kernels, row, rows, column, width, deep, p.Accumulate || from > 0)
				}
				if err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// areVectors reports whether a or b is a few vectors.
func (p *product) areVectors() bool { return min(p.M, p.N) <= fewVectors }

// multiplyVectors multiplies the rows of a, or the columns of b, with the other matrix.
func (p *product) multiplyVectors(q *opencl.Queue, kernels kernelSet) error {
	// Those of a row.
	x, transposed, count, n := p.b, p.TransposeB, p.M, p.N
	v, vTransposed := p.a, p.TransposeA
	cStride, cNext := 1, p.N
	if p.N < p.M {
		x, transposed, count, n = p.a, !p.TransposeA, p.N, p.M
		v, vTransposed = p.b, !p.TransposeB
		cStride, cNext = p.N, 1
	}
	vStride, vNext := 1, p.K
	if vTransposed {
		vStride, vNext = count, 1
	}
	c, size := p.vectors[0], vectorStrip
	if transposed {
		c, size = p.vectors[1], vectorRows
	}
	index := c.shape.count
	return p.launch(q, kernels, c, count*parts(n, size),
		p.c.Mem, index(p.c.from), index(cStride), index(cNext), x.Mem, index(x.from),
		v.Mem, index(v.from), index(vStride), index(vNext), index(p.K), index(n), bit(p.Accumulate))
}

// packA packs a part of a.
func (p *product) packA(q *opencl.Queue, kernels kernelSet, row, rows, from, deep int) error {
	c, offset, stride := p.pack[0], row*p.K+from, p.K
	if p.TransposeA {
		c, offset, stride = p.pack[1], from*p.M+row, p.M
	}
	return p.launch(q, kernels, c, parts(rows, p.tile.rows())*parts(deep, packStep),
		p.panels[0].Mem, p.a.Mem, c.shape.count(p.a.from+offset), c.shape.count(stride), uint32(deep), uint32(rows))
}

// packB packs a part of b.
func (p *product) packB(q *opencl.Queue, kernels kernelSet, from, deep, column, width int) error {
	c, offset, stride := p.pack[2], from*p.N+column, p.N
	if p.TransposeB {
		c, offset, stride = p.pack[3], column*p.K+from, p.K
	}
	return p.launch(q, kernels, c, parts(width, p.tile.columns())*parts(deep, packStep),
		p.panels[1].Mem, p.b.Mem, c.shape.count(p.b.from+offset), c.shape.count(stride), uint32(deep), uint32(width))
}

// multiplyPanels multiplies what is packed.
func (p *product) multiplyPanels(q *opencl.Queue, kernels kernelSet, row, rows, column, width, deep int, accumulate bool) error {
	index := p.product.shape.count
	return p.launch(q, kernels, p.product, p.tile.groups(rows, width),
		p.c.Mem, index(p.c.from+row*p.N+column), index(p.N), p.panels[0].Mem, p.panels[1].Mem,
		uint32(rows), uint32(deep), uint32(width), bit(accumulate))
}

// launch enqueues a kernel of so many groups.
func (p *product) launch(q *opencl.Queue, kernels kernelSet, c *code, groups int, args ...any) error {
	k, err := kernels.of(c, &p.d.codes)
	if err != nil {
		return err
	}
	return p.d.withMemory(func() error { return q.Launch(k, groups*c.shape.group, c.shape.group, args...) })
}

func bit(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}

// tileCode returns the program for p: with the largest tile that keeps the whole device busy, or
// else the smallest that it can use.
func (d *device) tileCode(p linear.Product) (*tileCode, error) {
	m := &d.multiplier
	m.mu.Lock()
	defer m.mu.Unlock()
	var failed error
	for _, t := range inOrder(m.tiles, p, d.found.Units) {
		c, err := m.of(d, t, p)
		if err == nil {
			return c, nil
		}
		if errors.Is(err, compute.ErrDevice) && !opencl.IsGroupTooLarge(err) {
			return nil, err
		}
		failed = err
	}
	clear(m.unfit) // the next call tries again
	return nil, failed
}

// inOrder returns tiles, the largest of which is the first, in the order in which they are tried for
// p: those that give each unit a group, the largest first, then others, the smallest first. Panels
// stay the last. What is not tried is not compiled.
func inOrder(tiles []tile, p linear.Product, units int) []tile {
	few, panels := 0, len(tiles)
	for panels > 0 && tiles[panels-1].depth == 0 {
		panels--
	}
	for few < panels && tiles[few].groups(p.M, p.N) < units {
		few++
	}
	order := slices.Clone(tiles[:few])
	slices.Reverse(order)
	return slices.Concat(tiles[few:panels], order, tiles[panels:])
}

// of returns the program for a tile. The caller has the lock.
func (m *multiplier) of(d *device, t tile, p linear.Product) (*tileCode, error) {
	v := variant{tile: t}
	if t.depth > 0 {
		v.transposeA, v.transposeB = p.TransposeA, p.TransposeB
	}
	if c := m.codes[v]; c != nil {
		return c, nil
	}
	if err := m.unfit[v]; err != nil {
		return nil, err
	}
	c, err := d.buildTile(v)
	if err == nil {
		m.codes[v] = c
	} else {
		m.unfit[v] = err
	}
	return c, err
}

// buildTile builds the program of v, and compares it with the reference.
func (d *device) buildTile(v variant) (*tileCode, error) {
	s := d.shape
	s.width, s.vectors, s.group, s.aligned = v.tile.width, 1, v.tile.group(), false
	source := d.multiplier.inPanels
	if v.tile.depth > 0 {
		source = d.multiplier.inTiles
	}
	program, err := d.context.Build(d.defines(s)+v.tile.defines(v)+"#line 1\n"+source, d.options())
	if err != nil {
		return nil, compileError(err)
	}
	c := &tileCode{tile: v.tile, product: &code{name: "product", args: tileArgs, shape: s, program: program}}
	if v.tile.depth == 0 {
		c.product.args = panelArgs
		for i, name := range []string{"pack_a", "pack_a_transposed", "pack_b", "pack_b_transposed"} {
			c.pack[i] = &code{name: name, args: packArgs, shape: s, program: program}
		}
		for i, name := range []string{"times_rows", "times_columns"} {
			c.vectors[i] = &code{name: name, args: vectorArgs, shape: s, program: program}
		}
	}
	err = d.withPipeline(context.Background(), func(p *pipeline) error { return p.checkTile(c, v) })
	if err != nil {
		program.Release()
		return nil, err
	}
	return c, nil
}

// release releases all programs.
func (m *multiplier) release() {
	for _, c := range m.codes {
		c.product.program.Release()
	}
	clear(m.codes)
}
