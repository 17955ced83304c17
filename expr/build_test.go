package expr

import (
	"strings"
	"testing"
)

// TestBuilder builds a program that calls another, and compares it with its text.
func TestBuilder(t *testing.T) {
	scale := MustParse("func scale(x float32, u uint32) (y float32, big bool) { y = x * float32(u>>1); big = y > 1; return }")
	b := NewBuilder("f")
	x, u, c := b.Arg("x", Float32), b.Arg("u", Uint32), b.Arg("c", Bool)
	results := b.Call(scale, b.Op("exp", x), b.Op("<<", u, b.Uint32(3)))
	b.Result("y", b.Op("where", b.Op("&&", c, b.Op("!", b.Bool(false))), b.Op("/", results[0], b.Float32(3)), x))
	b.Result("k", b.Op(">=", results[0], x))
	b.Result("big", results[1])
	p, err := b.Program()
	if err != nil {
		t.Fatal(err)
	}
	want := MustParse(`func f(x float32, u uint32, c bool) (y float32, k, big bool) {
		t := exp(x) * float32(u<<3>>1)
		y = where(c, t/3, x)
		k = t >= x
		big = t > 1
		return
	}`)
	if !p.Equal(want) {
		t.Errorf("%v\nwant\n%v", p, want)
	}
}

// TestBuilderErrors checks that each mistake is an error, and the first is returned.
func TestBuilderErrors(t *testing.T) {
	f := MustParse("f(x) = 2*x")
	for want, build := range map[string]func(b *Builder, x, u Value){
		"sigmod is not an operation; did you mean sigmoid?": func(b *Builder, x, _ Value) { b.Result("y", b.Op("sigmod", x)) },
		"+ has no operands [float32 uint32]":                func(b *Builder, x, u Value) { b.Result("y", b.Op("+", x, u)) },
		"exp has no operands []":                            func(b *Builder, _, _ Value) { b.Result("y", b.Op("exp")) },
		"<< has no operands [uint32 uint32]":                func(b *Builder, _, u Value) { b.Result("y", b.Op("<<", u, u)) },
		"operand 1 of exp is not of this Builder":           func(b *Builder, _, _ Value) { b.Result("y", b.Op("exp", NewBuilder("g").Float32(1))) },
		"operand 1 of y is not of this Builder":             func(b *Builder, _, _ Value) { b.Result("y", Value{}) },
		"operand 1 of f is not of this Builder":             func(b *Builder, _, _ Value) { b.Result("y", b.Call(f, Value{})[0]) },
		"f has 1 arguments and not 2":                       func(b *Builder, x, _ Value) { b.Result("y", b.Call(f, x, x)[0]) },
		"the argument x of f is uint32 and should be":       func(b *Builder, _, u Value) { b.Result("y", b.Call(f, u)[0]) },
		"the zero Program":                                  func(b *Builder, x, _ Value) { b.Call(&Program{}, x) },
		"x is declared twice":                               func(b *Builder, x, _ Value) { b.Result("x", x) },
		"exp has a meaning":                                 func(b *Builder, _, _ Value) { b.Arg("exp", Float32) },
		`"1a" is not a name`:                                func(b *Builder, _, _ Value) { b.Arg("1a", Float32) },
		"the argument v has no type":                        func(b *Builder, _, _ Value) { b.Arg("v", 7) },
		"g has no result":                                   func(*Builder, Value, Value) {},
	} {
		b := NewBuilder("g")
		build(b, b.Arg("x", Float32), b.Arg("u", Uint32))
		if p, err := b.Program(); err == nil || !strings.HasPrefix(err.Error(), "expr: "+want) {
			t.Errorf("%v, %v, want %s", p, err, want)
		}
	}
	b := NewBuilder("a b")
	b.Result("y", b.Float32(1))
	if _, err := b.Program(); err == nil || !strings.Contains(err.Error(), `"a b" is not a name`) {
		t.Errorf("err is %v", err)
	}
}
