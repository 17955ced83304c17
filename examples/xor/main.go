// Xor trains a small network to be an exclusive or, with the layer of package
// compute as its activation, on the GPU if there is one and on the CPU if not, and
// gonum for the products of matrices. It gives the same bits on each.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/gpu"
)

func main() {
	log.SetFlags(0)
	steps := flag.Int("steps", 2000, "how often it learns from the four inputs")
	file := flag.String("plot", "", "draw the loss over the steps into this file (.svg, .png, .pdf)")
	flag.Parse()
	b, err := compute.Open(gpu.Open, cpu.Open)
	if err != nil {
		log.Fatal(err)
	}
	defer b.Close()
	if err := run(b, *steps, *file); err != nil {
		log.Fatal(err)
	}
}

func run(b compute.Backend, steps int, file string) error {
	fmt.Println("on", b.Info().Name)
	bar := progressbar.NewOptions(steps, progressbar.OptionSetWriter(os.Stderr), progressbar.OptionSetDescription("loss"),
		progressbar.OptionSetVisibility(term.IsTerminal(int(os.Stderr.Fd()))))
	n, losses, err := train(b, steps, func(loss float32) {
		bar.Describe(fmt.Sprintf("loss %.6f", loss))
		bar.Add(1)
	})
	if err != nil {
		return err
	}
	defer n.activation.Release()
	if err := n.forward(); err != nil {
		return err
	}
	for i, out := range n.out.Data {
		fmt.Printf("%v xor %v = %.4f\n", inputs.Data[2*i], inputs.Data[2*i+1], out)
	}
	if len(losses) > 0 {
		fmt.Printf("loss %g after %d steps\n", losses[len(losses)-1], steps)
	}
	if file == "" {
		return nil
	}
	return draw(losses, file)
}

// train returns a network after a number of steps, and the loss before each,
// which it also gives to report.
func train(b compute.Backend, steps int, report func(loss float32)) (*network, []float32, error) {
	n := newNetwork(b, 1)
	var losses []float32
	for range steps {
		loss, err := n.step()
		if err != nil {
			return nil, nil, err
		}
		losses = append(losses, loss)
		report(loss)
	}
	return n, losses, nil
}

// draw plots the losses, on a logarithmic axis.
func draw(losses []float32, file string) error {
	p := plot.New()
	p.Title.Text = "Learning the exclusive or"
	p.X.Label.Text, p.Y.Label.Text = "step", "mean squared error"
	p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: 1}
	var points plotter.XYs
	for i, loss := range losses {
		if loss > 0 { // which a logarithm has to be of
			points = append(points, plotter.XY{X: float64(i + 1), Y: float64(loss)})
		}
	}
	line, err := plotter.NewLine(points)
	if err != nil {
		return fmt.Errorf("xor: plot: %w", err)
	}
	p.Add(plotter.NewGrid(), line)
	return p.Save(16*vg.Centimeter, 10*vg.Centimeter, file)
}
