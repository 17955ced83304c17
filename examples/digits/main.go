// Digits trains a network with two hidden layers to read handwritten digits, wholly on the
// device: on the GPU if there is one, and on the CPU if not. It ends with the same weights on
// each, to the last bit, and prints their hash.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/gpu"
)

func main() {
	log.SetFlags(0)
	c := standard
	flag.IntVar(&c.epochs, "epochs", c.epochs, "how often the network sees all images")
	flag.IntVar(&c.steps, "steps", 0, "the most steps, of 64 images each; 0 for no limit")
	seed := flag.Uint("seed", uint(c.seed), "of the random numbers, of 32 bits")
	file := flag.String("svg", "", "draw the curves of the loss and the accuracy into this file")
	flag.Parse()
	if c.seed = uint32(*seed); uint(c.seed) != *seed {
		log.Fatalf("digits: the seed %d has more than 32 bits", *seed)
	}
	b, err := compute.Open(gpu.Open, cpu.Open)
	if err != nil {
		log.Fatal(err)
	}
	defer b.Close()
	if err := run(b, c, *file); err != nil {
		log.Fatal("digits: ", err)
	}
}

func run(b compute.Backend, c course, file string) error {
	fmt.Println("on", b.Info().Name)
	learn, _, err := load()
	if err != nil {
		return err
	}
	bar := progressbar.NewOptions(c.total(learn.len()), progressbar.OptionSetWriter(os.Stderr), progressbar.OptionSetDescription("learning"),
		progressbar.OptionSetVisibility(term.IsTerminal(int(os.Stderr.Fd()))))
	start := time.Now()
	r, err := c.run(b, func(step int, loss, accuracy float32) {
		bar.Describe(fmt.Sprintf("loss %.4f, %.1f %% right", loss, 100*accuracy))
		bar.Set(step)
	})
	if err != nil {
		return err
	}
	bar.Finish()
	fmt.Fprintln(os.Stderr)
	if n := len(r.losses); n > 0 {
		fmt.Printf("%d steps in %.2fs: loss %.4f, %.2f %% of the test images right\n", n, time.Since(start).Seconds(), r.losses[n-1], 100*r.accuracies[len(r.accuracies)-1])
	}
	fmt.Println("SHA-256 of the weights:", r.hash)
	if file == "" || len(r.losses) == 0 { // there are no curves without a step
		return nil
	}
	return r.draw(file)
}

// draw draws the loss of every step, and the accuracy of every epoch.
func (r *result) draw(file string) error {
	loss, accuracy := plot.New(), plot.New()
	loss.Title.Text, accuracy.Title.Text = "Loss", "Accuracy"
	loss.X.Label.Text, loss.Y.Label.Text = "step", "cross-entropy"
	loss.Y.Scale, loss.Y.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: 1}
	accuracy.X.Label.Text, accuracy.Y.Label.Text = "epoch", "test images right"
	for _, curve := range []struct {
		plot   *plot.Plot
		values []float32
	}{{loss, r.losses}, {accuracy, r.accuracies}} {
		var points plotter.XYs
		for i, v := range curve.values {
			if v > 0 { // which a logarithm has to be of
				points = append(points, plotter.XY{X: float64(i + 1), Y: float64(v)})
			}
		}
		line, err := plotter.NewLine(points)
		if err != nil {
			return err
		}
		curve.plot.Add(plotter.NewGrid(), line)
	}
	canvas := vgsvg.New(24*vg.Centimeter, 9*vg.Centimeter)
	plots := [][]*plot.Plot{{loss, accuracy}}
	tiles := draw.Tiles{Rows: 1, Cols: 2, PadX: vg.Centimeter, PadTop: 2, PadRight: 8}
	for i, part := range plot.Align(plots, tiles, draw.New(canvas))[0] {
		plots[0][i].Draw(part)
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	if _, err := canvas.WriteTo(f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
