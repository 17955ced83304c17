//go:build opencl && cgo

package opencl

import (
	"reflect"
	"testing"

	"github.com/jgillich/go-opencl/cl"
)

// TestHandles: the handle that raw.go reads is the first field of each struct.
func TestHandles(t *testing.T) {
	for object, field := range map[any]string{
		cl.CommandQueue{}: "clQueue",
		cl.Event{}:        "clEvent",
		cl.Device{}:       "id",
	} {
		first := reflect.TypeOf(object).Field(0)
		if first.Name != field || first.Offset != 0 || first.Type.Kind() != reflect.Pointer {
			t.Errorf("the first field of %T is %s %v; want the pointer %s", object, first.Name, first.Type, field)
		}
	}
}
