package shard_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/values"
)

// TestGatherOfManyRows gathers rows of a part that has more than a float32 has numbers for.
func TestGatherOfManyRows(t *testing.T) {
	const rows, width = 1<<24 + 1<<22, 3
	b, err := weighted(1, 198.5)() // the second part begins with an odd row
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	src, err := b.Alloc(rows * width) // the system provides memory for what is written alone
	if errors.Is(err, compute.ErrOutOfMemory) {
		testenv.Lacking(t, "memory for 240 MiB")
	} else if err != nil {
		t.Fatal(err)
	}
	index := []float32{0, 1<<24 - 1, 1 << 24, 1<<24 + 1<<20, rows - 4, rows - 2, rows, -1}
	want := make([]float32, 0, len(index)*width)
	for i, row := range index {
		elements := []float32{float32(i), float32(i) + 0.25, float32(i) + 0.5}
		if row < 0 || row >= rows {
			elements = slices.Repeat([]float32{float32(math.NaN())}, width)
		} else if err := src.WriteAt(elements, int(row)*width); err != nil {
			t.Fatal(err)
		}
		want = append(want, elements...)
	}
	at, err := b.Upload(index)
	if err != nil {
		t.Fatal(err)
	}
	dst, err := b.Alloc(len(want))
	if err != nil {
		t.Fatal(err)
	}
	got := make([]float32, len(want))
	if err := errors.Join(b.Gather(dst, src, at), dst.Read(got)); err != nil {
		t.Fatal(err)
	}
	for i, v := range got {
		if !values.Same(v, want[i]) {
			t.Errorf("element %d of row %v is %v, want %v", i%width, index[i/width], v, want[i])
		}
	}
}
