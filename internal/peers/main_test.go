package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	for _, test := range []struct {
		peer    string
		want    []string // in the output
		missing bool     // the peers have no times
		notes   int
	}{
		{"right", []string{"Fake 1.0", "| forward ", "| backward ", "| chain ", "| chain in place ", "1 s (1 s)"}, false, 0},
		{"wrong", []string{"WRONG: backward of oneDNN", "WRONG: chain of numexpr", "On special values"}, false, 3 * (7 + 4)},
		{"broken", []string{"| no memory "}, true, 0},
		{"dies", []string{"| ended: EOF "}, true, 0},
		{"", []string{"oneDNN missing", "numexpr missing", "| not installed "}, true, 0},
	} {
		t.Run(test.peer, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "out.json")
			c, err := parse([]string{"-n", "16,1Ki", "-rounds", "2", "-functions", "none", "-json", file})
			if err != nil {
				t.Fatal(err)
			}
			c.rest, c.minSample = 0, 0
			command := []string{os.Args[0]}
			if test.peer == "" {
				command = []string{"./none"}
			}
			c.onednn, c.torch, c.numexpr = command, command, command
			t.Setenv("PEER", test.peer)
			_, r := reported(t, c, file, test.want)
			if len(r.Notes) != test.notes {
				t.Errorf("%d notes, want %d: %q", len(r.Notes), test.notes, r.Notes)
			}
			if len(r.Results) != 2*21 {
				t.Errorf("%d results, want 21 for each of 2 sizes", len(r.Results))
			}
			for _, res := range r.Results {
				peer := slices.Contains([]string{colOneDNN, colTorch, colTorchFresh, colNumexpr, colEager}, res.Who)
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

func TestParse(t *testing.T) {
	for _, args := range []string{"-n 0", "-n 1k", "-n 257Mi", "-n ,", "-rounds 0", "-sample 0s", "-sample 20", "-device any", "-functions sine", "-functions exp,", "-matmul 1x2", "x"} {
		if _, err := parse(strings.Fields(args)); err == nil {
			t.Errorf("parse(%q) is no error", args)
		}
	}
	c, err := parse([]string{"-n", "7,64Ki,256Mi"})
	if want := "[7 65536 268435456]"; err != nil || fmt.Sprint(c.sizes) != want {
		t.Errorf("sizes are %v, want %s; %v", c.sizes, want, err)
	}
	for args, want := range map[string]string{
		"":                       "7 of LeakyReLU, 5 of [exp tanh sigmoid silu gelu softplus mish]",
		"-functions tanh,exp":    "0 of LeakyReLU, 5 of [tanh exp]",
		"-functions all -n 1,2":  "0 of LeakyReLU, 2 of " + fmt.Sprint(allFunctions),
		"-functions none":        "7 of LeakyReLU, 5 of []",
		"-matmul 1x2x3":          "0 of LeakyReLU, 5 of []",
		"-check":                 "7 of LeakyReLU, 5 of " + fmt.Sprint(allFunctions),
		"-check -functions exp":  "0 of LeakyReLU, 5 of [exp]",
		"-check -functions none": "7 of LeakyReLU, 5 of []",
	} {
		c, err := parse(strings.Fields(args))
		if got := fmt.Sprintf("%d of LeakyReLU, %d of %v", len(c.sizes), len(c.functionSizes), c.functions); err != nil || got != want {
			t.Errorf("%q: %s, want %s; %v", args, got, want, err)
		}
	}
}
