package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/internal/testenv"
)

// TestMain makes the test binary a peer, of the kind in PEER.
func TestMain(m *testing.M) {
	if kind := os.Getenv("PEER"); kind != "" {
		fakePeer(kind, bufio.NewReader(os.Stdin), os.Stdout)
		return
	}
	os.Exit(m.Run())
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
			if kind == "wrong" {
				y[0]++
			}
			out.Write(bytesOf(y))
		case kind == "dies":
			return
		default:
			fmt.Fprintln(out, 1e9) // one second for a call
		}
	}
}

func TestRun(t *testing.T) {
	for _, test := range []struct {
		peer    string
		want    []string // in the output
		missing bool     // the peers have no times
		notes   int
	}{
		{"right", []string{"Fake 1.0", "| forward ", "| backward ", "1 s (1 s)"}, false, 0},
		{"wrong", []string{"WRONG: backward of oneDNN", "On special values"}, false, 3 * 7},
		{"broken", []string{"| no memory "}, true, 0},
		{"dies", []string{"| ended: EOF "}, true, 0},
		{"", []string{"oneDNN missing", "| not installed "}, true, 0},
	} {
		t.Run(test.peer, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "out.json")
			c, err := parse([]string{"-n", "16,1Ki", "-rounds", "2", "-json", file})
			if err != nil {
				t.Fatal(err)
			}
			c.rest, c.minSample = 0, 0
			c.onednn, c.torch = []string{os.Args[0]}, []string{os.Args[0]}
			if test.peer == "" {
				c.onednn, c.torch = []string{"./none"}, []string{"./none"}
			}
			t.Setenv("PEER", test.peer)
			var out strings.Builder
			if err := run(c, &out, io.Discard); err != nil {
				t.Fatal(err)
			}
			for _, want := range test.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("%q is not in the output:\n%s", want, &out)
				}
			}
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var r report
			if err := json.Unmarshal(data, &r); err != nil {
				t.Fatal(err)
			}
			if len(r.Notes) != test.notes {
				t.Errorf("%d notes, want %d: %q", len(r.Notes), test.notes, r.Notes)
			}
			if len(r.Results) != 2*15 {
				t.Errorf("%d results, want 15 for each of 2 sizes", len(r.Results))
			}
			for _, res := range r.Results {
				peer := res.Who == colOneDNN || res.Who == colTorch || res.Who == colTorchFresh
				if got := res.Missing != ""; got != (peer && test.missing) {
					t.Errorf("%s of %s: missing is %q", res.Op, res.Who, res.Missing)
				}
				if want := !peer || test.peer == "right"; res.Verified != want {
					t.Errorf("%s of %s: verified is %v", res.Op, res.Who, res.Verified)
				}
				if res.Missing == "" && !(res.MedianNS >= res.MinNS && res.MinNS > 0) {
					t.Errorf("%s of %s: median %v, minimum %v", res.Op, res.Who, res.MedianNS, res.MinNS)
				}
			}
		})
	}
}

// TestCheck: peers pass if they differ as PyTorch and ONNX are known to, and not otherwise.
func TestCheck(t *testing.T) {
	b := testenv.Open(t, cpu.Open)
	for _, test := range []struct{ torch, onnx, err string }{
		{"right", "onnx", ""},
		{"wrong", "onnx", "forward, slope 0.01"},
		{"right", "wrong", "forward, slope 1,"},
		{"right", "right", "forward, slope 2.5"}, // ONNX has no -0
		{"onnx", "onnx", "forward, slope -0.5"},  // PyTorch has
		{"broken", "onnx", "no memory"},
	} {
		t.Setenv("PEER", test.torch)
		torch := startPeer([]string{os.Args[0]})
		t.Setenv("PEER", test.onnx)
		onnx := startPeer([]string{os.Args[0]})
		var out strings.Builder
		err := check(b, torch, onnx, &out)
		torch.stop()
		onnx.stop()
		if got := fmt.Sprint(err); test.err == "" && err != nil || !strings.Contains(got, test.err) {
			t.Errorf("PyTorch %s, ONNX %s: %v, want %q", test.torch, test.onnx, err, test.err)
		}
		if test.err == "" && strings.Count(out.String(), " 1001764 | ") != 3*5 {
			t.Errorf("not three operations of five slopes:\n%s", &out)
		}
	}
	if err := check(b, startPeer([]string{"./none"}), startPeer([]string{"./none"}), io.Discard); err == nil {
		t.Error("missing peers are not an error")
	}
}

func TestParse(t *testing.T) {
	for _, args := range []string{"-n 0", "-n 1k", "-n 257Mi", "-n ,", "-rounds 0", "-device any", "x"} {
		if _, err := parse(strings.Fields(args)); err == nil {
			t.Errorf("parse(%q) is no error", args)
		}
	}
	c, err := parse([]string{"-n", "7,64Ki,256Mi"})
	if want := "[7 65536 268435456]"; err != nil || fmt.Sprint(c.sizes) != want {
		t.Errorf("sizes are %v, want %s; %v", c.sizes, want, err)
	}
}
