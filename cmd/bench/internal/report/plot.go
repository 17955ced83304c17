package report

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/gmind-go/compute/internal/units"
)

// Sizes of diagrams, in points: at 96 dpi, a panel is 440 pixels wide.
const (
	panelWidth  = 330
	panelHeight = 290
	fontSize    = 10
	panelGap    = 18
	headHeight  = 36
	pngDPI      = 144 // for high-resolution screens
)

func rgb(v uint32) color.Color { return color.RGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), 0xff} }

// Colours. Those of operations are from the palette of Okabe and Ito, "Color Universal
// Design" (2008), which is safe for colour-blind readers: blue, vermillion, bluish green,
// reddish purple and black.
var (
	ink, muted             = rgb(0x1b1f24), rgb(0x59626c)
	gridColour, roofColour = rgb(0xe4e7ea), rgb(0xbcc2c9)
	operationColours       = []color.Color{rgb(0x0072b2), rgb(0xd55e00), rgb(0x009e73), rgb(0xcc79a7), rgb(0)}
)

// widest is how much wider than measured text may be, as a factor, if an SVG is shown with
// neither the font that it was measured with nor Arial, which has the same widths.
const widest = 1.17

var errNothing = errors.New("report: no diagram, since there are no results; measure something first")

// WritePlot draws GB/s by size as an image of the format "svg" or "png", with one panel for
// each device, place of the data and state of the caches. It returns an error if there are
// no results.
func (r *Report) WritePlot(w io.Writer, format string) error {
	panels := r.panels()
	if len(panels) == 0 {
		return errNothing
	}
	at, columns, rows := arrange(panels)
	width := vg.Length(columns*(panelWidth+panelGap) + panelGap)
	height := vg.Length(headHeight + rows*(panelHeight+panelGap) + panelGap)
	return render(w, format, width, height, func(c draw.Canvas) {
		head := draw.Crop(c, panelGap, -panelGap, panelGap, -panelGap)
		line(&head, ink, 14, fmt.Sprintf("%s: GB/s by number of elements", r.Subject()))
		line(&head, muted, fontSize, fmt.Sprintf("%s, %s/%s, %s", r.Environment.CPU, r.Environment.OS, r.Environment.Arch, r.Time.Format("2006-01-02")))
		tiles := draw.Tiles{
			Cols: columns, Rows: rows, PadX: panelGap, PadY: panelGap,
			PadLeft: panelGap, PadRight: panelGap, PadTop: headHeight + panelGap, PadBottom: panelGap,
		}
		for i := range panels {
			panels[i].draw(tiles.At(c, at[i].X, at[i].Y))
		}
	})
}

// arrange returns the column and row of each panel, and the number of columns and rows: up
// to three panels in a row, and a new row for each device.
func arrange(panels []panel) (at []image.Point, columns, rows int) {
	var next image.Point
	for i, p := range panels {
		if i > 0 && (p.device != panels[i-1].device || next.X == 3) {
			next = image.Pt(0, next.Y+1)
		}
		at = append(at, next)
		next.X++
		columns, rows = max(columns, next.X), next.Y+1
	}
	return at, columns, rows
}

// svg returns the diagram as an element of an HTML page.
func (p *panel) svg() (string, error) {
	var b bytes.Buffer
	err := render(&b, "svg", panelWidth, panelHeight, p.draw)
	_, element, _ := strings.Cut(b.String(), "<svg") // without the XML prolog
	return "<svg" + element, err
}

// render writes an image, of a size in points.
func render(w io.Writer, format string, width, height vg.Length, paint func(draw.Canvas)) error {
	on := func(canvas vg.CanvasSizer) {
		c := draw.New(canvas)
		c.SetColor(color.White)
		c.Fill(c.Rectangle.Path())
		paint(c)
	}
	switch format {
	case "svg":
		c := vgsvg.New(width, height)
		on(c)
		var b bytes.Buffer
		if _, err := c.WriteTo(&b); err != nil {
			return err
		}
		// Fallback fonts of the same widths.
		_, err := w.Write(bytes.ReplaceAll(b.Bytes(), []byte("font-family:Liberation Sans;"), []byte("font-family:Liberation Sans,Arial,Helvetica,sans-serif;")))
		return err
	case "png":
		c := vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(pngDPI))}
		on(c)
		_, err := c.WriteTo(w)
		return err
	}
	return fmt.Errorf("report: a diagram of format %q, which should be svg or png", format)
}

