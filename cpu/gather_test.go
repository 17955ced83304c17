package cpu

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/gmind-go/compute/internal/values"
)

// TestGather compares with the reference, on several cores.
func TestGather(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	b, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	r := rand.New(rand.NewPCG(1, 2))
	for _, shape := range [][3]int{{1, 1, 1}, {3, 100, 5}, {1, 1000, 30000}, {784, 60, 500}, {4095, 9, 30}, {4096, 9, 31}, {10000, 4, 33}} {
		width, rows, n := shape[0], shape[1], shape[2]
		nan := float32(math.NaN())
		src, index := values.Bits(rows*width, 1), make([]float32, n)
		var want []float32
		for i := range index {
			if r.IntN(10) == 0 {
				index[i] = []float32{-1, float32(rows), 0.5, nan}[r.IntN(4)]
				want = append(want, slices.Repeat([]float32{nan}, width)...)
				continue
			}
			row := r.IntN(rows)
			index[i] = float32(row)
			want = append(want, src[row*width:][:width]...)
		}
		x, at, y := mustUpload(t, b, src), mustUpload(t, b, index), mustUpload(t, b, make([]float32, n*width))
		for range 3 { // also with workers that are awake
			if err := b.Gather(y, x, at); err != nil {
				t.Fatal(err)
			}
		}
		got := make([]float32, n*width)
		if err := y.Read(got); err != nil {
			t.Fatal(err)
		}
		for i, v := range got {
			if !values.Identical(v, want[i]) {
				t.Fatalf("rows of %d: element %d of row %d is %s, should be %s", width, i%width, i/width, values.Show(v), values.Show(want[i]))
			}
		}
		x.Release()
		at.Release()
		y.Release()
	}
}
