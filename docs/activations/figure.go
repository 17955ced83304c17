package main

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/gmind-go/compute"
)

// The figure in pixels: its size, and the borders of the range.
const (
	width, height            = 480.0, 300.0
	left, right, top, bottom = 40.0, 430.0, 26.0, 272.0
)

// style has the colours for light and dark pages. The figure has a background, so that it can be
// read if the page does not follow the system.
const style = `<style>
text{font:italic 15px "Times New Roman","Liberation Serif",serif;fill:#333}
.n{font-style:normal;font-size:12px}
.b{fill:#fff}.g{stroke:#ddd}.a{stroke:#555}
.f,.d{fill:none;stroke-width:2;stroke-linejoin:round}.f{stroke:#0b5cad}.d{stroke:#c2410c;stroke-dasharray:6 4}
.o,.p{stroke-dasharray:none;stroke-width:1.5}.o{fill:#fff}
text.tf,.f.p{fill:#0b5cad}text.td,.d.p{fill:#c2410c}
@media(prefers-color-scheme:dark){text{fill:#ccc}.b,.o{fill:#0d1117}.g{stroke:#2d333b}.a{stroke:#999}
.f{stroke:#6cb6ff}.d{stroke:#f69d50}text.tf,.f.p{fill:#6cb6ff}text.td,.d.p{fill:#f69d50}}
</style>
`

// A plot is a range of values, and maps it to the figure.
type plot struct{ x0, x1, y0, y1 float64 }

func (p plot) x(x float64) float64 { return left + float64((x-p.x0)/(p.x1-p.x0)*(right-left)) }
func (p plot) y(y float64) float64 { return bottom - float64((y-p.y0)/(p.y1-p.y0)*(bottom-top)) }

// A line is one of the two of a figure.
type line struct {
	class string // in the style
	label string
	dot   float64  // its radius: one of f may be seen around one of f'
	parts []branch // in the figure
}

// draw returns the figure of a section as SVG.
func draw(b compute.Backend, s section) ([]byte, error) {
	x, y, d, err := sample(b, s)
	if err != nil {
		return nil, err
	}
	p := plot{x0: float64(s.from), x1: float64(s.to)}
	p.y0, p.y1 = limits(y, d)
	f := line{"f", "f(x)", 3.5, p.cut(branches(x, y, s.shown.Value))}
	prime := line{"d", "f′(x)", 2.5, p.cut(branches(x, d, s.shown.Derivative))}

	var w bytes.Buffer
	fmt.Fprintf(&w, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%v\" height=\"%v\" viewBox=\"0 0 %v %v\">\n", width, height, width, height)
	fmt.Fprintf(&w, "<title>%s and its derivative</title>\n%s<rect class=\"b\" width=\"%v\" height=\"%v\"/>\n", s.call(), style, width, height)
	p.axes(&w)
	f.write(&w)
	prime.write(&w)
	if slices.Equal(y, d) {
		f.label = "f(x) = f′(x)"
		labels(&w, f)
	} else {
		labels(&w, f, prime)
	}
	w.WriteString("</svg>\n")
	return w.Bytes(), nil
}

// limits returns the range of y: that of the values, with a margin, and at most -5 to 6.
func limits(lists ...[]float32) (lo, hi float64) {
	for _, list := range lists {
		lo, hi = min(lo, float64(slices.Min(list))), max(hi, float64(slices.Max(list)))
	}
	lo, hi = max(lo, -5), min(hi, 6)
	margin := (hi - lo) / 16
	return lo - margin, hi + margin
}

// cut returns the parts of branches in the range, in the figure.
func (p plot) cut(list []branch) []branch {
	list = within(list, p.y0, p.y1)
	for _, br := range list {
		for i, pt := range br.points {
			br.points[i] = point{p.x(pt.x), p.y(pt.y)}
		}
	}
	return list
}

