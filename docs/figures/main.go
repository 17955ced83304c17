// Figures draws the figures of docs/leaky_relu.md with values computed by a backend. Run it
// with go generate ./docs/figures.
package main

import (
	"errors"
	"flag"
	"fmt"
	"image/color"
	"log"
	"path/filepath"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
)

//go:generate go run . -dir ..

// slope is steeper than the default, to be visible.
const slope = 0.1

func main() {
	log.SetFlags(0)
	dir := flag.String("dir", ".", "write the figures into this directory")
	flag.Parse()
	b, err := cpu.Open()
	if err != nil {
		log.Fatal(err)
	}
	defer b.Close()
	if err := draw(b, *dir); err != nil {
		log.Fatal(err)
	}
}

// draw writes the figures into dir.
func draw(b compute.Backend, dir string) error {
	var xs []float32
	for i := -300; i <= 300; i++ {
		xs = append(xs, float32(i)/100)
	}
	for _, figure := range []struct {
		file, label string
		compute     func(f compute.Activation, y, x compute.Buffer) error
	}{
		{"leaky_relu_forward.svg", "f(x)", b.Forward},
		{"leaky_relu_derivative.svg", "f'(x)", b.Derivative},
	} {
		buf, err := b.Upload(xs)
		if err != nil {
			return err
		}
		ys := make([]float32, len(xs))
		if err := errors.Join(figure.compute(compute.LeakyReLU(slope), buf, buf), buf.Read(ys), buf.Release()); err != nil {
			return err
		}
		if err := save(filepath.Join(dir, figure.file), figure.label, xs, ys); err != nil {
			return fmt.Errorf("%s: %w", figure.file, err)
		}
	}
	return nil
}

// save plots ys over xs as two lines, since the derivative jumps at 0.
func save(file, label string, xs, ys []float32) error {
	p := plot.New()
	p.Title.Text = fmt.Sprintf("LeakyReLU, slope %v", slope)
	p.X.Label.Text, p.Y.Label.Text = "x", label
	p.Add(plotter.NewGrid())
	var lines [2]plotter.XYs
	for i, x := range xs {
		half := min(i/(len(xs)/2), 1)
		lines[half] = append(lines[half], plotter.XY{X: float64(x), Y: float64(ys[i])})
	}
	for _, points := range lines {
		line, err := plotter.NewLine(points)
		if err != nil {
			return err
		}
		line.Width, line.Color = vg.Points(2), color.RGBA{R: 0x1f, G: 0x77, B: 0xb4, A: 0xff}
		p.Add(line)
	}
	return p.Save(12*vg.Centimeter, 8*vg.Centimeter, file)
}
