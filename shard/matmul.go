package shard

import (
	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/driver"
	"github.com/gmind-go/compute/internal/linear"
)

// MatMul implements driver.Multiplier.
func (d *device) MatMul(c *driver.MatMulCall) error {
	l := &lent{device: d}
	if err := l.release(l.matMul(c)); err != nil || c.Then == nil {
		return err
	}
	return d.Launch(c.Then)
}

// A band is some rows of a product, which one member computes.
type band struct {
	*member
	from, to int
}

func (l *lent) matMul(c *driver.MatMulCall) error {
	bands := l.bands(c)
	if bands == nil {
		return l.matMulOnHost(c)
	}
	run := make(memory, len(bands))
	calls := make([]func() error, len(bands))
	var back []moved
	var host []float32 // a, if its columns go to several members
	for i, b := range bands {
		rows := b.to - b.from
		run[i] = part{member: b.member, from: b.from * c.N, to: b.to * c.N}
		var x compute.Buffer
		var err error
		switch m := c.A.(memory); {
		case !c.TransposeA:
			x, err = l.input(b.member, m.cut(b.from*c.K, b.to*c.K))
		case rows == c.M:
			x, err = l.input(b.member, m)
		default:
			if host == nil {
				host = make([]float32, c.M*c.K)
				if err := l.Read(m, host); err != nil {
					return err
				}
			}
			x, err = b.Upload(columns(host, c.M, b.from, b.to))
			x, err = l.take(b.member, x, err, rows*c.K)
		}
		if err != nil {
			return err
		}
		y, err := l.input(b.member, c.B.(memory))
		if err != nil {
			return err
		}
		z, err := l.output(b.member, c.C.(memory).cut(b.from*c.N, b.to*c.N), c.Accumulate, &back)
		if err != nil {
			return err
		}
		calls[i] = func() error { return b.linear.MatMul(z, x, rows, c.K, y, c.N, options(c)...) }
	}
	err := l.each(run, func(i int, p *part) error {
		defer p.launched.Store(true)
		return calls[i]()
	})
	if err != nil {
		return err
	}
	return l.moveBack(back)
}

// options returns those of c without Then.
func options(c *driver.MatMulCall) []compute.MatMulOption {
	return []compute.MatMulOption{func(p *compute.Product) {
		p.TransposeA, p.TransposeB, p.Accumulate = c.TransposeA, c.TransposeB, c.Accumulate
	}}
}

// columns returns the columns from one index to another of a matrix with n columns.
func columns(m []float32, n, from, to int) []float32 {
	list := make([]float32, 0, len(m)/n*(to-from))
	for i := 0; i < len(m); i += n {
		list = append(list, m[i+from:i+to]...)
	}
	return list
}

// perMoved is the number of multiplications that a member must be spared to be worth an element
// that is moved for it: a GPU makes some 10,000 in this time, and a CPU some 50.
const perMoved = 4096

// bands returns who computes which rows, or nil if no member is Linear. The rows of c are computed
// where they are if that moves less than one member would need, which has the most of all
// operands, or if it shares enough of the work.
func (d *device) bands(c *driver.MatMulCall) []band {
	home := d.home(c)
	if home == nil {
		return nil
	}
	alone := []band{{home, 0, c.M}}
	shared := d.shared(c, home)
	if len(shared) < 2 {
		return alone
	}
	most := 0
	for _, b := range shared {
		most = max(most, b.to-b.from)
	}
	if moves(c, shared) <= moves(c, alone)+float64(c.M-most)*float64(c.K)*float64(c.N)/perMoved {
		return shared
	}
	return alone
}

// home returns the Linear member that has the most elements of the operands, and of those that
// have as many the fastest; or nil.
func (d *device) home(c *driver.MatMulCall) *member {
	var best *member
	most, speed := 0, 0.0
	for i, m := range d.members {
		if m.linear == nil {
			continue
		}
		n := c.C.(memory).on(m) + c.A.(memory).on(m) + c.B.(memory).on(m)
		if s := d.layout.paces[i].speed; best == nil || n > most || n == most && s > speed {
			best, most, speed = m, n, s
		}
	}
	return best
}

// shared returns the bands of rows that lie on each member, for the most part.
func (d *device) shared(c *driver.MatMulCall, home *member) []band {
	var bands []band
	done := 0
	for _, p := range c.C.(memory) {
		at, to := p.member, (p.to+c.N/2)/c.N
		if to <= done {
			continue
		}
		if at.linear == nil {
			at = home
		}
		if n := len(bands); n > 0 && bands[n-1].member == at {
			bands[n-1].to = to
		} else {
			bands = append(bands, band{at, done, to})
		}
		done = to
	}
	return bands
}

// moves returns how many elements are moved for the bands.
func moves(c *driver.MatMulCall, bands []band) float64 {
	n := 0
	for _, b := range bands {
		n += c.K*c.N - c.B.(memory).on(b.member)
		rows := c.C.(memory).cut(b.from*c.N, b.to*c.N)
		n += rows.len() - rows.on(b.member)
		switch a := c.A.(memory); {
		case !c.TransposeA:
			rows := a.cut(b.from*c.K, b.to*c.K)
			n += rows.len() - rows.on(b.member)
		case b.to-b.from < c.M:
			n += c.M * c.K // through the host, to be cut there
		default:
			n += c.M*c.K - a.on(b.member)
		}
	}
	return float64(n)
}

// matMulOnHost is for members none of which is Linear.
func (l *lent) matMulOnHost(c *driver.MatMulCall) error {
	x, y, z := make([]float32, c.M*c.K), make([]float32, c.K*c.N), make([]float32, c.M*c.N)
	if err := l.Read(c.A, x); err != nil {
		return err
	}
	if err := l.Read(c.B, y); err != nil {
		return err
	}
	if c.Accumulate {
		if err := l.Read(c.C, z); err != nil {
			return err
		}
	}
	linear.MatMul(c.Product, z, x, y)
	return l.Write(c.C, z)
}
