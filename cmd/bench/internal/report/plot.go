package report

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
	"math"
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
)

// Sizes of diagrams, in points: at 96 dpi, a panel is 440 pixels wide.
const (
	panelWidth  = 330
	panelHeight = 270
	fontSize    = 10
	panelGap    = 18
	headHeight  = 36
	pngDPI      = 144 // for screens with fine pixels
)

// widest is how many times as wide as measured a text may be, where an SVG is shown
// without the font that it was measured by, nor Arial, which is as wide.
const widest = 1.17

// errNothing is returned where there is nothing to draw.
var errNothing = errors.New("report: no diagram, since there are no results; measure something first")

// WritePlot draws GB/s over the size as an image of the format "svg" or "png": one
// panel for each device, place of the data and state of the caches. It fails if there
// are no results.
func (r *Report) WritePlot(w io.Writer, format string, theme Theme) error {
	panels := r.panels()
	if len(panels) == 0 {
		return errNothing
	}
	places, columns, rows := arrange(panels)
	width := vg.Length(columns*(panelWidth+panelGap) + panelGap)
	height := vg.Length(headHeight + rows*(panelHeight+panelGap) + panelGap)
	return render(w, format, width, height, func(c draw.Canvas) {
		colours := theme.colours()
		fill(c, colours.background)
		inner := draw.Crop(c, panelGap, -panelGap, panelGap, -panelGap)
		title := fmt.Sprintf("%s: GB/s over the number of elements", r.Activation)
		line(&inner, colours.text, 14, title)
		line(&inner, colours.muted, fontSize, fmt.Sprintf("%s, %s/%s, %s", r.Environment.CPU, r.Environment.OS, r.Environment.Arch, r.Time.Format("2006-01-02")))
		for i := range panels {
			left := vg.Length(panelGap + places[i].X*(panelWidth+panelGap))
			top := height - vg.Length(headHeight+panelGap+places[i].Y*(panelHeight+panelGap))
			panels[i].draw(cut(c, left, top), colours)
		}
	})
}

// arrange returns the column and the row of each panel, and how many there are: up to
// three panels in a row, and a new row for a new device.
func arrange(panels []panel) (places []image.Point, columns, rows int) {
	var at image.Point
	for i, p := range panels {
		if i > 0 && (p.device != panels[i-1].device || at.X == 3) {
			at = image.Pt(0, at.Y+1)
		}
		places = append(places, at)
		at.X++
		columns, rows = max(columns, at.X), at.Y+1
	}
	return places, columns, rows
}

// svg returns the diagram as an element for a page.
func (p *panel) svg(theme Theme) (string, error) {
	var b bytes.Buffer
	err := render(&b, "svg", panelWidth, panelHeight, func(c draw.Canvas) {
		colours := theme.colours()
		fill(c, colours.background)
		p.draw(c, colours)
	})
	_, element, _ := strings.Cut(b.String(), "<svg") // without the prolog of XML
	return "<svg" + element, err
}

// render writes an image of so many points.
func render(w io.Writer, format string, width, height vg.Length, paint func(draw.Canvas)) error {
	switch format {
	case "svg":
		c := vgsvg.New(width, height)
		paint(draw.New(c))
		var b bytes.Buffer
		if _, err := c.WriteTo(&b); err != nil {
			return err
		}
		// Fonts as wide as the one that the text was measured by.
		svg := bytes.ReplaceAll(b.Bytes(), []byte("font-family:Liberation Sans;"), []byte("font-family:Liberation Sans,Arial,Helvetica,sans-serif;"))
		_, err := w.Write(svg)
		return err
	case "png":
		c := vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(pngDPI))}
		paint(draw.New(c))
		_, err := c.WriteTo(w)
		return err
	}
	return fmt.Errorf("report: a diagram of format %q, which should be svg or png", format)
}

// cut returns the part of the canvas for a panel with that upper left corner.
func cut(c draw.Canvas, left, top vg.Length) draw.Canvas {
	c.Rectangle = vg.Rectangle{
		Min: vg.Point{X: left, Y: top - panelHeight},
		Max: vg.Point{X: left + panelWidth, Y: top},
	}
	return c
}

// draw draws the panel: two lines of title, the legend and, below, the data.
func (p *panel) draw(c draw.Canvas, colours colours) {
	line(&c, colours.text, 12, p.device)
	line(&c, colours.muted, fontSize, p.place())
	c.Max.Y -= 3
	p.legend(&c, colours)

	d := plot.New()
	d.BackgroundColor = nil
	d.X.Scale, d.X.Tick.Marker = plot.LogScale{}, plot.TickerFunc(countTicks)
	d.Y.Tick.Marker = plot.TickerFunc(roundTicks)
	d.X.Label.Text, d.Y.Label.Text = "elements", "GB/s"
	for _, axis := range []*plot.Axis{&d.X, &d.Y} {
		axis.Color, axis.Tick.Color = colours.muted, colours.muted
		axis.Width, axis.Tick.Width = vg.Points(0.5), vg.Points(0.5)
		axis.Label.TextStyle.Font, axis.Label.TextStyle.Color = sans(fontSize), colours.text
		axis.Tick.Label.Font, axis.Tick.Label.Color = sans(fontSize), colours.text
		axis.Padding = vg.Points(3) // half a roof, which may lie at 0
	}
	d.Y.Label.Position = draw.PosTop
	grid := plotter.NewGrid()
	grid.Vertical.Width = 0
	grid.Horizontal = draw.LineStyle{Color: colours.grid, Width: vg.Points(0.5)}
	d.Add(grid)
	d.Add(p.cacheMarks(colours))
	for i, c := range p.roofs {
		d.Add(roof{c, roofStyle(i, colours), colours})
	}
	// The first on top, because they often cover one another.
	for i := len(p.curves) - 1; i >= 0; i-- {
		d.Add(drawnCurve{p.curves[i], p.style(i, colours), colours})
	}
	d.X.Min, d.X.Max = float64(p.minN)/1.3, float64(p.maxN)*1.3
	if p.minN == p.maxN {
		d.X.Min, d.X.Max = float64(p.minN)/2, float64(p.maxN)*2
	}
	d.Y.Min, d.Y.Max = 0, p.maxGBps()*1.15
	d.Y.Label.Padding = 2
	c.Max.X -= fontSize // for half of the last label
	d.Draw(c)
}

// sans returns the font of all diagrams.
func sans(size vg.Length) font.Font {
	return font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
}

func textStyle(c color.Color, size vg.Length) text.Style {
	return text.Style{Color: c, Font: sans(size), XAlign: text.XLeft, YAlign: text.YBottom, Handler: plot.DefaultTextHandler}
}

func fill(c draw.Canvas, background color.Color) {
	c.SetColor(background)
	c.Fill(c.Rectangle.Path())
}

// line writes a line of text at the top of the canvas, and takes its height off it.
func line(c *draw.Canvas, clr color.Color, size vg.Length, s string) {
	style := textStyle(clr, size)
	c.Max.Y -= size * 1.35
	c.FillText(style, vg.Point{X: c.Min.X, Y: c.Max.Y}, fit(style, s, (c.Max.X-c.Min.X)/widest))
}

// fit returns s without what no image can hold, and cut to the width.
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

// countTicks marks powers of two, nine with a label at most.
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
			tick.Label = Count(1 << e)
		}
		ticks = append(ticks, tick)
	}
	return ticks
}

// roundTicks marks multiples of a round number, six at most beside 0.
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
