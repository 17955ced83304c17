//go:build opencl && cgo && linux

package gpu

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/linear"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/values"
)

const (
	// answersEnv says how devices answer queries under testdata/intercept_devices.c.
	answersEnv = "COMPUTE_DEVICE_ANSWERS"
	// otherDeviceEnv names the device of otherDevices that a process of
	// TestOtherDevices tests.
	otherDeviceEnv = "COMPUTE_TEST_OTHER_DEVICE"
)

// otherDevices are devices that answer queries unlike PoCL, and what is tested of them.
// The layer refuses work-groups and buffers that are larger than the answers.
var otherDevices = map[string]struct {
	answers string
	test    func(t *testing.T, b compute.Backend)
}{
	"a GPU with memory of its own": {
		"type=gpu,unified=0,memory=8589934592,cache=0,group=64,fp64=0,denorm=0,name=Other,vendor=Nobody",
		func(t *testing.T, b compute.Backend) {
			info := b.Info()
			if info.Kind != "gpu" || info.Name != "opencl Other" || info.Vendor != "Nobody" || info.Memory != 8<<30 || info.SharedMemory {
				t.Errorf("opened %+v", info)
			}
			compute.Trim(b)
			d := inside(b)
			roundTrip(t, b, 3*d.transferPart()+7)
			if d.pipelineBytes.Load() == 0 {
				t.Error("a large transfer was not staged")
			}
			silu(t, b)
		},
	},
	"a GPU that shares memory": {
		"type=gpu,unified=1,cache=536870912,group=8192,kernel=8,name=Other",
		func(t *testing.T, b compute.Backend) {
			if info := b.Info(); info.Kind != "gpu" || !info.SharedMemory {
				t.Errorf("opened %+v", info)
			}
			roundTrip(t, b, 1<<20)
			silu(t, b)
			sums(t, b, 1)
		},
	},
	"an accelerator": {
		"type=accelerator,unified=0,kernel=32,name=Other",
		func(t *testing.T, b compute.Backend) {
			if kind := b.Info().Kind; kind != "accelerator" {
				t.Errorf("opened a device of kind %s", kind)
			}
			roundTrip(t, b, 100_000)
			m := groupTiles[0].rows() * inside(b).found.Units                            // all tiles keep the device busy
			if err := multiplyViews(b, linear.Product{M: m, K: 30, N: 10}); err != nil { // with the first whose group is not too large
				t.Error(err)
			}
			for v := range inside(b).multiplier.codes {
				if v.tile != groupTiles[len(groupTiles)-1] {
					t.Errorf("groups of %d items are used", v.tile.group())
				}
			}
			sums(t, b, 16)
		},
	},
	"small buffers": {
		"type=gpu,alloc=134217728,group=1,name=Other",
		func(t *testing.T, b compute.Backend) {
			const most = 128 << 20 / 4
			if got := b.Info().MaxAlloc; got != 4*most {
				t.Errorf("MaxAlloc is %d", got)
			}
			_, err := b.Alloc(most + 1)
			if !errors.Is(err, compute.ErrOutOfMemory) || !strings.Contains(fmt.Sprint(err), "134217732 bytes") || !strings.Contains(err.Error(), "134217728 bytes") {
				t.Errorf("a buffer that is too large: %v; want ErrOutOfMemory with both sizes", err)
			}
			x, err := b.Alloc(most)
			if err != nil {
				t.Fatal(err)
			}
			if err := x.Release(); err != nil {
				t.Error(err)
			}
			stream(t, b, most+1)
			sums(t, b, 1)
		},
	},
}

// TestOtherDevices opens devices unlike the one at hand, which a layer makes of it, each
// in a process of its own.
func TestOtherDevices(t *testing.T) {
	layer := testenv.BuildLayer(t, "testdata/intercept_devices.c")
	for name, device := range otherDevices {
		t.Run(name, func(t *testing.T) {
			cmd := testCommand(t, "TestOtherDevicesRuns", layer, answersEnv+"="+device.answers, otherDeviceEnv+"="+name, "TMPDIR="+t.TempDir())
			out, err := cmd.CombinedOutput()
			switch {
			case err != nil:
				t.Errorf("%v\n%s", err, out)
			case !strings.Contains(string(out), "--- PASS: TestOtherDevicesRuns"):
				t.Logf("%s", out)
				testenv.Lacking(t, "a loader that knows layers")
			}
		})
	}
}

