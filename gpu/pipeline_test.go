//go:build opencl && cgo

package gpu

import (
	"testing"
	"unsafe"

	"github.com/gmind-go/compute/gpu/internal/opencl"
)

func TestUsableInPlace(t *testing.T) {
	page := make([]float32, 4096)
	skip := int(-uintptr(unsafe.Pointer(&page[0]))%4096) / 4
	aligned := page[skip : skip+1024]
	for _, test := range []struct {
		kind opencl.Type
		s    []float32
		want bool
	}{
		{opencl.CPU, aligned[1:4], true},
		{opencl.GPU, aligned, true},
		{opencl.GPU, aligned[:16], true},
		{opencl.GPU, aligned[:17], false},
		{opencl.GPU, aligned[16:32], false},
	} {
		d := &device{shape: shapes[test.kind]}
		if got := d.usableInPlace(test.s); got != test.want {
			t.Errorf("%s, %d elements at %p: %v", test.kind, len(test.s), &test.s[0], got)
		}
	}
}
