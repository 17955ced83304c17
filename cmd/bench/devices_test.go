package main

import (
	"bytes"
	"cmp"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/gpu"
)

// TestDevices: all that is there is listed, or the reason why there is none.
func TestDevices(t *testing.T) {
	infos, listErr := gpu.Devices()
	stdout, stderr, code := bench(t, "devices")
	built := "with OpenCL, by go"
	if !gpu.Built {
		built = "without OpenCL (to rebuild it with: -tags opencl"
	}
	for _, text := range []string{"program\n  built      " + built, runtime.GOOS + "/" + runtime.GOARCH, "\n  cpu  ", "\n  loader  "} {
		if !strings.Contains(stdout, text) {
			t.Errorf("%q is not told: %s", text, stdout)
		}
	}
	if list, where := drivers(); where != "" && len(list) == 0 && !strings.Contains(stdout, "none in "+where) {
		t.Errorf("that there is no driver is not told: %s", stdout)
	} else if len(list) > 0 && !strings.Contains(stdout, list[0].file+" ("+list[0].library()+")") {
		t.Errorf("the driver of %s is not told: %s", list[0].file, stdout)
	}
	if len(infos) == 0 {
		if want := "no OpenCL device: " + oneLine(listErr) + "\n"; code != 0 || !strings.HasSuffix(stdout, want) || stderr != "" {
			t.Errorf("exit %d, %s%s; want %q", code, stdout, stderr, want)
		}
		return
	}
	for _, info := range infos {
		for _, text := range []string{info.Name[len("opencl "):], info.Kind, info.Vendor, info.Platform, info.Driver} {
			if !strings.Contains(stdout, " "+text) {
				t.Errorf("%q is not told: %s", text, stdout)
			}
		}
	}
	usable := 0
	for i := range infos {
		if b, err := gpu.OpenDevice(strconv.Itoa(i))(); err == nil {
			usable++
			b.Close()
		}
	}
	if (code == 0) != (usable == len(infos)) || strings.Count(stdout, "\n  self-test  usable") != usable {
		t.Errorf("exit %d, %s%s; want %d usable devices", code, stdout, stderr, usable)
	}
}

// TestVerdict: what is said of a device, and whether it counts as usable.
func TestVerdict(t *testing.T) {
	flushing := []compute.Info{{FlushesSubnormals: true}}
	for _, test := range []struct {
		opened answer
		err    error
		usable bool
		want   string
	}{
		{answer{Devices: []compute.Info{{}}}, nil, true, "  self-test  usable\n"},
		{answer{Devices: flushing}, nil, true, "  self-test  usable, but it replaces subnormal numbers by zero\n"},
		{answer{Devices: flushing, Problem: "not\nclosed"}, nil, false, "  self-test  NOT USABLE: not; closed\n" +
			"  remedy     update its driver; compute.Open goes on without it by itself, and COMPUTE_OPENCL_DEVICE can name another\n"},
		{answer{}, errors.New("no memory"), false, "  self-test  not made: no memory\n"},
		{answer{}, newFault("hangs", []string{"1", "2", "3", "4", "5", "6"}), false,
			"  self-test  NOT USABLE: its driver hangs\n    it last said:\n      2\n      3\n      4\n      5\n      6\n" +
				"  remedy     repair or remove its driver; until then COMPUTE_OPENCL_DEVICE can name another device, or none\n"},
	} {
		var w bytes.Buffer
		if usable := printVerdict(&w, test.opened, test.err); usable != test.usable || w.String() != test.want {
			t.Errorf("%+v, %v: %v, %q; want %v, %q", test.opened, test.err, usable, w.String(), test.usable, test.want)
		}
	}
}

