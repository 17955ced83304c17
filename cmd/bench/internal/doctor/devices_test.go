package doctor

import (
	"bytes"
	"errors"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cmd/bench/internal/command"
	"github.com/gmind-go/compute/gpu"
)

// TestDevices: every device is listed, or the reason why there is none.
func TestDevices(t *testing.T) {
	infos, listErr := gpu.Devices()
	var out, errs bytes.Buffer
	code := Devices(nil, &out, &errs)
	stdout, stderr := out.String(), errs.String()
	built := "with OpenCL, by go"
	if !gpu.Built {
		built = "without OpenCL (to rebuild it with: -tags opencl"
	}
	for _, text := range []string{"program\n  built      " + built, runtime.GOOS + "/" + runtime.GOARCH, "\n  cpu  ", "\n  loader  "} {
		if !strings.Contains(stdout, text) {
			t.Errorf("%q is not printed: %s", text, stdout)
		}
	}
	if list, where := drivers(); where != "" && len(list) == 0 && !strings.Contains(stdout, "none in "+where) {
		t.Errorf("that there is no driver is not printed: %s", stdout)
	} else if len(list) > 0 && !strings.Contains(stdout, list[0].String()) {
		t.Errorf("the driver of %s is not printed: %s", list[0].file, stdout)
	}
	if len(infos) == 0 {
		if want := "no OpenCL device: " + command.OneLine(listErr) + "\n"; code != 0 || !strings.HasSuffix(stdout, want) || stderr != "" {
			t.Errorf("exit %d, %s%s; want %q", code, stdout, stderr, want)
		}
		return
	}
	for _, info := range infos {
		for _, text := range []string{info.Name[len("opencl "):], info.Kind, info.Vendor, info.Platform, info.Driver} {
			if !strings.Contains(stdout, " "+text) {
				t.Errorf("%q is not printed: %s", text, stdout)
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

// TestVerdict: what is printed about a device, and whether it is usable.
func TestVerdict(t *testing.T) {
	flushing := []compute.Info{{FlushesSubnormals: true}}
	for _, test := range []struct {
		opened Reply
		err    error
		usable bool
		want   string
	}{
		{Reply{Devices: []compute.Info{{}}}, nil, true, "  self-test  usable\n"},
		{Reply{Devices: flushing}, nil, true, "  self-test  usable, but it replaces subnormal numbers by zero\n"},
		{Reply{Devices: flushing, Problem: "not; closed"}, nil, false, "  self-test  NOT USABLE: not; closed\n" +
			"  remedy     update its driver; compute.Open goes on without it by itself, and COMPUTE_OPENCL_DEVICE can name another\n"},
		{Reply{}, errors.New("no memory"), false, "  self-test  not made: no memory\n"},
		{Reply{}, newFault("hangs", []string{"1", "2", "3", "4", "5", "6"}), false,
			"  self-test  NOT USABLE: its driver hangs\n    it last said:\n      2\n      3\n      4\n      5\n      6\n" +
				"  remedy     repair or remove its driver; until then COMPUTE_OPENCL_DEVICE can name another device, or none\n"},
	} {
		var w bytes.Buffer
		if usable := printVerdict(&w, test.opened, test.err); usable != test.usable || w.String() != test.want {
			t.Errorf("%+v, %v: %v, %q; want %v, %q", test.opened, test.err, usable, w.String(), test.usable, test.want)
		}
	}
}
