//go:build opencl && cgo

package gpu

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/values"
)

// helperEnv makes this test binary print the name of every device ("list"), or what
// compute.Open gives ("open"), or what OpenAll does ("all"), or open every device by its
// index and use them ("each"), and exit: an OpenCL loader reads the environment once in a
// process.
const helperEnv = "COMPUTE_TEST_HELPER"

func TestMain(m *testing.M) {
	switch os.Getenv(helperEnv) {
	case "":
		testenv.Main(m)
	case "list":
		infos, err := Devices()
		if err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		for _, info := range infos {
			fmt.Println(deviceName(info))
		}
	case "open":
		b, err := compute.Open(Open, cpu.Open)
		if err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		info := b.Info()
		fmt.Printf("%s\n%v\n", info.Backend, info.Skipped)
	case "all":
		all, err := OpenAll()
		fmt.Printf("%d\n%v\n", len(all), err)
	case "each":
		if err := useEach(); err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
	}
}

// useEach opens every device and computes on all of them at once.
func useEach() error {
	infos, err := Devices()
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	errs := make([]error, len(infos))
	for i := range infos {
		b, err := OpenDevice(fmt.Sprint(i))()
		if err != nil {
			return err
		}
		defer b.Close()
		fmt.Println(i, b.Info().Name)
		wg.Go(func() { errs[i] = exercise(b) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// exercise computes on b from several goroutines.
func exercise(b compute.Backend) error {
	const n = 100_000
	f := compute.LeakyReLU(-0.5)
	errs := make([]error, 8)
	var wg sync.WaitGroup
	for g := range errs {
		wg.Go(func() {
			xs := values.Bits(n, uint64(g))
			streamed, read := make([]float32, n), make([]float32, n)
			for range 20 {
				x, err := b.Upload(xs)
				if err != nil {
					errs[g] = err
					return
				}
				errs[g] = errors.Join(
					b.Forward(f, x, x),
					b.Stream(context.Background(), compute.OpForward, f, streamed, xs),
					x.Read(read),
					x.Release())
				for i := range xs {
					if want := f.Value(xs[i]); !values.Same(read[i], want) || !values.Same(streamed[i], want) {
						errs[g] = fmt.Errorf("element %d is %x, streamed %x, and should be %x", i, read[i], streamed[i], want)
					}
				}
				if errs[g] != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// helper runs this test binary in the given mode, with PoCL as the only driver and no
// layer, whatever else the machine has, and the environment variables of env.
func helper(t *testing.T, mode string, env ...string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), helperEnv+"="+mode, "OCL_ICD_VENDORS="+onlyPoCL(t), "OPENCL_LAYERS=")
	cmd.Env = append(cmd.Env, env...) // the last of a name counts
	var out, notes bytes.Buffer       // compilers print notes when a kernel is built
	cmd.Stdout, cmd.Stderr = &out, &notes
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s%s", err, &out, &notes)
	}
	return out.String()
}

// onlyPoCL returns a directory that names PoCL as the only driver.
func onlyPoCL(t *testing.T) string {
	t.Helper()
	drivers, _ := filepath.Glob("/etc/OpenCL/vendors/*pocl*.icd")
	if len(drivers) == 0 {
		testenv.Lacking(t, "PoCL")
	}
	vendors := t.TempDir()
	if err := os.Symlink(drivers[0], filepath.Join(vendors, "pocl.icd")); err != nil {
		t.Fatal(err)
	}
	return vendors
}

// listed returns the names of the devices that helper shows with the same environment:
// what PoCL calls them depends on its version.
func listed(t *testing.T, env ...string) []string {
	t.Helper()
	names := strings.Split(strings.TrimSpace(helper(t, "list", env...)), "\n")
	if names[0] == "" {
		t.Fatal("no device is listed")
	}
	return names
}

// TestFallback opens in processes whose OpenCL lacks something.
func TestFallback(t *testing.T) {
	name := listed(t, "POCL_DEVICES=pthread")[0]
	for name, test := range map[string]struct {
		env   string
		opens string
		tells string
	}{
		"no driver":              {"OCL_ICD_VENDORS=/nonexistent", "cpu", "no OpenCL driver is installed, or none that finds a device (clGetPlatformIDs: CL_PLATFORM_NOT_FOUND_KHR (-1001))"},
		"no device":              {"POCL_DEVICES=none", "cpu", "show no device"},
		"only a CPU-type device": {"POCL_DEVICES=pthread", "cpu", "no OpenCL device is a GPU or an accelerator (there are: 0 " + name},
		"no device of that name": {DeviceEnv + "=Voodoo", "cpu", `no OpenCL device matches "Voodoo"`},
		"turned off":             {DeviceEnv + "=none", "cpu", "turned off by COMPUTE_OPENCL_DEVICE=none"},
		"named":                  {DeviceEnv + "=any", "opencl", "<nil>"},
	} {
		t.Run(name, func(t *testing.T) {
			opens, tells, _ := strings.Cut(helper(t, "open", test.env), "\n")
			if opens != test.opens || !strings.Contains(tells, test.tells) {
				t.Errorf("with %s opens %s, because %s; want %s, because %s", test.env, opens, tells, test.opens, test.tells)
			}
		})
	}
}

// TestTwoDevices opens both of two devices by their indices, and uses both at once.
func TestTwoDevices(t *testing.T) {
	out := helper(t, "each", "POCL_DEVICES=pthread pthread")
	if lines := strings.Count(out, "\n"); lines != 2 || !strings.HasPrefix(out, "0 ") || !strings.Contains(out, "\n1 ") {
		t.Errorf("want devices 0 and 1, got:\n%s", out)
	}
}

// TestOpenAllDevices opens all of two devices, or what the environment leaves of them.
func TestOpenAllDevices(t *testing.T) {
	name := listed(t, "POCL_DEVICES=pthread pthread")[0] // that of both
	for match, want := range map[string][2]string{
		"any":    {"2", "<nil>"},
		name:     {"2", "<nil>"},
		"1":      {"1", "<nil>"},
		"none":   {"0", "turned off by COMPUTE_OPENCL_DEVICE=none"},
		"Voodoo": {"0", `no OpenCL device matches "Voodoo"`},
		"":       {"0", "no OpenCL device is a GPU or an accelerator (there are: 0 " + name},
	} {
		opens, tells, _ := strings.Cut(helper(t, "all", "POCL_DEVICES=pthread pthread", DeviceEnv+"="+match), "\n")
		if opens != want[0] || !strings.Contains(tells, want[1]) {
			t.Errorf("with %s=%s opens %s devices, error %s; want %s, and %s", DeviceEnv, match, opens, tells, want[0], want[1])
		}
	}
}

// TestDevices: a device opens as what it is listed as.
func TestDevices(t *testing.T) {
	testenv.Open(t, OpenDevice("any"))
	infos, err := Devices()
	if err != nil {
		t.Fatal(err)
	}
	for i, info := range infos {
		b, err := OpenDevice(fmt.Sprint(i))()
		if err != nil {
			t.Fatal(err)
		}
		if got := b.Info(); got.Name != info.Name || got.Memory != info.Memory || got.Platform == "" || got.Driver == "" || got.MaxAlloc == 0 {
			t.Errorf("device %d is listed as %+v and opens as %+v", i, info, got)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
}
