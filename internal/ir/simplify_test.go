package ir_test

import (
	"math/rand/v2"
	"testing"

	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/ir"
	"github.com/gmind-go/compute/internal/randprog"
)

// TestSimplify checks what is simplified, and what must not be.
func TestSimplify(t *testing.T) {
	for text, want := range map[string]string{
		// Constants, once rounded, by the reference.
		"f(x) = exp(0) + x":                        "f(x) = 1 + x",
		"f(x) = x * (float32(1)/3)":                "f(x) = x * 0.33333334",
		"f(x) = x + float32(bits(2.0)>>30)":        "f(x) = x + 1",
		"f(x) = sqrt(-1) + x":                      "f(x) = frombits(0x7fc00000) + x",
		"f(x) = x*1":                               "f(x) = x",
		"f(x) = 1*x":                               "f(x) = x",
		"f(x) = x/1":                               "f(x) = x",
		"f(x) = x-0":                               "f(x) = x",
		"f(x) = x+frombits(0x80000000)":            "f(x) = x",
		"f(x) = x+0":                               "f(x) = x + 0",
		"f(x) = 0+x":                               "f(x) = 0 + x",
		"f(x) = x-frombits(0x80000000)":            "f(x) = x - frombits(0x80000000)",
		"f(x) = 0-x":                               "f(x) = 0 - x",
		"f(x) = x*0":                               "f(x) = x * 0",
		"f(x) = x-x":                               "f(x) = x - x",
		"f(x) = x/x":                               "f(x) = x / x",
		"f(x) = where(x == x, x, 1)":               "f(x) = where(x == x, x, 1)",
		"f(x) = x*-1":                              "f(x) = -x",
		"f(x) = -1*x":                              "f(x) = -x",
		"f(x) = -(-x)":                             "f(x) = x",
		"f(x, y) = x-(-y)":                         "f(x, y) = x + y",
		"f(x, y) = x+(-y)":                         "f(x, y) = x - y",
		"f(x, y) = -x+y":                           "f(x, y) = y - x",
		"f(x, y) = -(x-y)":                         "f(x, y) = -(x - y)",
		"f(x) = x+x":                               "f(x) = 2 * x",
		"f(x) = x/8":                               "f(x) = x * 0.125",
		"f(x) = x/-0.5":                            "f(x) = x * -2",
		"f(x) = x/0x1p126":                         "f(x) = x * 1.1754944e-38",
		"f(x) = x/0x1p127":                         "f(x) = x / 1.7014118e+38",
		"f(x) = x/0x1p-127":                        "f(x) = x * 1.7014118e+38",
		"f(x) = x/0x1p-128":                        "f(x) = x / 2.938736e-39",
		"f(x) = x/3":                               "f(x) = x / 3",
		"f(x) = x/0":                               "f(x) = x / 0",
		"f(x, y) = fma(x, y, frombits(1<<31))":     "f(x, y) = x * y",
		"f(x, y) = fma(x, y, 0)":                   "f(x, y) = fma(x, y, 0)",
		"f(x, y) = fma(1, x, y)":                   "f(x, y) = x + y",
		"f(x, y) = fma(x, 1, y)":                   "f(x, y) = x + y",
		"f(x, y) = x*y + x":                        "f(x, y) = x * y + x",
		"f(x, y) = where(x < y, y, y)":             "f(x, y) = y",
		"f(x, y) = where(x != y, x, y)":            "f(x, y) = where(x == y, y, x)",
		"f(x, y) = where(1 < 2, x, y)":             "f(x, y) = x",
		"f(x, y) = where(x < y && true, x, y)":     "f(x, y) = where(x < y, x, y)",
		"f(x, y) = where(x < y && false, x, y)":    "f(x, y) = y",
		"f(x, y) = where(x < y || true, x, y)":     "f(x, y) = x",
		"f(x, y) = where(x < y || x < y, x, y)":    "f(x, y) = where(x < y, x, y)",
		"f(x, y) = where(!!(x < y), x, y)":         "f(x, y) = where(x < y, x, y)",
		"f(x, y) = x*y - y*x":                      "func f(x, y float32) (y_ float32) {\n\tt1 := x * y\n\ty_ = t1 - t1\n\treturn\n}",
		"f(x) = float32(uint32(x)<<0)":             "f(x) = float32(uint32(x))",
		"f(x) = float32((uint32(x)&^0|0)^0 + 0*1)": "f(x) = float32(uint32(x))",
	} {
		p, err := expr.Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := p.String(); got != want {
			t.Errorf("%s is\n%s\nwant\n%s", text, got, want)
		}
	}
}

// TestSimplifyTwice checks that a simplified program is left as it is.
func TestSimplifyTwice(t *testing.T) {
	for seed := range uint64(500) {
		p := ir.Simplify(randprog.New(rand.New(rand.NewPCG(seed, 0)), randprog.Options{Operations: 30}))
		if q := ir.Simplify(p); !q.Equal(p) {
			t.Errorf("seed %d: %v became %v", seed, p, q)
		}
	}
}
