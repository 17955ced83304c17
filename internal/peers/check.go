package main

import (
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/values"
)

// checked is the number of pairs of random bit patterns; pairs of special values are added.
const checked = 1_000_000

// A comparison is an operation of a peer. theirs returns the expected result of the peer,
// which differs from ours in one known case.
type comparison struct {
	*peer
	form   form.Form
	theirs func(slope, dy, x, ours float32) float32
	known  string
}

// comparisons returns the comparisons of check. ONNX has no backward.
func comparisons(torch, onnx *peer) []comparison {
	return []comparison{
		{torch, form.Forward, func(slope, _, x, ours float32) float32 {
			if x == 0 {
				return slope * x
			}
			return ours
		}, "PyTorch multiplies x by the slope where it is 0 or -0, so a negative slope changes its sign"},
		{torch, form.Backward, func(slope, dy, x, ours float32) float32 {
			if x == 0 {
				return slope * dy
			}
			return ours
		}, "In PyTorch, the derivative is the slope where x is 0 or -0"},
		{onnx, form.Forward, func(_, _, _, ours float32) float32 {
			if ours == 0 {
				return 0
			}
			return ours
		}, "ONNX's expression is a sum of two parts, so it is 0 where the result is -0"},
	}
}

// pairs returns the random pairs, then all pairs of special values.
func pairs() (x, dy []float32) {
	x, dy = values.Bits(checked, 1), values.Bits(checked, 2)
	for _, a := range values.Special() {
		for _, b := range values.Special() {
			x, dy = append(x, a), append(dy, b)
		}
	}
	return x, dy
}

// check compares the results of b with those of the peers, bit by bit, for every slope of
// form.Fused, and prints the counts to w. It returns an error if a result of b differs
// from the reference, a peer differs from b in an unknown way, or a peer is missing.
func check(b compute.Backend, torch, onnx *peer, w io.Writer) error {
	if torch.err != nil || onnx.err != nil {
		return fmt.Errorf("install python3-torch and python3-numpy: PyTorch: %v, NumPy: %v", torch.err, onnx.err)
	}
	x, dy := pairs()
	ours, theirs := make([]float32, len(x)), make([]float32, len(x))
	var args form.Args // released when b is closed
	for o, v := range map[form.Operand][]float32{form.X: x, form.DY: dy, form.Y: ours} {
		var err error
		if *args.Buffer(o), err = b.Upload(v); err != nil {
			return err
		}
	}
	args.DX = args.Y
	fmt.Fprintf(w, "%s, compared with %s and %s: %d pairs of random bit patterns, %d of special values.\n\n",
		b.Info().Name, torch.name, onnx.name, checked, len(x)-checked)
	fmt.Fprintln(w, "| peer    | operation | slope | compared |   equal | both NaN | known to differ | wrong |")
	fmt.Fprintln(w, "| ------- | --------- | ----: | -------: | ------: | -------: | --------------: | ----: |")
	list := comparisons(torch, onnx)
	var failed error
	for _, f := range form.Fused() {
		if f.Kind != compute.KindLeakyReLU {
			continue // the peers have no other
		}
		slope := f.NegativeSlope()
		if err := errors.Join(torch.load(slope, x, dy), onnx.load(slope, x, dy)); err != nil {
			return err
		}
		for _, c := range list {
			result := c.form.Results()[0]
			if err := errors.Join(c.form.Run(b, f, args), (*args.Buffer(result)).Read(ours), c.result(c.form.String(), theirs)); err != nil {
				return err
			}
			var equal, nan, known, wrong int
			for i, got := range ours {
				switch {
				case !values.Same(got, result.Want(f, dy[i], x[i])) || !values.Same(theirs[i], c.theirs(slope, dy[i], x[i], got)):
					if wrong == 0 {
						failed = errors.Join(failed, fmt.Errorf("%v, slope %v, where x is %v and dy %v: 0x%08x, by the reference 0x%08x, by %s 0x%08x", c.form, slope,
							x[i], dy[i], math.Float32bits(got), math.Float32bits(result.Want(f, dy[i], x[i])), c.name, math.Float32bits(theirs[i])))
					}
					wrong++
				case got != got:
					nan++
				case values.Identical(got, theirs[i]):
					equal++
				default:
					known++
				}
			}
			peer := "PyTorch"
			if c.peer == onnx {
				peer = "ONNX"
			}
			fmt.Fprintf(w, "| %-7s | %-9v | %5v | %8d | %7d | %8d | %15d | %5d |\n", peer, c.form, slope, len(x), equal, nan, known, wrong)
		}
	}
	fmt.Fprintln(w, "\nKnown to differ:")
	for _, c := range list {
		fmt.Fprintf(w, "- %v: %s.\n", c.form, c.known)
	}
	return failed
}
