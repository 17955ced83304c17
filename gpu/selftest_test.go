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
		{"select(s * v[k], v[k], v[k] >= 0.0f)", "select(s * v[k], v[k], v[k] > 0.0f)", "of forward of"},
		{"x[i] >= 0.0f ? x[i] : s * x[i]", "x[i] > 0.0f ? x[i] : s * x[i]", "of forward of"},
		{"select(s * v[k], v[k], v[k] >= 0.0f)", "fmax(s * v[k], v[k])", "of forward of"},
		{"select(s * v[k], v[k], v[k] >= 0.0f)", "fmax(v[k], 0.0f) + s * fmin(v[k], 0.0f)", "of forward of"},
		{"(FLOATS)1.0f, v[k] >= 0.0f", "(FLOATS)1.0f, v[k] > 0.0f", "of derivative of"},
		{"x[i] >= 0.0f ? 1.0f : s", "x[i] < 0.0f ? s : 1.0f", "of derivative of"},
		{"select(s * g[k], g[k], v[k] >= 0.0f)", "select(s * g[k], g[k], g[k] >= 0.0f)", "of backward of"},
		{"x[i] >= 0.0f ? dy[i] : s * dy[i]", "dy[i]", "of backward of"},
		{"y[i] = x[i] >= 0.0f ? x[i] : s * x[i]", "y[i] = x[i]", "of forward of"},
		{"y[i] = x[i] >= 0.0f ? x[i] : s * x[i]", "y[i] = 2.0f * x[i]", "of forward of"},
		{"x[i] >= 0.0f ? x[i] : s * x[i]", "x[i] > -1.0f ? x[i] : s * x[i]", "of forward of"},
		{"\n            STORE(select((FLOATS)s, (FLOATS)1.0f, v[k] >= 0.0f)", "\n            STORE(select((FLOATS)s, (FLOATS)1.0f, v[k] > 0.0f)", "of forward derivative of"},
		{"\n            STORE(select((FLOATS)s, (FLOATS)1.0f, v[k] >=", "\n            STORE(select((FLOATS)s, (FLOATS)1.0f, LOAD(x + begin(k)) >=", "of forward derivative of"},
		{"y[i] = v >= 0.0f ? v : s * v", "y[i] = v > 0.0f ? v : s * v", "of forward derivative of"},
		{"d[i] = v >= 0.0f ? 1.0f : s", "d[i] = x[i] >= 0.0f ? 1.0f : s", "of forward derivative of"},
		{"MASK_STORE(select(s * v[k], v[k], v[k] >= 0.0f)", "MASK_STORE(select(s * v[k], v[k], v[k] > 0.0f)", "of forward mask of"},
		{"mask_store(v[k] >= 0.0f", "mask_store(v[k] > 0.0f", "of forward mask of"},
		{"mask_store(v[k] >= 0.0f", "mask_store(!(v[k] < 0.0f)", "of forward mask of"},
		{"mask_store(v[k] >= 0.0f", "mask_store(MASK_LOAD(x + mask_begin(k)) >= 0.0f", "of forward mask of"},
		{"y[j] = v >= 0.0f ? v : s * v", "y[j] = v > 0.0f ? v : s * v", "of forward mask of"},
		{"byte |= (v >= 0.0f)", "byte |= (v > 0.0f)", "of forward mask of"},
		{"<< (j - i)", "<< (7 - j + i)", "of forward mask of"},
		{"uchar byte = 0", "uchar byte = m[i / 8]", "of forward mask of"},
		{"(1, 2, 4, 8, 16, 32, 64, 128)", "(128, 64, 32, 16, 8, 4, 2, 1)", "of forward mask of"}, // pack and unpack agree
		{"bits.lo | bits.hi", "bits.lo", "of forward mask of"},
		{"m[i / 8] = pack(holds)", "m[i / 8] |= pack(holds)", "of forward mask of"},
		{"select(s * g[k], g[k], holds[k])", "select(s * g[k], g[k], g[k] >= 0.0f)", "of backward mask of"},
		{"BITS_OF_BYTE) != 0", "BITS_OF_BYTE) == 0", "of backward mask of"},
		{"m[i / 8] >> (i % 8) & 1", "m[i / 8] & 1", "of backward mask of"},
		{"mask_begin(k) + MASK_WIDTH, n)", "mask_begin(k) + MASK_WIDTH, n - 1)", "self-test"},
		{"get_group_id(0)", "(get_group_id(0) / 2)", "self-test"},
		{"get_local_id(0)", "(get_local_id(0) / 2)", "self-test"},
		{"min(begin(k) + WIDTH, n)", "min(begin(k) + WIDTH - 1, n)", "self-test"},
		{"min(begin(k) + WIDTH, n)", "min(begin(k) + WIDTH, n - 1)", "self-test"},
		{"kernel void leaky_relu_backward", "kernel void backward", "CL_INVALID_KERNEL_NAME"},
		{"const INDEX n, const float s)", "const INDEX n, const float s, const int more)", "arguments"},
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
