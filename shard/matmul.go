package shard

import (
	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/driver"
	"github.com/gmind-go/compute/internal/kernel"
	"github.com/gmind-go/compute/internal/linear"
)

// MatMul implements driver.Device.
func (d *device) MatMul(c *driver.MatMulCall) error {
	l := &lent{device: d}
	done, err := l.matMul(c)
	if err := l.release(err); err != nil || done {
		return err
	}
	return d.Launch(c.Then)
}

// A band is some rows of a product, which one member computes.
type band struct {
	*member
	from, to int
}

// matMul reports whether it has run c.Then, or there is none.
func (l *lent) matMul(c *driver.MatMulCall) (done bool, err error) {
	bands := l.bands(c)
	if bands == nil {
		return c.Then == nil, l.matMulOnHost(c)
	}
	a := &left{lent: l, call: c}
	products := make([]product, len(bands))
	var back []moved
	for i, b := range bands {
		p := &products[i]
		if p.a, err = a.rows(b); err != nil {
			return false, err
		}
		if p.b, err = l.input(b.member, c.B.(memory)); err != nil {
			return false, err
		}
		if p.c, err = l.output(b.member, c.C.(memory).cut(b.from*c.N, b.to*c.N), c.Accumulate, &back); err != nil {
			return false, err
		}
	}
	var then *inputs
	if c.Then != nil && len(back) == 0 && fuses(c, bands) {
		then = &inputs{lent: l, call: c.Then, operands: c.Then.Operands[len(c.Then.Kernel.Results):]}
		for i, b := range bands {
			if products[i].then, err = then.after(b, c.N, &back); err != nil {
				return false, err
			}
		}
	}
	run := make(memory, len(bands))
	for i, b := range bands {
		run[i] = part{member: b.member, from: b.from * c.N, to: b.to * c.N}
	}
	err = l.each(run, func(i int, p *part) error {
		defer p.launched.Store(true)
		of, rows := &products[i], bands[i].to-bands[i].from
		if then == nil {
			return p.linear.MatMul(of.c, of.a, rows, c.K, of.b, c.N, options(c))
		}
		free, err := then.upload(p.member, of.then)
		defer free()
		if err != nil {
			return err
		}
		return p.linear.MatMul(of.c, of.a, rows, c.K, of.b, c.N, options(c), compute.Then(c.Then.Code.(*code).program, of.then...))
	})
	if err != nil {
		return false, err
	}
	return then != nil || c.Then == nil, l.moveBack(back)
}

// A product has the operands of a band, on its member.
type product struct {
	c, a, b compute.Buffer
	then    []compute.Arg
}

// fuses reports whether members can run c.Then with the product. They can if it reads the product,
// unless masks would have to be cut.
func fuses(c *driver.MatMulCall, bands []band) bool {
	k := c.Then.Kernel
	if len(k.Inputs) == 0 || k.Arg(0) != 0 {
		return false
	}
	for i, o := range c.Then.Operands {
		if address(c.Then, i) == kernel.Bit {
			if m := o.Memory.(memory); len(m) > 1 || len(bands) > 1 || m[0].member != bands[0].member {
				return false
			}
		}
	}
	return true
}

// after returns the arguments of Then for a band of rows of n elements. The first result and the
// first input are the product.
func (in *inputs) after(b band, n int, back *[]moved) ([]compute.Arg, error) {
	var args []compute.Arg
	k := in.call.Kernel
	for i, o := range in.call.Operands[1:len(k.Results)] {
		m := o.Memory.(memory)
		if k.Results[1+i] == kernel.Bit {
			args = append(args, m[0].held)
			continue
		}
		buf, err := in.output(b.member, m.cut(b.from*n, b.to*n), false, back)
		if err != nil {
			return nil, err
		}
		args = append(args, buf)
	}
	read, err := in.stage(b.member, b.from*n, b.to*n)
	if err != nil {
		return nil, err
	}
	return append(args, read[1:]...), nil
}

// left is the left factor of a product.
type left struct {
	*lent
	call *driver.MatMulCall
	host []float32 // all of it, if its columns go to several members
}

// rows returns the rows of the factor for a band: columns, if it is transposed.
func (a *left) rows(b band) (compute.Buffer, error) {
	c, m := a.call, a.call.A.(memory)
	switch {
	case !c.TransposeA:
		return a.input(b.member, m.cut(b.from*c.K, b.to*c.K))
	case b.to-b.from == c.M:
		return a.input(b.member, m)
	}
	if a.host == nil {
		a.host = make([]float32, c.M*c.K)
		if err := a.Read(m, a.host); err != nil {
			return nil, err
		}
	}
	buf, err := b.Upload(columns(a.host, c.M, b.from, b.to))
	return a.take(b.member, buf, err, (b.to-b.from)*c.K)
}

// options sets the options of c without Then.
func options(c *driver.MatMulCall) compute.MatMulOption {
	return func(p *compute.Product) {
		p.TransposeA, p.TransposeB, p.Accumulate = c.TransposeA, c.TransposeB, c.Accumulate
	}
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
