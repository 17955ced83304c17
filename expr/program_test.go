package expr

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// TestProgram checks the names and types of arguments and results.
func TestProgram(t *testing.T) {
	p := MustParse("func f(x, keep float32, seed uint32, on bool) (y float32, k bool, u uint32) { y = x/keep; k = on; u = seed; return }")
	if got, want := fmt.Sprint(p.Name(), p.Args(), p.Results()), "f[{x float32} {keep float32} {seed uint32} {on bool}] [{y float32} {k bool} {u uint32}]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if q := MustParse("func g(x, keep float32, seed uint32, on bool) (y float32, k bool, u uint32) { y = x/keep; k = on; u = seed; return }"); p.Equal(q) || !p.Equal(p) {
		t.Error("Equal ignores the name")
	}
	if (&Program{}).Equal(&Program{}) || p.Equal(nil) {
		t.Error("what is no program is equal to something")
	}
}

// TestLimits checks that programs at the limits are made, and those above refused with the
// numbers, whichever way they are made.
func TestLimits(t *testing.T) {
	names := func(prefix string, n int) string {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprint(prefix, i))
		}
		return strings.Join(list, ", ")
	}
	for _, known := range []struct {
		text func(n int) string
		max  int
		want string
	}{
		{func(n int) string { return "f(x) = x" + strings.Repeat("*x", n) }, 512, "f has 513 operations, and a program may have 512"},
		{func(n int) string { return fmt.Sprintf("f(%s) = 1", names("x", n)) }, 32, "f has 33 arguments, and a program may have 16 buffers and 16 scalars"},
		{func(n int) string {
			return fmt.Sprintf("func f(x float32) (%s float32) { return x%s }", names("y", n), strings.Repeat(", x", n-1))
		}, 16, "f has 17 results, and a program may have 16"},
	} {
		if _, err := Parse(known.text(known.max)); err != nil {
			t.Error(err)
		}
		if _, err := Parse(known.text(known.max + 1)); err == nil || !strings.Contains(err.Error(), known.want) {
			t.Errorf("%v, want %s", err, known.want)
		}
	}
	p := MustParse("f(x) = x" + strings.Repeat("*x", 400))
	if err := p.Partial("x").Err(); err == nil || !strings.Contains(err.Error(), "operations, and a program may have 512") {
		t.Errorf("the derivative of %d operations: %v", 400, err)
	}
	b := NewBuilder("f")
	x := b.Arg("x", Float32)
	for range 513 {
		x = b.Op("exp", x)
	}
	b.Result("y", x)
	if _, err := b.Program(); err == nil || !strings.Contains(err.Error(), "expr: f has 513 operations") {
		t.Errorf("err is %v", err)
	}
}

// TestConcurrent uses a program from several goroutines; the race detector sees what changes.
func TestConcurrent(t *testing.T) {
	p := MustParse("f(x, s) = where(x >= 0, gelu(x), s*x)").WithPartial("s", MustParse("g(x, s) = x"))
	var group sync.WaitGroup
	for i := range 4 {
		group.Add(1)
		go func() {
			defer group.Done()
			if y, err := p.Eval(float32(-i), float32(2)); err != nil || y[0] != float32(-2*i) {
				t.Errorf("%v, %v", y, err)
			}
			if s := p.String(); s != "f(x, s) = where(x >= 0, gelu(x), s * x)" || p.Backward("x").Err() != nil || p.Backward("s").Err() != nil || !p.Equal(MustParse(s)) {
				t.Error(s)
			}
		}()
	}
	group.Wait()
}
