//go:build opencl && cgo

package gpu

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/gpu/internal/opencl"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/kernels"
)

// TestWrongKernels: kernels that compute wrong, as a bad compiler might make
// them, are found out at open, and the CPU is used with the reason kept.
func TestWrongKernels(t *testing.T) {
	testenv.Open(t, OpenDevice("any"))
	breaks := []struct{ right, wrong, tells string }{
		{"0.0f <= x_[k]", "0.0f < x_[k]", "of derivative of"},
		{"negative_slope * x_[k]", "x_[k]", "of forward of"},
		{"select(v1, x_[k], v0)", "fmax(v1, x_[k])", "of forward of"},
		{"select(v1, x_[k], v0)", "fmax(x_[k], 0.0f) + negative_slope * fmin(x_[k], 0.0f)", "of forward of"},
		{"select(v1, x_[k], v0)", "select(v1, x_[k], -1.0f < x_[k])", "of forward of"},
		{"v1 = select((FLOATS)(negative_slope), (FLOATS)(1.0f), v0)", "v1 = select((FLOATS)(negative_slope), (FLOATS)(1.0f), 0.0f < x_[k])", "of derivative of"},
		{"v1 = select((FLOATS)(negative_slope), (FLOATS)(1.0f), v0)", "v1 = select((FLOATS)(1.0f), (FLOATS)(negative_slope), x_[k] < 0.0f)", "of derivative of"},
		{"dydx + begin(k)", "dydx", "of derivative of"},
		{"select(v1, dy_[k], v0)", "select(v1, dy_[k], 0.0f <= dy_[k])", "of backward of"},
		{"select(v1, dy_[k], v0)", "dy_[k]", "of backward of"},
		{"v3 = select((FLOATS)(negative_slope), (FLOATS)(1.0f), v0)", "v3 = select((FLOATS)(negative_slope), (FLOATS)(1.0f), 0.0f < x_[k])", "of forward derivative of"},
		{"STORE(v3, d", "STORE(select((FLOATS)(negative_slope), (FLOATS)(1.0f), 0.0f <= LOAD(x + begin(k))), d", "of forward derivative of"},
		{"store_some(v3, d", "store_some(select((FLOATS)(negative_slope), (FLOATS)(1.0f), 0.0f <= load_some(x, begin(k), n)), d", "of forward derivative of"},
		{"mask_store(v0, bit", "mask_store(0.0f < x_[k], bit", "of forward mask of"},
		{"mask_store(v0, bit", "mask_store(~(x_[k] < 0.0f), bit", "of forward mask of"},
		{"mask_store(v0, bit", "mask_store(0.0f <= LOAD(x + begin(k)), bit", "of forward mask of"},
		{"mask_store_some(v0, bit", "mask_store_some(0.0f < x_[k], bit", "of forward mask of"},
		{"i + 8 <= n ? byte : byte & ((1 << (n - i)) - 1)", "i + 8 <= n ? byte : byte & ((1 << (n - i - 1)) - 1)", "of forward mask of"},
		{"m[i / 8] = byte_below(pack(holds), i, n)", "m[i / 8] |= byte_below(pack(holds), i, n)", "of forward mask of"},
		{"(1, 2, 4, 8, 16, 32, 64, 128)", "(128, 64, 32, 16, 8, 4, 2, 1)", "of forward mask of"}, // pack and unpack agree
		{"bits.lo | bits.hi", "bits.lo", "of forward mask of"},
		{"m[i / 8] = pack(holds)", "m[i / 8] |= pack(holds)", "of forward mask of"},
		{"select(v0, dy_[k], bit_[k])", "select(v0, dy_[k], 0.0f <= dy_[k])", "of backward mask of"},
		{"BITS_OF_BYTE) != 0", "BITS_OF_BYTE) == 0", "of backward mask of"},
		{"unpack(i < n ? m[i / 8] : 0)", "unpack(i < n ? m[i / 8] & 1 : 0)", "of backward mask of"},
		{"get_group_id(0)", "(get_group_id(0) / 2)", "self-test"},
		{"get_local_id(0)", "(get_local_id(0) / 2)", "self-test"},
		{"i + j < n ? from[i + j]", "i + j + 1 < n ? from[i + j]", "self-test"},
		{"if (i + j < n) to[i + j]", "if (i + j + 1 < n) to[i + j]", "self-test"},
		{"kernel void leaky_relu_backward", "kernel void backward", "CL_INVALID_KERNEL_NAME"},
		{"const INDEX n, const float negative_slope)", "const INDEX n, const float negative_slope, const int more)", "arguments"},
		{"get_local_size", "no_such_function", "the program does not build"},
	}
	for _, b := range breaks {
		source := strings.ReplaceAll(kernels.Source, b.right, b.wrong)
		if source == kernels.Source {
			t.Errorf("the kernels have no %q to break", b.right)
			continue
		}
		broken := func() (compute.Backend, error) {
			devices, problem := listWith(Options{StreamMemory: defaultStreamMemory}, func(d *opencl.Device) program {
				return program{source, shapes[opencl.GPU]} // which has loops to break, too
			})
			return openFirst(takeMatching("any", devices, problem))
		}
		backend, err := compute.Open(broken, cpu.Open)
		if err != nil {
			t.Fatal(err)
		}
		if info := backend.Info(); info.Backend != "cpu" || !strings.Contains(fmt.Sprint(info.Skipped), b.tells) {
			t.Errorf("with %q for %q opened %s, Skipped %v; want the CPU, because of %q", b.wrong, b.right, info.Name, info.Skipped, b.tells)
		}
		backend.Close()
	}
}
