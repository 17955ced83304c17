package main

import (
	"errors"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/expr"
)

// chain is a program of ten operations, each of which takes less time than to move an element:
// multiply, add, fma, abs, max, where, multiply, subtract, fma, multiply. Applied again and
// again it tends to 0.44, so that calls in place meet no subnormal or infinite values. The
// products of fma are exact, so that peers that round them have the same bits.
var chain = expr.MustParse(`func chain(x float32) (y float32) {
	a := 0.75 * x
	b := a + 0.5
	c := max(abs(fma(b, 0.5, x)), 0.25)
	d := where(x < 1, c, b) * 0.5
	y = fma(d-a, 0.5, b) * 0.5
	return
}`)

// chainOf returns chain of x.
func chainOf(x float32) float32 {
	a := float32(0.75 * x)
	b := a + 0.5
	c := b
	if x < 1 {
		c = x + float32(b*0.5)
		if c < 0 {
			c = -c
		}
		if c < 0.25 {
			c = 0.25
		}
	}
	d := float32(c * 0.5)
	return float32((b + float32((d-a)*0.5)) * 0.5)
}

// The operations that chainContestants compares, with the requests of the peers.
var chains = []struct{ op, request string }{
	{"chain", "chain"},
	{"chain in place", "chain_in_place"},
}

// chainContestants returns the contestants of chain, on x, y and z, which holds the values of
// h too.
func chainContestants(b compute.Backend, with peers, h *memory, x, y, z compute.Buffer) (list []*contestant, err error) {
	apart, err1 := b.Prepare(chain, y, x)
	inPlace, err2 := b.Prepare(chain, z, z)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	add := func(column, op string, time func(calls int) (float64, error), result func(dst []float32) error) {
		list = append(list, &contestant{
			column: column, op: op, bytes: 8, time: time, result: result,
			want: func(_, x float32) float32 { return chainOf(x) },
		})
	}
	add(colOurs, chains[0].op, timeGo(apart.Run), func(dst []float32) error { return errors.Join(apart.Run(), y.Read(dst)) })
	add(colOurs, chains[1].op, timeGo(inPlace.Run), func(dst []float32) error {
		return errors.Join(z.Write(h.x), inPlace.Run(), z.Read(dst))
	})
	for _, p := range []struct {
		*peer
		column string
	}{{with.numexpr, colNumexpr}, {with.torch, colEager}} {
		for _, c := range chains {
			add(p.column, c.op, func(calls int) (float64, error) { return p.time(c.request, calls) },
				func(dst []float32) error { return p.result(c.request, dst) })
		}
	}
	return list, nil
}
