package main

import (
	"errors"
	"math"

	"github.com/gmind-go/compute"
)

// All of this package writes float64 around each product, so that no processor fuses it with a
// sum, and the files are the same on all.

// A point is one of a curve, in its coordinates or in those of a figure.
type point struct{ x, y float64 }

// A branch is a part of a curve without a jump.
type branch struct {
	points []point
	// left and right tell whether the ends are at jumps, and there whether they are values of
	// the function (attained), or limits from the other side.
	left, right end
}

type end int

const (
	border end = iota
	attained
	limit
)

// perUnit is the number of samples in a unit of x. The functions jump, and bend, at samples.
const perUnit = 100

// sample returns the samples of x, and f(x) and f'(x) computed by b.
func sample(b compute.Backend, s section) (x, y, d []float32, err error) {
	for i := int(s.from * perUnit); i <= int(s.to*perUnit); i++ {
		x = append(x, float32(i)/perUnit)
	}
	y, d = make([]float32, len(x)), make([]float32, len(x))
	bx, err := b.Upload(x)
	if err != nil {
		return nil, nil, nil, err
	}
	by, err := b.Alloc(len(x))
	if err != nil {
		return nil, nil, nil, errors.Join(err, bx.Release())
	}
	err = errors.Join(b.Forward(s.shown, by, bx), by.Read(y), b.Derivative(s.shown, by, bx), by.Read(d), bx.Release(), by.Release())
	return x, y, d, err
}

// branches returns the curve of f through the samples.
func branches(x, y []float32, f func(float32) float32) []branch {
	list := []branch{{}}
	for i := range x {
		if i > 0 {
			if lo, hi, ok := jump(x[i-1], x[i], f); ok {
				last := &list[len(list)-1]
				right, left := limit, limit
				if lo == x[i-1] {
					right = attained
				} else {
					last.points = append(last.points, point{float64(lo), float64(f(lo))})
				}
				last.right = right
				next := branch{}
				if hi == x[i] {
					left = attained
				} else {
					next.points = append(next.points, point{float64(hi), float64(f(hi))})
				}
				next.left = left
				list = append(list, next)
			}
		}
		last := &list[len(list)-1]
		last.points = append(last.points, point{float64(x[i]), float64(y[i])})
	}
	return list
}

// jump returns neighbouring float32 from lo to hi between which f jumps, if it does.
func jump(lo, hi float32, f func(float32) float32) (float32, float32, bool) {
	const least = 0.05 // that a figure shows
	a, b := f(lo), f(hi)
	i, j := order(lo), order(hi)
	for j-i > 1 {
		if math.Abs(float64(b-a)) < least {
			return 0, 0, false
		}
		mid := i + (j-i)/2
		m := f(unorder(mid))
		if math.Abs(float64(m-a)) < math.Abs(float64(b-m)) {
			i, a = mid, m
		} else {
			j, b = mid, m
		}
	}
	return unorder(i), unorder(j), math.Abs(float64(b-a)) >= least
}

// order numbers the finite float32, with one number for both zeros; unorder returns them.
func order(x float32) int64 {
	if x < 0 {
		return -int64(math.Float32bits(-x))
	}
	return int64(math.Float32bits(float32(math.Abs(float64(x)))))
}

func unorder(i int64) float32 {
	if i < 0 {
		return -math.Float32frombits(uint32(-i))
	}
	return math.Float32frombits(uint32(i))
}

// within returns the parts of the branches whose y are in the range.
func within(list []branch, lo, hi float64) []branch {
	var parts []branch
	for _, br := range list {
		part := branch{left: br.left}
		for i, p := range br.points {
			inside := lo <= p.y && p.y <= hi
			if i > 0 {
				before := br.points[i-1]
				if was := lo <= before.y && before.y <= hi; was != inside {
					out := p
					if inside {
						out = before
					}
					bound := lo
					if out.y > hi {
						bound = hi
					}
					t := (bound - before.y) / (p.y - before.y)
					part.points = append(part.points, point{before.x + float64(t*(p.x-before.x)), bound})
					if was {
						part.right = border
						parts, part = append(parts, part), branch{}
					}
				}
			}
			if inside {
				part.points = append(part.points, p)
			}
		}
		if len(part.points) > 0 {
			part.right = br.right
			parts = append(parts, part)
		}
	}
	return parts
}

// simplify returns the points that are left if those are dropped that are nearer than tolerance
// to the line through their neighbours that stay.
func simplify(list []point, tolerance float64) []point {
	if len(list) < 3 {
		return list
	}
	first, last := list[0], list[len(list)-1]
	dx, dy := last.x-first.x, last.y-first.y
	length := math.Sqrt(float64(dx*dx) + float64(dy*dy))
	far, at := 0.0, 0
	for i, p := range list {
		if d := math.Abs(float64(dx*(p.y-first.y))-float64(dy*(p.x-first.x))) / length; d > far {
			far, at = d, i
		}
	}
	if far <= tolerance {
		return []point{first, last}
	}
	return append(simplify(list[:at+1:at+1], tolerance), simplify(list[at:], tolerance)[1:]...)
}
