package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cmd/bench/internal/command"
	"github.com/gmind-go/compute/cmd/bench/internal/doctor"
	"github.com/gmind-go/compute/cmd/bench/internal/report"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/gpu"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/units"
)

// decode reads what -json wrote.
func decode(t *testing.T, text string) report.Report {
	t.Helper()
	var r report.Report
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return r
}

// TestMeasures: the measurements and their order, and that the figures are consistent.
func TestMeasures(t *testing.T) {
	// 8Ki elements fit in the last-level cache of any machine, and are enough to rotate.
	for _, test := range []struct {
		args []string
		want string // operation, elements, data and cache of all results
	}{
		{[]string{"-backend", "cpu", "-n", "4Ki,1000,4096", "-cache", "warm"},
			"copy 1000 warm, forward 1000 warm, derivative 1000 warm, backward 1000 warm, copy 4Ki warm, forward 4Ki warm, derivative 4Ki warm, backward 4Ki warm"},
		{[]string{"-backend", "cpu", "-n", "8Ki", "-op", "backward", "-cache", "both"},
			"copy 8Ki cold, backward 8Ki cold, copy 8Ki warm, backward 8Ki warm"},
		{[]string{"-backend", "cpu", "-n", "8Ki", "-op", "derivative"}, "copy 8Ki cold, derivative 8Ki cold"},
		{[]string{"-backend", "cpu", "-n", "8Ki", "-op", "forward", "-input", "subnormal", "-slope", "0.5"}, "copy 8Ki cold, forward 8Ki cold"},
		{[]string{"-backend", "cpu", "-n", "8Ki", "-f", "Sigmoid,ELU(1.5)", "-op", "forward,backward", "-cache", "warm"},
			"copy 8Ki warm, sigmoid forward 8Ki warm, sigmoid backward 8Ki warm, elu(1.5) forward 8Ki warm, elu(1.5) backward 8Ki warm"},
		{[]string{"-backend", "cpu", "-n", "8Ki", "-f", "tanh", "-op", "derivative", "-cache", "warm", "-program", "f(x) = x"},
			"copy 8Ki warm, tanh derivative 8Ki warm, f 8Ki warm"},
		{[]string{"-device", "any", "-n", "8Ki", "-op", "backward,forward", "-cache", "warm"},
			"copy 8Ki warm, forward 8Ki warm, backward 8Ki warm, " +
				"copy 8Ki warm, upload 8Ki host warm, download 8Ki host warm, transfer 8Ki host warm, " +
				"forward 8Ki warm, forward 8Ki host warm, backward 8Ki warm, backward 8Ki host warm"},
		{[]string{"-backend", "opencl", "-device", "0", "-n", "8Ki", "-op", "derivative", "-cache", "warm"},
			"copy 8Ki warm, copy 8Ki warm, upload 8Ki host warm, download 8Ki host warm, transfer 8Ki host warm, derivative 8Ki warm, derivative 8Ki host warm"},
	} {
		if strings.Contains(strings.Join(test.args, " "), "-device") {
			needOpenCL(t)
		}
		stdout, stderr, code := bench(t, append(test.args, "-runs", "3", "-json", "-")...)
		if code != 0 {
			t.Fatalf("bench %q: exit %d: %s", test.args, code, stderr)
		}
		r := decode(t, stdout)
		var got []string
		for _, res := range r.Results {
			text := res.Op + " " + units.Count(res.N)
			if res.Data == report.OnHost {
				text += " host"
			}
			got = append(got, text+" "+res.Cache)
			if res.Runs() != 3 || !res.Verified || res.MinNS <= 0 || res.MedianNS < res.MinNS || res.P95NS < res.MedianNS || res.Calls < 1 || math.Abs(res.GBps*res.MedianNS-float64(res.Bytes)) > 1 {
				t.Errorf("bench %q: it is inconsistent: %+v", test.args, res)
			}
			if opencl := strings.HasPrefix(res.Device, "opencl"); (res.EventNS > 0) != (opencl && res.Data == report.OnDevice && hasClock(t)) {
				t.Errorf("bench %q: events take %v: %+v", test.args, res.EventNS, res)
			}
			if (res.OfLimit > 0) != (res.Limit != "") {
				t.Errorf("bench %q: a fraction of %q is %v", test.args, res.Limit, res.OfLimit)
			}
		}
		if strings.Join(got, ", ") != test.want {
			t.Errorf("bench %q measured\n%s, want\n%s", test.args, strings.Join(got, ", "), test.want)
		}
		if r.Schema != report.Version || r.Command[0] != "bench" || r.Environment.Cores != runtime.GOMAXPROCS(0) || r.Interrupted || time.Since(r.Time) > time.Hour || !strings.HasPrefix(r.Devices[0].Name, "cpu ") || r.Devices[0].LaunchNS <= 0 {
			t.Errorf("bench %q: the report is wrong: %+v", test.args, r)
		}
		if !strings.Contains(stderr, "GB/s") {
			t.Errorf("bench %q: with -json - the table should be on standard error: %s", test.args, stderr)
		}
	}
}

