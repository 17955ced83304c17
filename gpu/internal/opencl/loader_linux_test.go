//go:build opencl && cgo

package opencl

import (
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/testenv"
)

// TestNotLinked: this program starts where there is no OpenCL loader, and gives its own
// functions of OpenCL to no library that it loads.
func TestNotLinked(t *testing.T) {
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	libraries, err := file.ImportedLibraries()
	if err != nil {
		t.Fatal(err)
	}
	for _, library := range libraries {
		if strings.Contains(library, "OpenCL") {
			t.Errorf("the program needs %s", library)
		}
	}
	symbols, err := file.DynamicSymbols()
	if err != nil {
		t.Fatal(err)
	}
	for _, symbol := range symbols {
		if strings.HasPrefix(symbol.Name, "cl") && symbol.Section != elf.SHN_UNDEF && strings.HasPrefix(symbol.Name[2:], "Get") {
			t.Errorf("the program exports %s", symbol.Name)
		}
	}
}

// listEnv makes TestNoLoader list the devices in a process of its own, since a process
// loads the loader once.
const listEnv = "COMPUTE_TEST_LIST"

// TestNoLoader lists devices with a loader that cannot be loaded, and with a library that
// is none.
func TestNoLoader(t *testing.T) {
	if os.Getenv(listEnv) != "" {
		devices, err := Devices()
		fmt.Printf("%d devices, unavailable %v, no driver %v: %v\n", len(devices), errors.Is(err, compute.ErrUnavailable), IsNoDriver(err), err)
		return
	}
	other := filepath.Join(t.TempDir(), "other.so")
	if out, err := exec.Command("cc", "-shared", "-o", other, "-x", "c", "/dev/null").CombinedOutput(); err != nil {
		testenv.Lacking(t, "cc, to build a library: %v: %s", err, out)
	}
	library, err := os.ReadFile(other)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		library []byte
		want    string
	}{
		"broken":       {nil, "0 devices, unavailable true, no driver false: the OpenCL loader cannot be loaded (DIR/libOpenCL.so.1: "},
		"no functions": {library, "0 devices, unavailable true, no driver false: the OpenCL loader cannot be loaded (it has no function clGetPlatformIDs)"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for _, file := range []string{"libOpenCL.so.1", "libOpenCL.so"} {
				if err := os.WriteFile(filepath.Join(dir, file), test.library, 0o777); err != nil {
					t.Fatal(err)
				}
			}
			cmd := exec.Command(os.Args[0], "-test.run=^TestNoLoader$")
			cmd.Env = append(os.Environ(), listEnv+"=1", "LD_LIBRARY_PATH="+dir)
			out, err := cmd.CombinedOutput()
			want := strings.Replace(test.want, "DIR", dir, 1)
			if err != nil || !strings.HasPrefix(string(out), want) {
				t.Errorf("%v, %s; want %s", err, out, want)
			}
		})
	}
}
