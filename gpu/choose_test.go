package gpu

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/internal/values"
)

// machine is a list of devices as a well-equipped machine may show it.
var machine = []candidate{
	{info: compute.Info{Name: "opencl pthread-EPYC", Kind: "cpu", Vendor: "AuthenticAMD", Platform: "Portable Computing Language", SharedMemory: true, Memory: 64 << 30}},
	{info: compute.Info{Name: "opencl UHD Graphics", Kind: "gpu", Vendor: "Intel", Platform: "Intel OpenCL", SharedMemory: true, Memory: 32 << 30}},
	{info: compute.Info{Name: "opencl FPGA", Kind: "accelerator", Vendor: "Intel", Platform: "Intel FPGA", Memory: 99 << 30}},
	{info: compute.Info{Name: "opencl NVIDIA RTX 4090", Kind: "gpu", Vendor: "NVIDIA Corporation", Platform: "NVIDIA CUDA", Memory: 24 << 30}},
	{info: compute.Info{Name: "opencl NVIDIA H200", Kind: "gpu", Vendor: "NVIDIA Corporation", Platform: "NVIDIA CUDA", Memory: 139 << 30}},
	{info: compute.Info{Name: "opencl NVIDIA H200", Kind: "gpu", Vendor: "NVIDIA Corporation", Platform: "NVIDIA CUDA", Memory: 139 << 30}},
}

func TestPreferred(t *testing.T) {
	// GPUs with own memory by its size, then the integrated one, then the FPGA.
	if got, want := preferred(machine), []int{4, 5, 3, 1, 2}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := preferred(machine[:1]); len(got) != 0 {
		t.Errorf("of a CPU-type device alone got %v, want none", got)
	}
}

// TestSoftware: what is the CPU by another name is left to package cpu, and comes last
// where it is asked for.
func TestSoftware(t *testing.T) {
	devices := append([]candidate{{software: true, info: compute.Info{Name: "opencl llvmpipe", Kind: "gpu", SharedMemory: true, Memory: 1 << 40}}}, machine...)
	if got, want := preferred(devices), []int{5, 6, 4, 2, 3}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := matching(devices, "any"); !slices.Equal(got[:5], preferred(devices)) {
		t.Errorf("any matches %v, which does not begin with %v", got, preferred(devices))
	}
	b, err := openFirst(takePreferred(devices[:1], nil))
	if b != nil || !errors.Is(err, compute.ErrUnavailable) || !strings.Contains(err.Error(), "0 llvmpipe (simulated on the CPU)") || !strings.Contains(err.Error(), DeviceEnv+"=any") {
		t.Errorf("alone it gives %v, %v; want ErrUnavailable, with the reason and the remedy", b, err)
	}
}

// TestSameHardware: a GPU that two platforms show is opened once by OpenAll, and by the
// second one where the first fails; parts of a GPU that one platform shows are devices.
func TestSameHardware(t *testing.T) {
	first, second, part, other := openCPU(t), openCPU(t), openCPU(t), openCPU(t)
	at := func(d candidate, platform int, hardware ...string) candidate {
		d.platform, d.hardware = platform, hardware
		return d
	}
	broken := errors.New("the driver is broken")
	devices := []candidate{
		at(opening("first", "gpu", first, nil), 0, "PCI 0000:01:00.0", "UUID 12"),
		at(opening("second", "gpu", second, nil), 1, "UUID 12"),
		at(opening("part", "gpu", part, nil), 0, "PCI 0000:01:00.0"),
		at(opening("other", "gpu", other, nil), 1, "PCI 0000:02:00.0"),
		at(opening("unknown", "gpu", openCPU(t), nil), 2),
		at(opening("unknown", "gpu", openCPU(t), nil), 3),
	}
	all, err := openEach(takePreferred(devices, nil))
	if len(all) != 5 || slices.ContainsFunc(all, func(b compute.Backend) bool { return b.(*opened).Backend == second }) {
		t.Errorf("of six devices, two of which are one, %d are opened: %v", len(all), all)
	}
	if err == nil || !strings.Contains(err.Error(), "device 1 (opencl second) is device 0 (opencl first), as another platform shows it (UUID 12)") {
		t.Errorf("the error is %v", err)
	}
	devices[0].open = func() (compute.Backend, error) { return nil, broken }
	all, err = openEach(takePreferred(devices[:2], nil))
	if len(all) != 1 || all[0].(*opened).Backend != second || !errors.Is(err, broken) {
		t.Errorf("where the first does not open, %d are opened: %v", len(all), err)
	}
}