// hasClock reports whether the first OpenCL device measures the time of its kernels.
func hasClock(t *testing.T) bool {
	b := testenv.Open(t, gpu.OpenDevice("any"))
	x, err := b.Upload(make([]float32, 1024))
	if err != nil {
		t.Fatal(err)
	}
	profiler, ok := compute.As[form.Profiler](b)
	if !ok {
		return false
	}
	ns, _ := profiler.Profile(func() error { return b.Forward(compute.LeakyReLU(0.01), x, x) })
	return len(ns) == 1 && ns[0] > 0
}

// TestPrecision: a measurement ends when the median is known to the precision, or after the
// time or number of runs.
func TestPrecision(t *testing.T) {
	for _, test := range []struct {
		args     []string
		min, max int // runs
	}{
		{[]string{"-precision", "99%", "-runs", "1000"}, minRuns, 200},
		{[]string{"-precision", "0.0001%", "-runs", "40", "-time", "1h"}, 40, 40},
		{[]string{"-precision", "0.0001%", "-runs", "1000000", "-time", "20ms"}, minRuns, 200},
	} {
		stdout, stderr, code := bench(t, append(test.args, "-backend", "cpu", "-n", "64Ki", "-cache", "warm", "-op", "forward", "-json", "-")...)
		if code != 0 {
			t.Fatalf("bench %q: exit %d: %s", test.args, code, stderr)
		}
		for _, res := range decode(t, stdout).Results {
			if runs := res.Runs(); runs < test.min || runs > test.max {
				t.Errorf("bench %q: %d runs of %s, want %d to %d", test.args, runs, res.Op, test.min, test.max)
			}
			if res.LowNS > res.MedianNS || res.HighNS < res.MedianNS || res.LowNS < res.MinNS {
				t.Errorf("bench %q: the interval is %v to %v about %v", test.args, res.LowNS, res.HighNS, res.MedianNS)
			}
		}
	}
}

// TestAll: without flags, the CPU and every OpenCL device is measured, or the reason is
// printed why there is none, and all questions are answered.
func TestAll(t *testing.T) {
	stdout, stderr, code := bench(t, "-n", "1Ki", "-runs", "1")
	if code != 0 || !regexp.MustCompile(`(?m)^cpu \w+\n(.*\n)+    forward +[0-9.]+ [nµm]?s `).MatchString(stdout) {
		t.Errorf("exit %d: %s%s", code, stdout, stderr)
	}
	if _, err := gpu.Open(); err != nil && (!strings.Contains(words(stdout), words(command.OneLine(err))) || !strings.Contains(words(stdout), "Never on this machine, since no OpenCL device can be measured")) {
		t.Errorf("it does not print %q, and that no GPU pays: %s", command.OneLine(err), stdout)
	}
	for _, question := range []string{"How fast is cpu ", "GB/s, ", "From which size on is ", " % of the copy"} {
		if !strings.Contains(stdout, question) {
			t.Errorf("%q is missing: %s", question, stdout)
		}
	}
	if strings.Contains(stdout+stderr, "\x1b") || stderr != "" || strings.ContainsAny(stdout, "█▏") {
		t.Errorf("a progress or bars without a terminal: %q, %q", stdout, stderr)
	}
}