// TestDrivers: the drivers are those that the loaders find.
func TestDrivers(t *testing.T) {
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		if list, where := drivers(); list != nil || where != "" {
			t.Errorf("%v, %q; want none", list, where)
		}
		return
	}
	t.Chdir(t.TempDir())
	dir, other := t.TempDir(), t.TempDir()
	a, b := filepath.Join(dir, "a.icd"), filepath.Join(other, "b.icd")
	for name, content := range map[string]string{a: "liba.so\n", b: " libb.so ", "here.icd": "libhere.so\n", filepath.Join(dir, "a.txt"): "x"} {
		if err := os.WriteFile(name, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	missing := filepath.Join(dir, "missing")
	for _, test := range []struct{ vendors, path, filenames, want string }{
		{dir, "", "", a + " liba.so"},
		{"", dir, "", a + " liba.so"},
		{other, dir, "", b + " libb.so"},
		{b, dir, "", b + " libb.so"},
		{"a.icd", dir, "", a + " liba.so"},
		{"here.icd", dir, "", "here.icd libhere.so"},
		{"libc.so", dir, "", "OCL_ICD_VENDORS libc.so"},
		{dir, other, "/x/libd.so:libe.so", "OCL_ICD_FILENAMES /x/libd.so, OCL_ICD_FILENAMES libe.so, " + a + " liba.so"},
		{"", missing, "", ""},
		{missing + ".icd", "", "", ""},
	} {
		t.Setenv(vendorsEnv, test.vendors)
		t.Setenv(vendorPathEnv, test.path)
		t.Setenv(filenamesEnv, test.filenames)
		list, where := drivers()
		var got []string
		for _, d := range list {
			got = append(got, d.file+" "+d.library())
		}
		if strings.Join(got, ", ") != test.want || where != cmp.Or(test.vendors, test.path) {
			t.Errorf("%+v: got %q of %s", test, got, where)
		}
	}
}

// TestTail: the end of what a driver says is kept, however much it is, as lines
// that can be shown.
func TestTail(t *testing.T) {
	var said tail
	for range 10 * tailSize {
		said.Write([]byte("noise "))
	}
	if len(said.text) > 2*tailSize {
		t.Errorf("%d bytes are kept", len(said.text))
	}
	said.Write([]byte("\n\n \x1b[31mone\xff\r\n\ttwo"))
	lines := said.lines()
	if want := []string{"[31mone?", "two"}; !reflect.DeepEqual(lines[1:], want) {
		t.Errorf("got %q, want %q", lines[1:], want)
	}
}

// TestCrashReports: of what Go's runtime says of a crash the signal is taken, and the
// rest is not the driver's.
func TestCrashReports(t *testing.T) {
	cmd := exec.Command(os.Args[0], "-nonsense")
	_ = cmd.Run() // exits with 2, as Go's runtime does
	for _, test := range []struct {
		lines []string
		what  string
		said  []string
	}{
		{[]string{"a", "SIGABRT: abort", "PC=0x1 m=0 sigcode=1", "signal arrived during cgo execution"}, "crashed (SIGABRT: abort)", []string{"a"}},
		{[]string{"a", "SIGSEGV: segmentation violation", "PC=0x1"}, "crashed (SIGSEGV: segmentation violation)", []string{"a"}},
		{[]string{"fatal error: unexpected signal during runtime execution", "[signal SIGBUS: bus error code=0x1 addr=0x2 pc=0x3]"}, "crashed (SIGBUS: bus error)", nil},
		{[]string{"Exception 0xc0000005 0x0 0x0 0x1", "PC=0x1"}, "crashed (Exception 0xc0000005)", nil},
	} {
		f := crash(cmd.ProcessState, test.lines)
		if f.what != test.what || strings.Join(f.said, ",") != strings.Join(test.said, ",") {
			t.Errorf("%q: got %+v", test.lines, f)
		}
	}
	f := crash(cmd.ProcessState, []string{"a", "b"})
	if want := `a driver ended the program (exit status 2); it last said "b"`; f.Error() != want || len(f.said) != 2 {
		t.Errorf("an exit: got %v, %q; want %s", f, f.said, want)
	}
}
