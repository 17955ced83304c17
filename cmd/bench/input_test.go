package main

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/host"
)

// TestInputs: the values are what the name says, and have both signs unless it says
// otherwise.
func TestInputs(t *testing.T) {
	for name, generate := range inputs {
		negative, subnormal, zero := 0, 0, 0
		v := generate(10000, 1)
		for _, x := range v {
			if math.Signbit(float64(x)) {
				negative++
			}
			if x != 0 && math.Abs(float64(x)) < 0x1p-126 {
				subnormal++
			}
			if x == 0 {
				zero++
			}
		}
		want := map[string]int{"positive": 0, "negative": 10000}
		if n, ok := want[name]; ok && negative != n || !ok && (negative < 4000 || negative > 6000) {
			t.Errorf("%s: %d of 10000 are negative", name, negative)
		}
		if (name == "subnormal") != (subnormal == 10000) || zero > 0 {
			t.Errorf("%s: %d of 10000 are subnormal, %d are 0", name, subnormal, zero)
		}
	}
}

// TestMemory: default sizes that exceed the available memory are left out. If they were asked
// for, there is an error that names both amounts, before anything is allocated or read.
func TestMemory(t *testing.T) {
	with := func(available int64, sizes ...int) *config {
		c := newConfig()
		c.sizes, c.available = sizes, func() int64 { return available }
		c.mapped = func(int, int) error { return nil } // independent of this machine
		return c
	}
	need := operations.need()
	if need != 32 {
		t.Fatalf("an element needs %d bytes", need)
	}
	// The cache holds none of their sets, so the second size needs more memory.
	n := host.LastCache()/8 + 1
	sizes := []int{n, 8 * n}
	for _, test := range []struct {
		available int64
		want      []int
	}{
		{int64(need) * int64(8*n), sizes},
		{int64(need)*int64(8*n) - 1, sizes[:1]},
	} {
		c := with(test.available, sizes...)
		total, tooLarge, err := c.fit()
		last := test.want[len(test.want)-1]
		if err != nil || !slices.Equal(c.sizes, test.want) || (tooLarge == nil) != (len(test.want) == 2) || total != last*setCount(last) {
			t.Errorf("with %d bytes: %v, %v, and %d values are left of %d", test.available, tooLarge, err, c.sizes, total)
		}
	}

	refused := errors.New("refused")
	c := with(math.MaxInt64, sizes...)
	c.mapped = func(total, _ int) error {
		if total == 8*n {
			return refused
		}
		return nil
	}
	if _, tooLarge, err := c.fit(); err != nil || !errors.Is(tooLarge, refused) || !slices.Equal(c.sizes, sizes[:1]) {
		t.Errorf("where the system refuses: %v, %v, %v", tooLarge, err, c.sizes)
	}

	c = with(3_000_000_000, 1<<30)
	c.sizesAsked = true
	want := "-n: 1Gi elements: operands and results take 34.4 GB, and 3.0 GB of memory can be used: out of memory; measure smaller sizes"
	if _, _, err := c.fit(); !errors.Is(err, compute.ErrOutOfMemory) || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}

	c = with(int64(8*n*need), 8*n) // which does not suffice for a step of training
	c.sizesAsked, c.ops = true, []string{stepOp}
	if _, _, err := c.fit(); !errors.Is(err, compute.ErrOutOfMemory) {
		t.Errorf("a step of training: %v", err)
	}

	c = with(int64(4*need-1), 1)
	c.input = write(t, npyBytes("<f4", "(2,)", binary.LittleEndian, []float32{1, 2}))
	if _, err := c.load(); !errors.Is(err, compute.ErrOutOfMemory) || !strings.HasPrefix(err.Error(), c.input+": ") {
		t.Errorf("a file: %v", err)
	}
}
