package report

import (
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A Theme is what colours a diagram has.
type Theme int

const (
	Light Theme = iota // on white
	Dark               // on a dark grey
)

// colours are those of a Theme. The operations have theirs from the palette of Okabe
// and Ito, "Color Universal Design" (2008), which those with any kind of colour vision
// can tell apart; of its eight, those that stand out from the background.
type colours struct {
	background, text, muted, grid, roof color.Color

	ops []color.Color
}

func (t Theme) colours() colours {
	rgb := func(v uint32) color.Color { return color.RGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), 0xff} }
	const ( // as they are named there
		orange, skyBlue, green, yellow = 0xe69f00, 0x56b4e9, 0x009e73, 0xf0e442
		blue, vermillion, purple       = 0x0072b2, 0xd55e00, 0xcc79a7
	)
	if t == Dark {
		return colours{
			rgb(0x16191d), rgb(0xe8eaed), rgb(0xa9b0b8), rgb(0x2c3137), rgb(0x596068),
			[]color.Color{rgb(skyBlue), rgb(orange), rgb(green), rgb(purple), rgb(yellow)},
		}
	}
	return colours{
		rgb(0xffffff), rgb(0x1b1f24), rgb(0x59626c), rgb(0xe4e7ea), rgb(0xbcc2c9),
		[]color.Color{rgb(blue), rgb(vermillion), rgb(green), rgb(purple), rgb(0)},
	}
}

// style is how a curve is drawn. Colour and mark both tell the operation, and dashes
// that the data is on the host.
type style struct {
	line   draw.LineStyle
	glyph  draw.GlyphStyle
	hollow draw.GlyphDrawer // for what is doubtful
}

// style returns that of the curve with that index. The marks of later ones are larger,
// since the first are drawn over them.
func (p *panel) style(i int, colours colours) style {
	marks := [][2]draw.GlyphDrawer{
		{draw.CircleGlyph{}, draw.RingGlyph{}},
		{draw.PyramidGlyph{}, draw.TriangleGlyph{}},
		{draw.BoxGlyph{}, draw.SquareGlyph{}},
	}
	clr, mark := colours.ops[i%len(colours.ops)], marks[i%len(marks)]
	s := style{
		line:   draw.LineStyle{Color: clr, Width: vg.Points(1.5)},
		glyph:  draw.GlyphStyle{Color: clr, Radius: vg.Points(2.5 + 0.5*float64(min(i, 3))), Shape: mark[0]},
		hollow: mark[1],
	}
	if p.data == OnHost {
		s.line.Dashes = []vg.Length{vg.Points(4), vg.Points(2)}
	}
	return s
}

// crowded is from how many points on marks are left out, except for those in doubt.
const crowded = 40

// drawnCurve draws a curve: lines, marks, and the intervals as bars.
type drawnCurve struct {
	curve
	style   style
	colours colours
}

func (d drawnCurve) Plot(c draw.Canvas, p *plot.Plot) {
	points := d.points(c, p)
	c.StrokeLines(d.style.line, c.ClipLinesXY(points)...)
	_, y := p.Transforms(&c)
	bar := draw.LineStyle{Color: d.style.line.Color, Width: vg.Points(0.75)}
	for i, res := range d.results {
		if 0 < res.LowNS && res.LowNS <= res.HighNS {
			low, high := y(float64(res.Bytes)/res.HighNS), y(float64(res.Bytes)/res.LowNS)
			c.StrokeLine2(bar, points[i].X, max(low, c.Min.Y), points[i].X, min(high, c.Max.Y))
		}
		switch {
		case doubtful(res):
			drawHollow(c, d.style, d.colours.background, points[i])
		case len(points) < crowded:
			c.DrawGlyph(d.style.glyph, points[i])
		}
	}
}

// points returns where the results are on the canvas.
func (c curve) points(canvas draw.Canvas, p *plot.Plot) []vg.Point {
	x, y := p.Transforms(&canvas)
	var points []vg.Point
	for _, res := range c.results {
		points = append(points, vg.Point{X: x(float64(res.N)), Y: y(res.GBps)})
	}
	return points
}

func drawHollow(c draw.Canvas, s style, background color.Color, at vg.Point) {
	glyph := s.glyph
	glyph.Radius = vg.Points(4.5)
	glyph.Color = background
	c.DrawGlyph(glyph, at)
	glyph.Color, glyph.Shape = s.glyph.Color, s.hollow
	c.DrawGlyph(glyph, at)
}

// roof draws a limit as a broad line behind all else.
type roof struct {
	curve
	style   draw.LineStyle
	colours colours
}

// roofStyle is how the limit with that index is drawn: the second has gaps, so that the
// legend can tell them apart.
func roofStyle(i int, colours colours) draw.LineStyle {
	s := draw.LineStyle{Color: colours.roof, Width: vg.Points(6)}
	if i > 0 {
		s.Dashes = []vg.Length{vg.Points(7), vg.Points(4)}
	}
	return s
}