// TestAnswers: for an OpenCL device and the CPU, there is an answer for every operation and
// place of the data.
func TestAnswers(t *testing.T) {
	needOpenCL(t)
	stdout, stderr, code := bench(t, "-device", "any", "-n", "1Ki,2Ki", "-runs", "1", "-cache", "warm", "-op", "forward", "-json", "-")
	r := decode(t, stdout)
	if code != 0 || len(r.Answers) != 2 || r.Answers[0].Data != report.OnDevice || r.Answers[1].Data != report.OnHost {
		t.Fatalf("exit %d, %s: %+v", code, stderr, r.Answers)
	}
	for _, a := range r.Answers {
		if len(a.SizesN) != 2 || a.Op != "forward" || a.Cache != report.Warm || !strings.HasPrefix(a.CPU, "cpu ") || !strings.HasPrefix(a.Device, "opencl ") {
			t.Errorf("%+v", a)
		}
		want := "    forward: never (1Ki to 2Ki measured)\n"
		if a.FromN > 0 { // as measured
			want = "    forward: from " + units.Elements(a.FromN) + " on\n"
		}
		if !strings.Contains(stderr, want) {
			t.Errorf("the answer %q is not printed: %s", want, stderr)
		}
	}
}

// TestAllDevices: every OpenCL device is measured, then a Shard of them, and how well it
// scales is printed. One device makes no Shard.
func TestAllDevices(t *testing.T) {
	needOpenCL(t)
	several := false
	for _, test := range []struct {
		devices string // of PoCL; other drivers ignore it
		args    []string
	}{
		{"pthread pthread", []string{"-backend", "opencl"}}, // only the copy on the CPU
		{"pthread pthread", nil},
		{"pthread", nil},
	} {
		env := []string{"POCL_DEVICES=" + test.devices}
		found, err := doctor.List(time.Minute, env...)
		if err != nil || len(found.Devices) == 0 {
			t.Fatalf("with %s: %v, %s", env, err, found.Problem)
		}
		want := append([]string{"cpu"}, slices.Repeat([]string{"opencl"}, len(found.Devices))...)
		if len(found.Devices) > 1 {
			want = append(want, "shard")
			several = true
		}
		args := append(test.args, "-device", "all", "-n", "1Ki,2Ki", "-op", "forward", "-cache", "warm", "-runs", "1", "-json", "-")
		stdout, stderr, code := benchWith(t, env, args...)
		if code != 0 {
			t.Fatalf("bench %q: exit %d: %s", args, code, stderr)
		}
		r := decode(t, stdout)
		var got, opencl []string
		for _, d := range r.Devices {
			results := 0
			for _, res := range r.Results {
				if res.Device == d.Name && res.Op == "forward" && res.Verified {
					results++
				}
				if res.Device == d.Name && (res.Limit == "") != (d.Backend == "shard" && res.Data == report.OnHost) && res.Op == "forward" {
					t.Errorf("bench %q: forward on %s, data on the %s, has the limit %q", args, d.Name, res.Data, res.Limit)
				}
			}
			// At both sizes, on buffers and on slices; on the CPU, only on buffers.
			if want := map[string]int{"cpu": 2, "opencl": 4, "shard": 4}[d.Backend]; results != want && !(d.Backend == "cpu" && test.args != nil) {
				t.Errorf("bench %q: %d results of forward on %s, want %d", args, results, d.Name, want)
			}
			got = append(got, d.Backend)
			switch {
			case d.Backend == "opencl":
				opencl = append(opencl, d.Name)
			case d.Backend == "shard" && !slices.Equal(d.Members, opencl) || d.Backend != "shard" && d.Members != nil:
				t.Errorf("bench %q: the members of %s are %q", args, d.Name, d.Members)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("bench %q measured %q, want %q", args, got, want)
		}
		scaling := regexp.MustCompile(`(?m)^How well does shard \((?s:.*?)\)\s+scale\?\n  .*\n(?s:.*)    upload: \d+ % at 1Ki, \d+ % at 2Ki\n`) // never doubtful
		if scaling.MatchString(stderr) != slices.Contains(got, "shard") {
			t.Errorf("bench %q: how well it scales: %s", args, stderr)
		}
	}
	if !several {
		testenv.Lacking(t, "a driver with two OpenCL devices, as PoCL has with POCL_DEVICES")
	}
}

// TestUnusable: it is an error if a device or backend that is named cannot be used. No other
// is measured in its place, and existing files do not change.
func TestUnusable(t *testing.T) {
	in := write(t, npyBytes("<f4", "(2,)", binary.LittleEndian, []float32{1, -1}))
	old, fresh := filepath.Join(t.TempDir(), "old.npy"), filepath.Join(t.TempDir(), "fresh.json")
	if err := os.WriteFile(old, []byte("precious"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"-device", "Voodoo"},
		{"-backend", "opencl", "-device", "Voodoo"},
		{"-backend", "opencl", "-device", "Voodoo", "-input", in, "-output", old, "-json", fresh},
	} {
		stdout, stderr, code := bench(t, args...)
		if code != command.Unusable || strings.Contains(stdout, "forward") || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "backend unavailable") {
			t.Errorf("bench %q: exit %d, stdout %q, stderr %q; want exit 3 and the reason in one line", args, code, stdout, stderr)
		}
	}
	if data, err := os.ReadFile(old); string(data) != "precious" {
		t.Errorf("the file of -output now holds %q, %v", data, err)
	}
	if _, err := os.Stat(fresh); err == nil {
		t.Error("a file for -json was left, with nothing measured")
	}

	t.Setenv(gpu.DeviceEnv, "none")
	if _, stderr, code := bench(t, "-backend", "opencl"); code != command.Unusable {
		t.Errorf("-backend opencl without any: exit %d, %s", code, stderr)
	}
	if _, stderr, code := benchWith(t, []string{"OCL_ICD_VENDORS=/nonexistent"}, "-device", "all"); code != command.Unusable || !strings.Contains(stderr, "backend unavailable") {
		t.Errorf("-device all without any: exit %d, %s", code, stderr)
	}
}

