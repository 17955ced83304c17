package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/gmind-go/compute/internal/linear"
)

// TestMain makes the test binary a peer, of the kind in PEER.
func TestMain(m *testing.M) {
	if kind := os.Getenv("PEER"); kind != "" {
		fakePeer(kind, bufio.NewReader(os.Stdin), os.Stdout)
		return
	}
	os.Exit(m.Run())
}

// reported runs the comparison of c, checks that its output has the words, and returns it and
// the report in the file.
func reported(t *testing.T, c config, file string, words []string) (output string, r report) {
	t.Helper()
	var out strings.Builder
	if err := run(c, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	for _, want := range words {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in the output:\n%s", want, &out)
		}
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	return out.String(), r
}

func fakePeer(kind string, in *bufio.Reader, out io.Writer) {
	fmt.Fprintln(out, "ready Fake 1.0")
	var x, dy []float32
	slope := float32(slope)
	for {
		line, err := in.ReadString('\n')
		word := strings.Fields(line)
		switch {
		case err != nil:
			return
		case kind == "broken":
			fmt.Fprintln(out, "failed no memory")
			return
		case word[0] == "load":
			var n int
			fmt.Sscan(word[1], &n)
			fmt.Sscan(word[2], &slope)
			x, dy = make([]float32, n), make([]float32, n)
			io.ReadFull(in, bytesOf(x))
			io.ReadFull(in, bytesOf(dy))
			fmt.Fprintln(out, "ok")
		case word[0] == "result":
			y := make([]float32, len(x))
			for i, v := range x {
				y[i] = v
				if !(v > 0) {
					y[i] = slope * v
				}
				if kind == "onnx" {
					y[i] += 0
				}
			}
			if word[1] == "backward" || word[1] == training {
				for i := range y {
					y[i] = dy[i]
					if !(x[i] > 0) { // as in oneDNN and PyTorch
						y[i] *= slope
					}
				}
			}
			if strings.HasPrefix(word[1], "chain") {
				for i := range y {
					y[i] = chainOf(x[i])
				}
			}
			fakeFunction(word[1], y, x, dy)
			fakeProduct(word[1], y, x, dy)
			if kind == "wrong" {
				y[0]++
				y[len(y)/2]++
			}
			out.Write(bytesOf(y))
		case word[0] == "operations":
			fmt.Fprintln(out, "tanh tanh.backward exp")
		case kind == "dies":
			return
		case kind != "slow" && slices.Contains(allFunctions, strings.TrimSuffix(word[0], ".backward")):
			fmt.Fprintln(out, 1e6)
		default:
			fmt.Fprintln(out, 1e9) // one second for a call
		}
	}
}

// fakeProduct computes a product of matrices, such as tn-8-16-32.
func fakeProduct(op string, y, x, dy []float32) {
	form, size, _ := strings.Cut(op, "-")
	if list, err := parseShapes(strings.ReplaceAll(size, "-", "x") + ":" + form); err == nil {
		linear.MatMul(list[0].Product, y, x, dy)
	}
}

// fakeFunction computes an operation on a function, such as tanh or tanh.backward.
func fakeFunction(op string, y, x, dy []float32) {
	for _, form := range functionForms {
		if name := strings.TrimSuffix(op, form.suffix); slices.Contains(allFunctions, name) && op == name+form.suffix {
			p := form.of(name)
			for i := range y {
				y[i] = form.eval(p, dy[i], x[i])
			}
		}
	}
}