// draw draws the panel: two lines of title, the legend, and the plot.
func (p *panel) draw(c draw.Canvas) {
	line(&c, ink, 12, p.device)
	line(&c, muted, fontSize, p.place.String())
	c.Max.Y -= 3

	d := p.axes()
	left, right := newLegend(), newLegend() // of curves, and of the rest
	for i, roof := range p.roofs {
		name := roof.op
		if len(p.limits) < 2 && (p.limits[roof.op] || len(p.limits) == 0) {
			name += " = 100 %"
		}
		limit := roof.line(draw.LineStyle{Color: roofColour, Width: vg.Points(6)})
		if len(limit.XYs) == 1 {
			x, y := limit.XYs[0].X, limit.XYs[0].Y
			limit.XYs = plotter.XYs{{X: x / 1.1, Y: y}, {X: x * 1.1, Y: y}}
		}
		if i > 0 { // to distinguish it from the first
			limit.Dashes = []vg.Length{vg.Points(7), vg.Points(4)}
		}
		d.Add(limit, roof.marks(draw.GlyphStyle{Color: muted}, hollow{draw.RingGlyph{}}))
		right.Add(fit(right.TextStyle, name, legendRight/widest), limit)
	}
	var top []plot.Plotter // of the first curve last, because curves often cover one another
	for i, c := range p.curves {
		style, mark, doubt := p.style(i)
		drawn, marks := c.line(style), c.marks(mark, doubt)
		top = append(append(c.intervals(style.Color), drawn, marks), top...)
		left.Add(fit(left.TextStyle, c.op+p.ofLimit(c), legendLeft/widest), drawn, marks)
	}
	d.Add(top...)
	if slices.ContainsFunc(p.results(), doubtful) {
		doubt := draw.GlyphStyle{Color: ink, Radius: hollowRadius, Shape: hollow{draw.RingGlyph{}}}
		right.Add("hollow: doubtful", &plotter.Scatter{GlyphStyle: doubt})
	}
	d.X.Min, d.X.Max = float64(p.minN)/1.3, float64(p.maxN)*1.3
	if p.minN == p.maxN {
		d.X.Min, d.X.Max = float64(p.minN)/2, float64(p.maxN)*2
	}
	highest := slices.MaxFunc(p.results(), func(a, b Result) int { return cmp.Compare(a.GBps, b.GBps) })
	d.Y.Min, d.Y.Max = 0, highest.GBps*1.15
	d.Add(cacheMarks(p.caches))

	left.Draw(c)
	right.Draw(draw.Crop(c, swatch+legendLeft, 0, 0, 0))
	l, r := left.Rectangle(c), right.Rectangle(c)
	c.Max.Y = min(l.Min.Y, r.Min.Y) - 6
	c.Max.X -= fontSize // for half of the last label
	d.Draw(c)
}

// axes returns a plot without data.
func (p *panel) axes() *plot.Plot {
	d := plot.New()
	d.BackgroundColor = nil
	d.X.Scale, d.X.Tick.Marker = plot.LogScale{}, plot.TickerFunc(countTicks)
	d.Y.Tick.Marker = plot.TickerFunc(roundTicks)
	d.X.Label.Text, d.Y.Label.Text = "elements", "GB/s"
	for _, axis := range []*plot.Axis{&d.X, &d.Y} {
		axis.Color, axis.Tick.Color = muted, muted
		axis.Width, axis.Tick.Width = vg.Points(0.5), vg.Points(0.5)
		axis.Label.TextStyle.Font, axis.Label.TextStyle.Color = sans(fontSize), ink
		axis.Tick.Label.Font, axis.Tick.Label.Color = sans(fontSize), ink
		axis.Padding = vg.Points(3) // half the width of a roof, which may be at 0
	}
	d.Y.Label.Position, d.Y.Label.Padding = draw.PosTop, 2
	grid := plotter.NewGrid()
	grid.Vertical.Width = 0
	grid.Horizontal = draw.LineStyle{Color: gridColour, Width: vg.Points(0.5)}
	d.Add(grid)
	return d
}

// Widths in a legend, in points.
const (
	swatch      = 18
	legendLeft  = 184
	legendRight = 105
)

func newLegend() plot.Legend {
	l := plot.NewLegend()
	l.Top, l.Left, l.Padding = true, true, 2
	l.ThumbnailWidth, l.TextStyle = swatch, textStyle(ink, fontSize)
	return l
}

// style returns how the i-th curve is drawn. Colour and mark both distinguish operations,
// and curves for data on the host are dashed. Later marks are larger, since the first
// curves are drawn over them.
func (p *panel) style(i int) (s draw.LineStyle, mark draw.GlyphStyle, doubt hollow) {
	shapes := [][2]draw.GlyphDrawer{
		{draw.CircleGlyph{}, draw.RingGlyph{}},
		{draw.PyramidGlyph{}, draw.TriangleGlyph{}},
		{draw.BoxGlyph{}, draw.SquareGlyph{}},
	}
	clr, shape := operationColours[i%len(operationColours)], shapes[i%len(shapes)]
	s = draw.LineStyle{Color: clr, Width: vg.Points(1.5)}
	if p.place.data == OnHost {
		s.Dashes = []vg.Length{vg.Points(4), vg.Points(2)}
	}
	mark = draw.GlyphStyle{Color: clr, Radius: vg.Points(2.5 + 0.5*float64(min(i, 3))), Shape: shape[0]}
	return s, mark, hollow{shape[1]}
}

// A hollow mark is an outline on the background. It marks a doubtful result.
type hollow struct{ outline draw.GlyphDrawer }

const hollowRadius = 4.5