func (r roof) Plot(c draw.Canvas, p *plot.Plot) {
	points := r.points(c, p)
	if len(points) == 1 {
		at := points[0]
		points = []vg.Point{{X: at.X - vg.Points(14), Y: at.Y}, {X: at.X + vg.Points(14), Y: at.Y}}
	}
	c.StrokeLines(r.style, c.ClipLinesXY(points)...)
	mark := style{
		glyph:  draw.GlyphStyle{Color: r.colours.muted, Shape: draw.CircleGlyph{}},
		hollow: draw.RingGlyph{},
	}
	for i, at := range r.points(c, p) {
		if doubtful(r.results[i]) {
			drawHollow(c, mark, r.colours.background, at)
		}
	}
}

// cacheMarks marks the sizes from which on a cache cannot hold the data.
type cacheMarks struct {
	caches  Caches
	colours colours
}

func (p *panel) cacheMarks(colours colours) cacheMarks { return cacheMarks{p.caches, colours} }

// bytesPerElement are those of forward: one float32 read, one written.
const bytesPerElement = 8

func (m cacheMarks) Plot(c draw.Canvas, p *plot.Plot) {
	x, _ := p.Transforms(&c)
	line := draw.LineStyle{Color: m.colours.muted, Width: vg.Points(0.75), Dashes: []vg.Length{vg.Points(1), vg.Points(2)}}
	label := textStyle(m.colours.muted, fontSize)
	label.YAlign = text.YTop
	for _, cache := range []struct {
		name  string
		bytes int
	}{{"L1", m.caches.L1}, {"L2", m.caches.L2}, {"L3", m.caches.L3}} {
		n := float64(cache.bytes) / bytesPerElement
		if n < p.X.Min || n > p.X.Max {
			continue
		}
		c.StrokeLine2(line, x(n), c.Min.Y, x(n), c.Max.Y)
		c.FillText(label, vg.Point{X: x(n) + vg.Points(2), Y: c.Max.Y}, cache.name)
	}
}

// An entry is one of the legend.
type entry struct {
	name   string
	swatch func(c draw.Canvas, left, right vg.Point)
}

// ofLimit returns in which range of its limit the curve is, for the legend; "" if that is
// not known. The limit is named where the panel has several. What is in doubt does not
// count.
func (p *panel) ofLimit(c curve) string {
	of := ""
	if len(p.limits) > 1 {
		of = " of " + c.results[0].Limit
	}
	low, high := math.Inf(1), 0.0
	for _, res := range c.results {
		if res.OfLimit > 0 && !doubtful(res) {
			low, high = min(low, 100*res.OfLimit), max(high, 100*res.OfLimit)
		}
	}
	switch {
	case high == 0:
		return ""
	case math.Round(low) == math.Round(high):
		return fmt.Sprintf(" %.0f %%%s", low, of)
	}
	return fmt.Sprintf(" %.0f–%.0f %%%s", low, high, of)
}

// legend writes the legend at the top of the canvas, in as many lines as it takes, and
// takes their height off it.
func (p *panel) legend(c *draw.Canvas, colours colours) {
	var entries []entry
	for i, curve := range p.curves {
		style := p.style(i, colours)
		entries = append(entries, entry{curve.op + p.ofLimit(curve), func(c draw.Canvas, left, right vg.Point) {
			c.StrokeLine2(style.line, left.X, left.Y, right.X, right.Y)
			c.DrawGlyph(style.glyph, vg.Point{X: (left.X + right.X) / 2, Y: left.Y})
		}})
	}
	for i, roof := range p.roofs {
		name := roof.op
		if len(p.limits) < 2 && (p.limits[roof.op] || len(p.limits) == 0) {
			name += " = 100 %"
		}
		entries = append(entries, entry{name, func(c draw.Canvas, left, right vg.Point) {
			c.StrokeLine2(roofStyle(i, colours), left.X, left.Y, right.X, right.Y)
		}})
	}
	if p.hasDoubts() {
		entries = append(entries, entry{"hollow: doubtful", func(c draw.Canvas, left, right vg.Point) {
			mark := style{glyph: draw.GlyphStyle{Color: colours.text, Shape: draw.CircleGlyph{}}, hollow: draw.RingGlyph{}}
			drawHollow(c, mark, colours.background, vg.Point{X: (left.X + right.X) / 2, Y: left.Y})
		}})
	}
	const swatch, space, gap, height = 18, 3, 8, 14
	label := textStyle(colours.text, fontSize)
	x := c.Max.X // so that the first begins a line
	for _, e := range entries {
		name := fit(label, e.name, (c.Max.X-c.Min.X-swatch-space)/widest)
		width := swatch + space + label.Width(name)*widest
		if x+width > c.Max.X {
			x = c.Min.X
			c.Max.Y -= height
		}
		middle := c.Max.Y + height/2
		whole := *c
		whole.Max.Y += height // which the marks are clipped to
		e.swatch(whole, vg.Point{X: x, Y: middle}, vg.Point{X: x + swatch, Y: middle})
		c.FillText(label, vg.Point{X: x + swatch + space, Y: c.Max.Y + 2}, name)
		x += width + gap
	}
	c.Max.Y -= 4
}
