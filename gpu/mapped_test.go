//go:build opencl && cgo

package gpu

import (
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/values"
)

// TestLargeBuffers: what is so large that it is mapped, where the device shares the
// memory of the host, and copied by several cores, keeps every bit.
func TestLargeBuffers(t *testing.T) {
	for _, way := range []int{plain, mapped} {
		b := testenv.Open(t, OpenDevice("any"))
		prefer(inside(b), way)
		testLargeBuffers(t, b)
	}
}

func testLargeBuffers(t *testing.T, b compute.Backend) {
	for _, n := range []int{mapFrom - 1, mapFrom, mapFrom + 3, 3*copyShare + 17} {
		first, second := values.Bits(n, 1), values.Bits(n, 2)
		buf, err := b.Upload(first)
		if err != nil {
			t.Fatal(err)
		}
		same := func(how string, want []float32) {
			t.Helper()
			got := make([]float32, n)
			if err := buf.Read(got); err != nil {
				t.Fatal(err)
			}
			for i := range got {
				if !values.Identical(got[i], want[i]) {
					t.Fatalf("%s of %d elements: element %d is %x and should be %x", how, n, i, got[i], want[i])
				}
			}
		}
		same("Upload", first)
		if err := buf.Write(second); err != nil {
			t.Fatal(err)
		}
		same("Write", second)
		if err := buf.Release(); err != nil {
			t.Fatal(err)
		}
	}
}