func TestMatching(t *testing.T) {
	for match, want := range map[string][]int{
		"any":        {4, 5, 3, 1, 2, 0},
		"ANY":        {4, 5, 3, 1, 2, 0},
		" any ":      {4, 5, 3, 1, 2, 0},
		" 5 ":        {5},
		"0":          {0},
		"5":          {5},
		"6":          nil, // no index, and in no name
		"-1":         nil,
		"4090":       {3}, // no index, but in a name
		"h200":       {4, 5},
		"intel":      {1, 2}, // the vendor
		"PORTABLE":   {0},    // the platform
		"opencl":     {1},    // in a platform; that all names start with it counts not
		"":           nil,
		"Voodoo":     nil,
		"nvidia rtx": {3},
	} {
		if got := matching(machine, match); !slices.Equal(got, want) {
			t.Errorf("%q matches %v, want %v", match, got, want)
		}
	}
}

// opening returns a device that opens as b, or fails with err.
func opening(name, kind string, b compute.Backend, err error) candidate {
	return candidate{
		info: compute.Info{Name: "opencl " + name, Kind: kind},
		open: func() (compute.Backend, error) { return b, err },
	}
}

func openCPU(t *testing.T) compute.Backend {
	t.Helper()
	b, err := cpu.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// changed is a backend whose results go through change, with the inputs beside.
type changed struct {
	compute.Backend
	change func(result, x float32) float32
}

func (b changed) Forward(f compute.Activation, y, x compute.Buffer) error {
	xs, ys := make([]float32, x.Len()), make([]float32, y.Len())
	if err := errors.Join(x.Read(xs), b.Backend.Forward(f, y, x), y.Read(ys)); err != nil {
		return err
	}
	for i := range ys {
		ys[i] = b.change(ys[i], xs[i])
	}
	return y.Write(ys)
}

// TestOpenSkipsBadDevices: a device that fails to open, or computes wrong, is
// passed over for the next, with the reason kept.
func TestOpenSkipsBadDevices(t *testing.T) {
	broken := errors.New("the driver is broken")
	wrong := changed{openCPU(t), func(y, x float32) float32 {
		if x == 1 {
			return 7
		}
		return y
	}}
	listed := errors.New("a platform could not be listed")
	devices := []candidate{
		opening("broken", "gpu", nil, broken),
		opening("wrong", "gpu", wrong, nil),
		opening("good", "accelerator", openCPU(t), nil),
	}
	b, err := openFirst(takePreferred(devices, listed))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	skipped := b.Info().Skipped
	for _, reason := range []string{
		"device 0 (opencl broken): the driver is broken",
		"device 1 (opencl wrong): self-test: element",
		"x = 1 (0x3f800000)", "is 7 (",
		"a platform could not be listed",
	} {
		if skipped == nil || !strings.Contains(skipped.Error(), reason) {
			t.Errorf("Skipped does not tell %q: %v", reason, skipped)
		}
	}
	if err := wrong.Sync(); !errors.Is(err, compute.ErrClosed) {
		t.Errorf("the wrong device was not closed: %v", err)
	}

	_, err = openFirst(takePreferred(devices[:2], listed))
	if !errors.Is(err, compute.ErrUnavailable) || !errors.Is(err, broken) || !errors.Is(err, listed) {
		t.Errorf("with no good device: %v; want ErrUnavailable with every reason", err)
	}
	b, err = compute.Open(func() (compute.Backend, error) { return openFirst(takePreferred(devices[:2], nil)) }, cpu.Open)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if info := b.Info(); info.Backend != "cpu" || !errors.Is(info.Skipped, broken) {
		t.Errorf("fell back to %s, Skipped %v; want the CPU with the reason", info.Name, info.Skipped)
	}
}

// TestOpenAll: every good device is opened, best first, and of the others the
// reasons are told.
func TestOpenAll(t *testing.T) {
	broken, listed := errors.New("the driver is broken"), errors.New("a platform could not be listed")
	wrong := changed{openCPU(t), func(y, _ float32) float32 { return y + 1 }}
	fpga, first, second, host := openCPU(t), openCPU(t), openCPU(t), openCPU(t)
	good := []candidate{
		opening("host", "cpu", host, nil),
		opening("fpga", "accelerator", fpga, nil),
		opening("first", "gpu", first, nil),
		opening("second", "gpu", second, nil),
	}
	bad := []candidate{
		opening("broken", "gpu", nil, broken),
		opening("wrong", "gpu", wrong, nil),
	}
	for name, test := range map[string]struct {
		all   []compute.Backend
		err   error
		open  func() ([]compute.Backend, error)
		tells []string
	}{
		"all good": {[]compute.Backend{first, second, fpga}, nil,
			func() ([]compute.Backend, error) { return openEach(takePreferred(good, nil)) }, nil},
		"any": {[]compute.Backend{first, second, fpga, host}, nil,
			func() ([]compute.Backend, error) { return openEach(takeMatching("any", good, nil)) }, nil},
		"one by index": {[]compute.Backend{second}, nil,
			func() ([]compute.Backend, error) { return openEach(takeMatching("3", good, nil)) }, nil},
		"some bad": {[]compute.Backend{first, second, fpga}, broken,
			func() ([]compute.Backend, error) { return openEach(takePreferred(slices.Concat(bad, good), listed)) },
			[]string{"device 0 (opencl broken): the driver is broken", "device 1 (opencl wrong): self-test: element", listed.Error()}},
		"all bad": {nil, compute.ErrUnavailable,
			func() ([]compute.Backend, error) { return openEach(takePreferred(bad[:1], listed)) },
			[]string{"device 0 (opencl broken): the driver is broken", listed.Error()}},
		"none listed": {nil, compute.ErrUnavailable,
			func() ([]compute.Backend, error) { return openEach(takePreferred(nil, nil)) }, []string{"show no device"}},
		"no match": {nil, compute.ErrUnavailable,
			func() ([]compute.Backend, error) { return openEach(takeMatching("Voodoo", good, nil)) }, []string{"Voodoo"}},
	} {
		all, err := test.open()
		if !errors.Is(err, test.err) {
			t.Errorf("%s: the error is %v, want one that wraps %v", name, err, test.err)
		}
		for _, tell := range test.tells {
			if !strings.Contains(fmt.Sprint(err), tell) {
				t.Errorf("%s: %v does not tell %q", name, err, tell)
			}
		}
		if !slices.EqualFunc(all, test.all, func(got, want compute.Backend) bool { return got.(*opened).Backend == want }) {
			t.Errorf("%s: opened %v, want %v", name, all, test.all)
		}
		for _, b := range all {
			if skipped := b.Info().Skipped; skipped != nil {
				t.Errorf("%s: Skipped is %v, and is told by the error", name, skipped)
			}
		}
	}
	if err := wrong.Sync(); !errors.Is(err, compute.ErrClosed) {
		t.Errorf("the wrong device was not closed: %v", err)
	}
}

// TestFlushingDevice: a device that replaces subnormals by zero, and does nothing
// else wrong, is used and says so.
func TestFlushingDevice(t *testing.T) {
	flushing := changed{openCPU(t), func(y, _ float32) float32 {
		if values.IsSubnormal(y) {
			return 0
		}
		return y
	}}
	b, err := openFirst(takePreferred([]candidate{opening("flushing", "gpu", flushing, nil)}, nil))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if !b.Info().FlushesSubnormals {
		t.Error("Info does not say that subnormals are flushed")
	}

	exact, err := openFirst(takePreferred([]candidate{opening("exact", "gpu", openCPU(t), nil)}, nil))
	if err != nil {
		t.Fatal(err)
	}
	defer exact.Close()
	if info := exact.Info(); info.FlushesSubnormals || info.Skipped != nil {
		t.Errorf("of an exact first device Info says FlushesSubnormals %v, Skipped %v", info.FlushesSubnormals, info.Skipped)
	}
}

// TestNothingToOpen: every reason for having no device is told, with the remedy.
func TestNothingToOpen(t *testing.T) {
	listed := errors.New("a platform could not be listed")
	for name, test := range map[string]struct {
		open  func() (compute.Backend, error)
		tells []string
	}{
		"no device": {
			func() (compute.Backend, error) { return openFirst(takePreferred(nil, nil)) },
			[]string{"show no device"}},
		"nothing could be listed": {
			func() (compute.Backend, error) { return openFirst(takePreferred(nil, listed)) },
			[]string{listed.Error()}},
		"a CPU-type device": {
			func() (compute.Backend, error) { return openFirst(takePreferred(machine[:1], listed)) },
			[]string{"0 pthread-EPYC", "COMPUTE_OPENCL_DEVICE=any", listed.Error()}},
		"no match": {
			func() (compute.Backend, error) { return openFirst(takeMatching("Voodoo", machine, listed)) },
			[]string{`"Voodoo"`, "0 pthread-EPYC", "5 NVIDIA H200", listed.Error()}},
		"an empty match": {
			func() (compute.Backend, error) { return openFirst(takeMatching("", machine, nil)) },
			[]string{`matches ""`}},
		"a match without devices": {
			func() (compute.Backend, error) { return openFirst(takeMatching("any", nil, nil)) },
			[]string{"show no device"}},
	} {
		b, err := test.open()
		if b != nil || !errors.Is(err, compute.ErrUnavailable) {
			t.Errorf("%s: got %v, %v; want ErrUnavailable", name, b, err)
			continue
		}
		for _, tell := range test.tells {
			if !strings.Contains(err.Error(), tell) {
				t.Errorf("%s: %v does not tell %q", name, err, tell)
			}
		}
	}
}

func TestTurnedOff(t *testing.T) {
	t.Setenv(DeviceEnv, " None")
	_, err := Open()
	all, allErr := OpenAll()
	for _, err := range []error{err, allErr} {
		if !errors.Is(err, compute.ErrUnavailable) || !strings.Contains(err.Error(), "turned off by "+DeviceEnv) {
			t.Errorf("got %v, want ErrUnavailable that names %s", err, DeviceEnv)
		}
	}
	if len(all) != 0 {
		t.Errorf("OpenAll opened %d devices", len(all))
	}
}
