package openclc_test

import (
	"math"
	"math/rand/v2"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/ir"
	"github.com/gmind-go/compute/internal/kernel"
	"github.com/gmind-go/compute/internal/openclc"
	"github.com/gmind-go/compute/internal/progtest"
)

// TestFiles checks that the files of package kernels are what is printed: go generate ./kernels
// prints them.
func TestFiles(t *testing.T) {
	for _, name := range openclc.Files() {
		want, err := openclc.File(name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile("../../kernels/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Errorf("kernels/%s is not what is printed; run go generate ./kernels", name)
		}
	}
}

// TestPrint compares what is printed of a kernel with each kind of operand, plain and guarded.
func TestPrint(t *testing.T) {
	p := expr.MustParse(`func f(x, row, col, s float32, seed uint32, m, on bool) (y float32, k bool) {
		k = m && on
		y = where(k, max(x, -1e-9)*row, col+s) - rand(seed, 7)
		return
	}`)
	k := kernel.New(p.IR(), []kernel.Address{kernel.Element, kernel.Row, kernel.Col, kernel.Scalar, kernel.Scalar, kernel.Bit, kernel.Scalar})
	const head = `kernel void f(global float *r0, global uchar *r1, global const float *a0, global const float *a1,
              global const float *a2, global const uchar *a3, const INDEX n, const INDEX a1_start,
              const INDEX a1_length, const INDEX a2_base, const INDEX a2_until, const INDEX a2_period,
              const ulong index, const uint p0, const float p1, const uint p2`
	for _, test := range []struct {
		guarded, views bool
		has            []string
	}{
		{false, false, []string{
			head + ")\n{\n",
			"EACH_VECTOR a1_[k] = load_row(a1, begin(k), a1_start, a1_length);",
			"EACH_VECTOR a2_[k] = load_column(a2, begin(k), a2_base, a2_until, a2_period, n);",
			"= a3_[k] & (INTS)(-(int)p0);",
			"= select((FLOATS)(as_float(0xb089705fu)), a0_[k], a0_[k] > (FLOATS)(as_float(0xb089705fu)));",
			"= random_bits((UINTS)(p2), (UINTS)(7u), index + begin(k));",
			"= a2_[k] + p1;", "mask_store_some(v0, r1, begin(k), n);",
		}},
		{false, true, []string{
			"const INDEX r0_first,\n              const INDEX a0_first, const INDEX a1_first, const INDEX a2_first)\n{\n",
			"{\n    r0 += r0_first;\n    a0 += a0_first;\n    a1 += a1_first;\n    a2 += a2_first;\n    const bool full",
		}},
		{true, false, []string{
			head + ", const uint zero)\n{\n",
			"= select(AS_FLOATS(AS_UINTS((FLOATS)(as_float(0xb089705fu ^ zero))) ^ zero), a0_[k], a0_[k] > (FLOATS)(as_float(0xb089705fu ^ zero)));",
			"= AS_FLOATS(AS_UINTS(v1 * a1_[k]) ^ zero);",
		}},
	} {
		text, err := openclc.Print(k, openclc.Options{Name: "f", Guarded: test.guarded, Views: test.views})
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range test.has {
			if !strings.Contains(text, part) {
				t.Errorf("guarded %v: no %q in\n%s", test.guarded, part, text)
			}
		}
		count, _ := openclc.Arguments(k, openclc.Options{Guarded: test.guarded, Views: test.views})
		head, _, _ := strings.Cut(text, "\n{")
		if n := strings.Count(head, ",") + 1; n != count {
			t.Errorf("guarded %v: Arguments counts %d, and there are %d", test.guarded, count, n)
		}
	}
}

// TestPrintValues: the function has vectors that begin anywhere, and its values are those of the
// kernel.
func TestPrintValues(t *testing.T) {
	p := expr.MustParse("func f(x, r float32, m bool, seed uint32) (y float32) { y = where(m, x*r, rand(seed, 7)); return }")
	k := kernel.New(p.IR(), []kernel.Address{kernel.Element, kernel.Row, kernel.Bit, kernel.Scalar})
	text, err := openclc.PrintValues(k, openclc.Options{Guarded: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		"static inline FLOATS values(global const float *a0, global const float *a1, global const uchar *a2,",
		"const INDEX i, const bool full, const uint aligned)\n{\n    a0 += a0_first;\n    a1 += a1_first;\n",
		"if (!full) a0_ = load_some(a0, i, n);", "a1_ = load_row(a1, i, a1_start, a1_length);", "a2_ = mask_any(a2, i, n);",
		"AS_FLOATS(AS_UINTS(a0_ * a1_) ^ zero);", "index + i);",
		"#define PARAMETERS global float *r0, global const float *a0,", "#define VALUES(i, full) values(a0, a1, a2, n,", "#define GUARDED\n",
	} {
		if !strings.Contains(text, part) {
			t.Errorf("no %q in\n%s", part, text)
		}
	}
}

// operation matches what a statement does more than one of.
var operations = regexp.MustCompile(` [-+*/] .* [-+*/] `)

// TestOneOperation checks that no statement of random kernels has two operations that a compiler
// could fuse, and that every operation but functions is printed.
func TestOneOperation(t *testing.T) {
	seen := map[ir.Op]bool{}
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 0))
		p := progtest.Random(r, 40).IR()
		k := kernel.New(p, make([]kernel.Address, len(p.Args))) // as if all were elements
		text, err := openclc.Print(k, openclc.Options{Name: "f", Doubles: true, Quick: seed%2 == 0})
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(text) {
			if (strings.Contains(line, "const FLOATS v") || strings.Contains(line, "const DOUBLES v")) && operations.MatchString(line) {
				t.Errorf("seed %d: more than one operation: %s", seed, line)
			}
		}
		for _, n := range k.Body.Nodes {
			seen[n.Op] = true
		}
	}
	for _, op := range ir.Ops() {
		if info := op.Info(); info.Public() && !info.Function && !seen[op] {
			t.Errorf("no program has %s of %v", info.Name, info.In)
		}
	}
}