// TestOtherDevicesRuns is what TestOtherDevices runs.
func TestOtherDevicesRuns(t *testing.T) {
	name := os.Getenv(otherDeviceEnv)
	if name == "" {
		t.Skip("another test runs this, in a process of its own")
	}
	infos, err := Devices()
	if err != nil {
		t.Fatal(err)
	}
	if infos[0].Name != "opencl Other" {
		t.Skip("the loader does not use the layer")
	}
	otherDevices[name].test(t, testenv.Open(t, Open))
}

// roundTrip computes on n elements in a buffer.
func roundTrip(t *testing.T, b compute.Backend, n int) {
	t.Helper()
	f, xs, got := compute.LeakyReLU(-0.5), values.Bits(n, 1), make([]float32, n)
	x, err := b.Upload(xs)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(b.Forward(f, x, x), x.Read(got), x.Release()); err != nil {
		t.Fatal(err)
	}
	for i, x := range xs {
		if want := f.Value(x); !values.Same(got[i], want) {
			t.Fatalf("element %d of %d is %x and should be %x", i, n, got[i], want)
		}
	}
}

// silu computes functions, which need double or do without.
func silu(t *testing.T, b compute.Backend) {
	t.Helper()
	p := expr.MustParse("f(x) = silu(x) - exp(x)")
	x := functionInputs(1000)
	y := make(compute.Slice, len(x))
	if err := b.RunSlices(t.Context(), p, y, compute.Slice(x)); err != nil {
		t.Fatal(err)
	}
	for i, x := range x {
		want, err := p.Eval(x)
		if err != nil {
			t.Fatal(err)
		}
		if z := want[0].(float32); !values.Same(y[i], z) && !values.IsSubnormal(z) && !values.IsSubnormal(x) {
			t.Fatalf("of %s: %s, want %s", values.Show(x), values.Show(y[i]), values.Show(z))
		}
	}
}

// sums adds up rows and columns, with so many work-items for a chunk.
func sums(t *testing.T, b compute.Backend, items int) {
	t.Helper()
	const rows, columns = 70, 100
	xs := values.Normal(rows*columns, 1)
	x, err := b.Upload(xs)
	if err != nil {
		t.Fatal(err)
	}
	for _, along := range []compute.Axis{compute.Rows(columns), compute.Cols(columns)} {
		n := rows
		at := func(i, k int) float32 { return xs[i*columns+k] }
		length := columns
		if along.Kind == compute.AxisCols {
			n, length = columns, rows
			at = func(i, k int) float32 { return xs[k*columns+i] }
		}
		out, err := b.Alloc(n)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]float32, n)
		if err := errors.Join(b.Reduce(out, compute.Sum, along, nil, x), out.Read(got), out.Release()); err != nil {
			t.Fatal(err)
		}
		for i := range got {
			if want := linear.Sum(length, func(k int) float32 { return at(i, k) }); got[i] != want {
				t.Fatalf("the sum %d along %v is %v, want %v", i, along, got[i], want)
			}
		}
	}
	for _, c := range inside(b).codes.recent {
		if c.name == "reduce" && c.items != items {
			t.Errorf("%d work-items have a chunk, want %d", c.items, items)
		}
	}
	if err := x.Release(); err != nil {
		t.Error(err)
	}
}

// stream computes on n elements in a slice.
func stream(t *testing.T, b compute.Backend, n int) {
	t.Helper()
	f, xs, got := compute.LeakyReLU(-0.5), values.Normal(n, 1), make([]float32, n)
	if err := b.Stream(t.Context(), compute.OpForward, f, got, xs); err != nil {
		t.Fatal(err)
	}
	for i, x := range xs {
		if want := f.Value(x); got[i] != want {
			t.Fatalf("element %d of %d is %v and should be %v", i, n, got[i], want)
		}
	}
}