// wrong is a backend with one wrong bit in a derivative.
type wrong struct{ compute.Backend }

func (b wrong) Derivative(f compute.Activation, d, x compute.Buffer) error {
	v := make([]float32, d.Len())
	if err := errors.Join(b.Backend.Derivative(f, d, x), d.Read(v)); err != nil {
		return err
	}
	v[77] = math.Float32frombits(math.Float32bits(v[77]) ^ 1)
	return d.Write(v)
}

// failing is a backend whose kernels fail.
type failing struct {
	compute.Backend
	err error
}

func (b failing) Forward(compute.Activation, compute.Buffer, compute.Buffer) error { return b.err }

func TestBadBackends(t *testing.T) {
	choose := func(wrap func(compute.Backend) compute.Backend) opener {
		return func(*config, error) ([]target, error, error) {
			b, err := cpu.Open()
			return []target{{Backend: wrap(b)}}, nil, err
		}
	}
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), []string{"-n", "1Ki", "-runs", "1", "-cache", "warm"}, &stdout, &stderr,
		choose(func(b compute.Backend) compute.Backend { return wrong{b} }))
	if code != command.Wrong || !strings.Contains(stderr.String(), "wrong result: derivative on cpu") || !strings.Contains(stderr.String(), "element 77 of 1024") {
		t.Errorf("one wrong bit: exit %d, %s; want 1, and where", code, stderr.String())
	}
	if !strings.Contains(stdout.String(), "WRONG") || strings.Count(stdout.String(), "  WRONG\n") != 1 {
		t.Errorf("one wrong bit: the table does not show it once: %s", stdout.String())
	}

	stderr.Reset()
	code = run(t.Context(), []string{"-n", "1Ki", "-runs", "1", "-cache", "warm"}, &stdout, &stderr,
		choose(func(b compute.Backend) compute.Backend { return failing{b, compute.ErrDevice} }))
	if code != command.Unusable || !strings.Contains(stderr.String(), "device fault") {
		t.Errorf("a device that fails: exit %d, %s; want 3", code, stderr.String())
	}

	if code := run(t.Context(), []string{"-n", "1Ki", "-runs", "1", "-cache", "warm"}, &stdout, &stderr,
		choose(func(b compute.Backend) compute.Backend { return failing{b, compute.ErrOutOfMemory} })); code != command.Unusable {
		t.Errorf("an asked size that does not fit: exit %d, want 3", code)
	}
}

// TestInputThatDoesNotFit: it is an error if what was asked for does not fit in the memory.
func TestInputThatDoesNotFit(t *testing.T) {
	in := write(t, npyBytes("<f4", "(2,)", binary.LittleEndian, []float32{1, -1}))
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), []string{"-backend", "cpu", "-input", in, "-output", in}, &stdout, &stderr,
		func(*config, error) ([]target, error, error) {
			b, err := cpu.Open()
			return []target{{Backend: failing{b, compute.ErrOutOfMemory}}}, nil, err
		})
	if code != command.Unusable || !strings.Contains(stderr.String(), "out of memory") {
		t.Errorf("exit %d, %s; want 3 and the reason", code, stderr.String())
	}
	if data, err := os.ReadFile(in); err != nil || len(data) != 136 {
		t.Errorf("the file of -output was changed to %d bytes, %v", len(data), err)
	}
}