func (h hollow) DrawGlyph(c *draw.Canvas, style draw.GlyphStyle, at vg.Point) {
	c.SetColor(color.White)
	draw.CircleGlyph{}.DrawGlyph(c, style, at)
	c.SetColor(style.Color)
	h.outline.DrawGlyph(c, style, at)
}

func (c curve) points() plotter.XYs {
	points := make(plotter.XYs, len(c.results))
	for i, res := range c.results {
		points[i] = plotter.XY{X: float64(res.N), Y: res.GBps}
	}
	return points
}

func (c curve) line(style draw.LineStyle) *plotter.Line {
	return &plotter.Line{XYs: c.points(), LineStyle: style}
}

// crowded is the number of points from which on only doubtful results have marks.
const crowded = 40

// marks returns the marks of the results: doubt for doubtful ones.
func (c curve) marks(style draw.GlyphStyle, doubt hollow) *plotter.Scatter {
	return &plotter.Scatter{XYs: c.points(), GlyphStyle: style, GlyphStyleFunc: func(i int) draw.GlyphStyle {
		s := style
		switch {
		case doubtful(c.results[i]):
			s.Radius, s.Shape = hollowRadius, doubt
		case len(c.results) >= crowded:
			s.Shape = nil
		}
		return s
	}}
}

// intervals returns the confidence intervals as vertical bars.
func (c curve) intervals(clr color.Color) (bars []plot.Plotter) {
	for _, res := range c.results {
		if x, bytes := float64(res.N), float64(res.Bytes); 0 < res.LowNS && res.LowNS <= res.HighNS {
			bars = append(bars, &plotter.Line{
				XYs:       plotter.XYs{{X: x, Y: bytes / res.HighNS}, {X: x, Y: bytes / res.LowNS}},
				LineStyle: draw.LineStyle{Color: clr, Width: vg.Points(0.75)},
			})
		}
	}
	return bars
}

// cacheMarks marks the sizes from which on a cache cannot hold the data.
type cacheMarks Caches

// bytesPerElement is the number of bytes that forward moves: one float32 read, one written.
const bytesPerElement = 8

func (m cacheMarks) Plot(c draw.Canvas, p *plot.Plot) {
	x, _ := p.Transforms(&c)
	style := draw.LineStyle{Color: muted, Width: vg.Points(0.75), Dashes: []vg.Length{vg.Points(1), vg.Points(2)}}
	label := textStyle(muted, fontSize)
	label.YAlign = text.YTop
	for _, cache := range Caches(m).list() {
		if n := float64(cache.bytes) / bytesPerElement; n >= p.X.Min && n <= p.X.Max {
			c.StrokeLine2(style, x(n), c.Min.Y, x(n), c.Max.Y)
			c.FillText(label, vg.Point{X: x(n) + vg.Points(2), Y: c.Max.Y}, cache.name)
		}
	}
}

// sans returns the font of all diagrams.
func sans(size vg.Length) font.Font {
	return font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
}

func textStyle(c color.Color, size vg.Length) text.Style {
	return text.Style{Color: c, Font: sans(size), XAlign: text.XLeft, YAlign: text.YBottom, Handler: plot.DefaultTextHandler}
}

// line writes a line of text at the top of the canvas, and cuts it off the canvas.
func line(c *draw.Canvas, clr color.Color, size vg.Length, s string) {
	style := textStyle(clr, size)
	c.Max.Y -= size * 1.35
	c.FillText(style, vg.Point{X: c.Min.X, Y: c.Max.Y}, fit(style, s, (c.Max.X-c.Min.X)/widest))
}

// fit returns s without characters that cannot be printed, shortened to the width.
func fit(style text.Style, s string, width vg.Length) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if style.Width(s) <= width {
		return s
	}
	runes := []rune(s)
	for len(runes) > 0 && style.Width(string(runes)+"…") > width {
		runes = runes[:len(runes)-1]
	}
	return string(runes) + "…"
}

// countTicks returns ticks at powers of two, of which at most nine have a label.
func countTicks(low, high float64) []plot.Tick {
	first, last := int(math.Ceil(math.Log2(low))), int(math.Floor(math.Log2(high)))
	last = min(last, strconv.IntSize-2) // what an int can hold
	step := 1
	for (last-first)/step >= 9 {
		step *= 2
	}
	var ticks []plot.Tick
	for e := max(first, 0); e <= last; e++ {
		tick := plot.Tick{Value: math.Ldexp(1, e)}
		if e%step == 0 {
			tick.Label = units.Count(1 << e)
		}
		ticks = append(ticks, tick)
	}
	return ticks
}

// roundTicks returns ticks at 0 and at up to six multiples of a round number.
func roundTicks(low, high float64) []plot.Tick {
	step := math.Pow(10, math.Floor(math.Log10(high/6)))
	for _, factor := range []float64{1, 2, 5, 10} {
		if high/(step*factor) <= 6 {
			step *= factor
			break
		}
	}
	var ticks []plot.Tick
	for i := 0; float64(i)*step <= high; i++ {
		v := float64(i) * step
		ticks = append(ticks, plot.Tick{Value: v, Label: strconv.FormatFloat(v, 'g', 6, 64)})
	}
	return ticks
}
