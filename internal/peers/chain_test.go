package main

import (
	"testing"

	"github.com/gmind-go/compute/internal/values"
)

// TestChain: the function in Go has the bits of the program.
func TestChain(t *testing.T) {
	check := func(x float32) {
		got, err := chain.Eval(x)
		if err != nil {
			t.Fatal(err)
		}
		if want := got[0].(float32); !values.Same(chainOf(x), want) {
			t.Fatalf("chainOf(%s) is %s and should be %s", values.Show(x), values.Show(chainOf(x)), values.Show(want))
		}
	}
	for _, list := range [][]float32{values.Special(), values.Normal(10_000, 1), values.Bits(100_000, 2)} {
		for _, x := range list {
			check(x)
		}
	}
	for x := range 1000 { // about the zeros of its steps
		check(-2 + float32(x)/250)
	}
	if n := len(chain.IR().Nodes); chain.IR().Size() != 11 { // ten, and the comparison of where
		t.Errorf("%d operations, %d nodes", chain.IR().Size(), n)
	}
}

// TestChainTends: applied again and again, the chain tends to an ordinary value.
func TestChainTends(t *testing.T) {
	for _, x := range values.Normal(1000, 1) {
		for range 100 {
			x = chainOf(x)
		}
		if !(x > 0.43 && x < 0.45) {
			t.Fatalf("it tends to %v", x)
		}
	}
}