// TestFunctions compares what is printed of a kernel with a function called twice, in each way.
func TestFunctions(t *testing.T) {
	k := kernel.New(expr.MustParse("f(x) = exp(x) + exp(-x)").IR(), []kernel.Address{kernel.Element})
	for _, test := range []struct {
		o   openclc.Options
		has []string
	}{
		{openclc.Options{Doubles: true}, []string{
			"static inline FLOATS fn_exp(const FLOATS x)\n{\n", "= to_doubles(v1);", "= fma(v2, (DOUBLES)(0x1.71547652b82fep+00), (DOUBLES)(0x1.80000000003ffp+52));",
			" << 52u;", "= fn_exp(a0_[k]);",
		}},
		{openclc.Options{Doubles: true, Guarded: true}, []string{
			"static inline FLOATS fn_exp(const FLOATS x, const uint zero)\n{\n", "(DOUBLES)(as_double(0x3ff71547652b82feul ^ zero))",
			"= AS_DOUBLES(AS_ULONGS(v9 * v9) ^ zero);", "= fn_exp(a0_[k], zero);",
		}},
		{openclc.Options{}, []string{
			"constant ulong fn_exp_exactly_numbers[] = {\n    0x00000000c2d00000ul,\n    0x0000000042b20000ul,\n",
			"constant soft_step fn_exp_exactly_steps[] = {\n    {MIN32, 1, 33, 0, 0},\n    {MAX32, 1, 32, 1, 0},\n    {FROM32, 1, 1, 0, 0},\n",
			"static inline FLOATS fn_exp(const FLOATS x)\n{\n", "EACH_LANE v[j] = fn_exp_exactly(v[j]);",
		}},
		{openclc.Options{Quick: true}, []string{
			"    if (!all(v", "EACH_LANE if (!done[j]) to[j] = fn_exp_exactly(from[j]);",
		}},
	} {
		test.o.Name = "f"
		text, err := openclc.Print(k, test.o)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range test.has {
			if !strings.Contains(text, part) {
				t.Errorf("%+v: no %q in\n%s", test.o, part, text)
			}
		}
		if n := strings.Count(text, "FLOATS fn_exp("); n != 1 {
			t.Errorf("%+v: the function is printed %d times", test.o, n)
		}
		test.o.Printed = map[ir.Op]bool{ir.Exp: true}
		if text, err := openclc.Print(k, test.o); err != nil || strings.Contains(text, "FLOATS fn_exp(") {
			t.Errorf("%+v: the function is printed again, %v", test.o, err)
		}
	}
}

// TestConstants checks that constants have all their bits.
func TestConstants(t *testing.T) {
	for bits, want := range map[uint32]string{
		0x00000000:                      "(0.0f)",
		0x80000000:                      "(-0.0f)",
		math.Float32bits(1):             "(1.0f)",
		math.Float32bits(-2.5):          "(-2.5f)",
		math.Float32bits(0.01):          "(0.01f)",
		math.Float32bits(1.0 / 3):       "(as_float(0x3eaaaaabu))",
		1:                               "(as_float(0x00000001u))",
		0x7f800000:                      "(as_float(0x7f800000u))",
		0x7fc00000:                      "(as_float(0x7fc00000u))",
		math.Float32bits(math.MaxInt32): "(as_float(0x4f000000u))",
	} {
		b := &ir.Builder{}
		b.Arg("x", ir.F32)
		b.Result("y", b.Const(ir.F32, uint64(bits)))
		k := kernel.New(b.Program("f"), []kernel.Address{kernel.Element})
		text, err := openclc.Print(k, openclc.Options{Name: "f"})
		if err != nil || !strings.Contains(text, "STORE((FLOATS)"+want+", r0 + begin(k));") {
			t.Errorf("%#x: no %s in %s, %v", bits, want, text, err)
		}
	}
}
