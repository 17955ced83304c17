package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/gmind-go/compute/internal/values"
)

// TestProducts: peers of products that are right, wrong, broken or missing.
func TestProducts(t *testing.T) {
	for _, test := range []struct {
		peer  string
		want  []string // in the output
		notes int
	}{
		{"right", []string{"- Fake 1.0", "| 3 × 300 × 5, A transposed, B transposed ", "| OpenBLAS"}, 0},
		{"wrong", []string{"WRONG: 4 × 2 × 9 of OpenBLAS", "WRONG: 4 × 2 × 9 of ONNX Runtime"}, 4},
		{"broken", []string{"| no memory "}, 0},
		{"", []string{"- ONNX Runtime: not installed"}, 0},
	} {
		t.Run(test.peer, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "out.json")
			c, err := parse([]string{"-matmul", "4x2x9,3x300x5:tt", "-rounds", "2", "-json", file})
			if err != nil {
				t.Fatal(err)
			}
			c.functionRest, c.minSample = 0, 0
			fakeCommands(t, &c, test.peer)
			out, r := reported(t, c, file, test.want)
			if r.Results != nil || r.Functions != nil {
				t.Errorf("more than products is measured:\n%s", out)
			}
			if len(r.Products.Notes) != test.notes {
				t.Errorf("%d notes, want %d: %q", len(r.Products.Notes), test.notes, r.Products.Notes)
			}
			for _, res := range r.Products.Results {
				ours := res.Who == colOurs || res.Who == colGemm
				if right := ours || test.peer == "right" || test.peer == "wrong"; (res.Missing == "") != right {
					t.Errorf("%+v", res)
				}
				if res.Missing == "" && res.Verified != (ours || test.peer == "right") {
					t.Errorf("%+v", res)
				}
			}
		})
	}
}

func TestParseShapes(t *testing.T) {
	for _, list := range []string{"", "1x2", "1x2x0", "1x2x3x4", "1x2x3:n", "1x2x99999", "1x2x3,"} {
		if s, err := parseShapes(list); err == nil {
			t.Errorf("%q is no error but %v", list, s)
		}
	}
	for list, want := range map[string]string{"1x2x3": "nn-1-2-3", "1x2x3:tn,4x5x6:nt": "tn-1-2-3 nt-4-5-6"} {
		s, err := parseShapes(list)
		var got []string
		for _, s := range s {
			got = append(got, s.request())
		}
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%q is %q, want %q; %v", list, got, want, err)
		}
	}
	if s, err := parseShapes("all"); err != nil || len(s) < 10 {
		t.Errorf("all is %v, %v", s, err)
	}
}

// TestVerifyProduct: a wrong bit of this library is an error.
func TestVerifyProduct(t *testing.T) {
	s := shape{}
	s.M, s.K, s.N = 2, 300, 3
	h := newMemory(values.Normal(900, 1), values.Normal(900, 2))
	ours := &contestant{column: colOurs, result: func(dst []float32) error {
		for i := range s.M * s.N {
			dst[i] = s.element(h.x, h.dy, i/s.N, i%s.N)
		}
		return nil
	}}
	if err := verifyProduct([]*contestant{ours}, s, h); err != nil {
		t.Error(err)
	}
	right := ours.result
	ours.result = func(dst []float32) error {
		right(dst)
		dst[4] *= 1 + 0x1p-20
		return nil
	}
	if err := verifyProduct([]*contestant{ours}, s, h); err == nil {
		t.Error("a wrong result is no error")
	}
}