// axes writes the grid, the axes through the origin, and the numbers.
func (p plot) axes(w *bytes.Buffer) {
	step := 0.25
	switch {
	case p.y1-p.y0 > 3:
		step = 1
	case p.y1-p.y0 > 1.5:
		step = 0.5
	}
	var grid, numbers strings.Builder
	for v := math.Ceil(p.x0); v <= p.x1; v++ {
		fmt.Fprintf(&grid, "M%s %vV%v", number(p.x(v)), top, bottom)
		fmt.Fprintf(&numbers, "<text class=\"n\" text-anchor=\"middle\" x=\"%s\" y=\"%v\">%s</text>\n", number(p.x(v)), bottom+16, tick(v))
	}
	for i := math.Ceil(p.y0 / step); float64(i*step) <= p.y1; i++ {
		v := float64(i * step)
		fmt.Fprintf(&grid, "M%v %sH%v", left, number(p.y(v)), right)
		fmt.Fprintf(&numbers, "<text class=\"n\" text-anchor=\"end\" x=\"%v\" y=\"%s\">%s</text>\n", left-6, number(p.y(v)+4), tick(v))
	}
	fmt.Fprintf(w, "<path class=\"g\" d=\"%s\"/>\n", grid.String())
	fmt.Fprintf(w, "<path class=\"a\" d=\"M%s %vV%vM%v %sH%v\"/>\n", number(p.x(0)), top, bottom, left, number(p.y(0)), right)
	w.WriteString(numbers.String())
	fmt.Fprintf(w, "<text x=\"%v\" y=\"%v\">x</text>\n", right+14, bottom+16)
}

// tick returns a number at the axes, with the minus sign of print.
func tick(v float64) string {
	return strings.Replace(strconv.FormatFloat(v+0, 'g', -1, 64), "-", "−", 1)
}

// number returns a coordinate with two digits at most.
func number(v float64) string {
	return strconv.FormatFloat(math.Round(float64(v*100))/100, 'f', -1, 64)
}

// write writes the line, and the ends at its jumps.
func (l line) write(w *bytes.Buffer) {
	var path, ends strings.Builder
	for _, br := range l.parts {
		last := len(br.points) - 1
		if last > 0 {
			for i, p := range simplify(br.points, 0.04) {
				fmt.Fprintf(&path, "%c%s %s", "ML"[min(i, 1)], number(p.x), number(p.y))
			}
		}
		l.end(&ends, br.left, br.points[0])
		if last > 0 || br.right != br.left {
			l.end(&ends, br.right, br.points[last])
		}
	}
	fmt.Fprintf(w, "<path class=\"%s\" d=\"%s\"/>\n%s", l.class, path.String(), ends.String())
}

// end writes a dot for a value at a jump, and a circle for a limit.
func (l line) end(w *strings.Builder, e end, p point) {
	if e == border {
		return
	}
	class := map[end]string{attained: "p", limit: "o"}[e]
	fmt.Fprintf(w, "<circle class=\"%s %s\" r=\"%v\" cx=\"%s\" cy=\"%s\"/>\n", l.class, class, l.dot, number(p.x), number(p.y))
}

// labels writes the names of lines where they end: beside the range, or above it. Those that
// would touch move apart.
func labels(w *bytes.Buffer, lines ...line) {
	type label struct {
		line
		at     point
		anchor string
	}
	var list []label
	for _, l := range lines {
		points := l.parts[len(l.parts)-1].points
		at := label{l, points[len(points)-1], "start"}
		if at.at.x < right-1 {
			at.at.y, at.anchor = top-8, "middle"
		} else {
			at.at.x, at.at.y = right+8, at.at.y+5
		}
		list = append(list, at)
	}
	slices.SortFunc(list, func(a, b label) int { return cmp.Compare(a.at.y, b.at.y) })
	if len(list) == 2 {
		a, b := &list[0], &list[1]
		switch {
		case a.anchor != b.anchor:
		case a.anchor == "middle":
			if a.at.x > b.at.x {
				a, b = b, a
			}
			a.anchor, b.anchor = "end", "start"
		case b.at.y-a.at.y < 18:
			middle := (a.at.y + b.at.y) / 2
			a.at.y, b.at.y = middle-9, middle+9
		}
	}
	for _, l := range list {
		fmt.Fprintf(w, "<text class=\"t%s\" text-anchor=\"%s\" x=\"%s\" y=\"%s\">%s</text>\n", l.class, l.anchor, number(l.at.x), number(l.at.y), l.label)
	}
}
