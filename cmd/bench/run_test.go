package main

import (
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cmd/bench/internal/report"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/gpu"
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

// TestMeasures: what is measured, in which order, and that the figures add up.
func TestMeasures(t *testing.T) {
	for _, test := range []struct {
		args []string
		want string // operation, elements, data and cache of all results
	}{
		{[]string{"-backend", "cpu", "-n", "4Ki,1000,4096", "-cache", "warm"},
			"copy 1000 warm, forward 1000 warm, derivative 1000 warm, backward 1000 warm, copy 4Ki warm, forward 4Ki warm, derivative 4Ki warm, backward 4Ki warm"},
		{[]string{"-backend", "cpu", "-n", "64Ki", "-op", "backward", "-cache", "both"},
			"copy 64Ki cold, backward 64Ki cold, copy 64Ki warm, backward 64Ki warm"},
		{[]string{"-backend", "cpu", "-n", "64Ki", "-op", "derivative"}, "copy 64Ki cold, derivative 64Ki cold"},
		{[]string{"-backend", "cpu", "-n", "64Ki", "-op", "forward", "-input", "subnormal", "-slope", "0.5"}, "copy 64Ki cold, forward 64Ki cold"},
		{[]string{"-device", "any", "-n", "64Ki", "-op", "backward,forward", "-cache", "warm"},
			"copy 64Ki warm, forward 64Ki warm, backward 64Ki warm, " +
				"copy 64Ki warm, upload 64Ki host warm, download 64Ki host warm, transfer 64Ki host warm, " +
				"forward 64Ki warm, forward 64Ki host warm, backward 64Ki warm, backward 64Ki host warm"},
		{[]string{"-backend", "opencl", "-device", "0", "-n", "64Ki", "-op", "derivative", "-cache", "warm"},
			"copy 64Ki warm, copy 64Ki warm, upload 64Ki host warm, download 64Ki host warm, transfer 64Ki host warm, derivative 64Ki warm, derivative 64Ki host warm"},
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
			text := res.Op + " " + report.Count(res.N)
			if res.Data == report.OnHost {
				text += " host"
			}
			got = append(got, text+" "+res.Cache)
			if res.Runs() != 3 || !res.Verified || res.MinNS <= 0 || res.MedianNS < res.MinNS || res.P95NS < res.MedianNS || res.Calls < 1 || math.Abs(res.GBps*res.MedianNS-float64(res.Bytes)) > 1 {
				t.Errorf("bench %q: it does not add up: %+v", test.args, res)
			}
			if opencl := strings.HasPrefix(res.Device, "opencl"); (res.EventNS > 0) != (opencl && res.Data == report.OnDevice) {
				t.Errorf("bench %q: events say %v: %+v", test.args, res.EventNS, res)
			}
			if (res.OfLimit > 0) != (res.Limit != "") {
				t.Errorf("bench %q: a fraction of %q is %v", test.args, res.Limit, res.OfLimit)
			}
		}
		if strings.Join(got, ", ") != test.want {
			t.Errorf("bench %q measured\n%s, want\n%s", test.args, strings.Join(got, ", "), test.want)
		}
		if r.Schema != report.Version || r.Command[0] != "bench" || r.Environment.Cores != runtime.GOMAXPROCS(0) || r.Interrupted || time.Since(r.Time) > time.Hour || !strings.HasPrefix(r.Devices[0].Name, "cpu ") || r.Devices[0].LaunchNS <= 0 {
			t.Errorf("bench %q: wrong in the head: %+v", test.args, r)
		}
		if !strings.Contains(stderr, "GB/s") {
			t.Errorf("bench %q: with -json - the table is to be on standard error: %s", test.args, stderr)
		}
	}
}

// TestInputs: the values are what their name says, and of both signs where it does
// not say otherwise.
func TestInputs(t *testing.T) {
	for name, generate := range inputs {
		negative, subnormal, zero := 0, 0, 0
		v := generate(10000, 1)
		for _, x := range v {
			if math.Signbit(float64(x)) {
				negative++
			}
			if x != 0 && math.Abs(float64(x)) < 0x1p-126 {
				subnormal++
			}
			if x == 0 {
				zero++
			}
		}
		want := map[string]int{"positive": 0, "negative": 10000}
		if n, ok := want[name]; ok && negative != n || !ok && (negative < 4000 || negative > 6000) {
			t.Errorf("%s: %d of 10000 are negative", name, negative)
		}
		if (name == "subnormal") != (subnormal == 10000) || zero > 0 {
			t.Errorf("%s: %d of 10000 are subnormal, %d are 0", name, subnormal, zero)
		}
	}
}

// TestPrecision: the runs end when the median is known as well as asked, or the time is
// over, or the runs are.
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

// TestAll: with nothing asked, the CPU is measured, and every OpenCL device or
// the reason why there is none; the three questions are answered.
func TestAll(t *testing.T) {
	stdout, stderr, code := bench(t, "-n", "1Ki", "-runs", "1")
	if code != 0 || !regexp.MustCompile(`(?m)^cpu \w+\n(.*\n)+    forward +[0-9.]+ [nµm]?s `).MatchString(stdout) {
		t.Errorf("exit %d: %s%s", code, stdout, stderr)
	}
	if _, err := gpu.Open(); err != nil && (!strings.Contains(stdout, oneLine(err)) || !strings.Contains(stdout, "Never, here: no OpenCL device can be measured")) {
		t.Errorf("it does not tell %q, and that no GPU pays: %s", oneLine(err), stdout)
	}
	for _, question := range []string{"What does cpu ", " do?\n", "GB/s, ", "From which size on is ", " % of the copy"} {
		if !strings.Contains(stdout, question) {
			t.Errorf("%q is missing: %s", question, stdout)
		}
	}
	if strings.Contains(stdout+stderr, "\x1b") || stderr != "" || strings.ContainsAny(stdout, "█▏") {
		t.Errorf("a progress or bars where there is no terminal: %q, %q", stdout, stderr)
	}
}

// TestAnswers: an OpenCL device beside the CPU gives an answer for every operation and
// both places of the data.
func TestAnswers(t *testing.T) {
	needOpenCL(t)
	stdout, stderr, code := bench(t, "-device", "any", "-n", "1Ki,2Ki", "-runs", "1", "-cache", "warm", "-op", "forward", "-json", "-")
	r := decode(t, stdout)
	if code != 0 || len(r.Answers) != 2 || r.Answers[0].Data != report.OnDevice || r.Answers[1].Data != report.OnHost {
		t.Fatalf("exit %d, %s: %+v", code, stderr, r.Answers)
	}
	for _, a := range r.Answers {
		// At one run, the CPU takes some 100 ns where a launch takes ten times as long.
		if a.FromN != 0 || len(a.SizesN) != 2 || a.Op != "forward" || a.Cache != report.Warm || !strings.HasPrefix(a.CPU, "cpu ") || !strings.HasPrefix(a.Device, "opencl ") {
			t.Errorf("%+v", a)
		}
	}
	if strings.Count(stderr, "    forward: never (1Ki to 2Ki measured)\n") != 2 {
		t.Errorf("the answer is not told: %s", stderr)
	}
}

// TestAllDevices: every OpenCL device is measured, then a Shard of them, and how far it
// scales is told; of one device there is no Shard.
func TestAllDevices(t *testing.T) {
	needOpenCL(t)
	for _, test := range []struct {
		devices string // of PoCL
		args    []string
		want    []string // the backend of all that is measured
	}{
		{"pthread pthread", []string{"-backend", "opencl"}, []string{"cpu", "opencl", "opencl", "shard"}}, // of the CPU the copy
		{"pthread pthread", nil, []string{"cpu", "opencl", "opencl", "shard"}},
		{"pthread", nil, []string{"cpu", "opencl"}},
	} {
		args := append(test.args, "-device", "all", "-n", "64Ki,128Ki", "-op", "forward", "-cache", "warm", "-runs", "1", "-json", "-")
		stdout, stderr, code := benchWith(t, []string{"POCL_DEVICES=" + test.devices}, args...)
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
			// At both sizes, from buffers and from slices; on the CPU they are one.
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
		if !slices.Equal(got, test.want) {
			t.Errorf("bench %q measured %q, want %q", args, got, test.want)
		}
		scaling := regexp.MustCompile(`(?m)^How far does shard \(.*\) scale\?\n  .*\n(?s:.*)    upload: \d+ % at 64Ki, \d+ % at 128Ki\n`) // never in doubt
		if scaling.MatchString(stderr) != slices.Contains(got, "shard") {
			t.Errorf("bench %q: how far it scales: %s", args, stderr)
		}
	}
}

// TestOutputs: all forms of the results, at once.
func TestOutputs(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	stdout, stderr, code := bench(t, "-backend", "cpu", "-n", "1Ki,4Ki", "-runs", "7", "-cache", "warm",
		"-json", file("r.json"), "-csv", file("r.csv"), "-benchfmt", file("r.txt"), "-html", file("r.html"), "-plot", file("r.svg"))
	if code != 0 || !strings.Contains(stdout, "GB/s") {
		t.Fatalf("exit %d: %s%s", code, stdout, stderr)
	}
	read := func(name string) string {
		data, err := os.ReadFile(file(name))
		if err != nil {
			t.Error(err)
		}
		return string(data)
	}
	r := decode(t, read("r.json"))
	if len(r.Results) != 8 {
		t.Fatalf("%d results", len(r.Results))
	}
	records, err := csv.NewReader(strings.NewReader(read("r.csv"))).ReadAll()
	if err != nil || len(records) != 9 {
		t.Errorf("CSV: %v, %d lines", err, len(records))
	}
	if lines := regexp.MustCompile(`(?m)^(# )?BenchmarkForward/.*n=4Ki.* ns/op`).FindAllString(read("r.txt"), -1); len(lines) != 7 {
		t.Errorf("benchfmt: %q; want 7 lines of forward at 4Ki", lines)
	}
	if rows := strings.Count(read("r.html"), "<tr data-"); rows != 8 {
		t.Errorf("HTML: %d rows", rows)
	}
	if !strings.Contains(read("r.svg"), "<svg") {
		t.Error("no SVG")
	}
	if _, stderr, code := bench(t, "-backend", "cpu", "-n", "1Ki", "-runs", "1", "-plot", file("r.png")); code != 0 || !strings.HasPrefix(read("r.png"), "\x89PNG") {
		t.Errorf("PNG: exit %d: %s", code, stderr)
	}
}

// TestInterrupt: ctrl-C ends the measuring, and what was measured is kept and told.
func TestInterrupt(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no interrupt that one process can send to another")
	}
	for wait := 2 * time.Second; ; wait *= 2 { // for warming up, and some runs
		r, rest := interrupted(t, wait)
		if !r.Interrupted {
			t.Fatalf("that it was interrupted is not told: %+v", r)
		}
		if len(r.Results) == 2 && r.Results[1].Runs() > 0 && strings.Contains(rest, "    forward ") {
			return
		}
		if wait > 10*time.Second {
			t.Fatalf("of what was measured in %v there is %+v: %s", wait, r.Results, rest)
		}
	}
}

// interrupted starts measuring what takes an hour, sends an interrupt after so long, and
// returns the JSON and the end of the table.
func interrupted(t *testing.T, wait time.Duration) (r report.Report, rest string) {
	name := filepath.Join(t.TempDir(), "r.json")
	cmd := exec.Command(os.Args[0], "-backend", "cpu", "-n", "1Ki", "-cache", "warm", "-op", "forward", "-time", "1h", "-runs", "1000000", "-precision", "0.0001%", "-json", name)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	var seen []byte
	for buf := make([]byte, 1024); !bytes.Contains(seen, []byte("elements  ")); { // it begins
		n, err := out.Read(buf)
		if err != nil {
			t.Fatalf("%v after %s", err, seen)
		}
		seen = append(seen, buf[:n]...)
	}
	time.Sleep(wait)
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	end, err := io.ReadAll(out)
	if err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	data, err := os.ReadFile(name)
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted || err != nil || !strings.Contains(stderr.String(), "interrupted") {
		t.Fatalf("exit %d, %v: %s", code, err, stderr.String())
	}
	return decode(t, string(data)), string(end)
}

// TestStandardOutput: any of the text forms can go there, and the table then does not.
func TestStandardOutput(t *testing.T) {
	for flag, begins := range map[string]string{"-csv": "device,", "-benchfmt": "goos: ", "-html": "<!"} {
		stdout, stderr, code := bench(t, "-backend", "cpu", "-n", "1Ki", "-runs", "1", "-cache", "warm", flag, "-")
		if code != 0 || !strings.HasPrefix(strings.ToLower(stdout), begins) || !strings.Contains(stderr, "GB/s") {
			t.Errorf("%s -: exit %d, %.100q, %.100q", flag, code, stdout, stderr)
		}
	}
}

// TestUnusable: a device or backend that is named and cannot be used is an error,
// and no other is measured in its place; files that were there are kept.
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
		if code != exitUnusable || strings.Contains(stdout, "forward") || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "backend unavailable") {
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
	if _, stderr, code := bench(t, "-backend", "opencl"); code != exitUnusable {
		t.Errorf("-backend opencl without any: exit %d, %s", code, stderr)
	}
	if _, stderr, code := benchWith(t, []string{vendorsEnv + "=/nonexistent"}, "-device", "all"); code != exitUnusable || !strings.Contains(stderr, "backend unavailable") {
		t.Errorf("-device all without any: exit %d, %s", code, stderr)
	}
}

// wrong is a backend whose derivative is off by one bit at one element.
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
	choose := func(wrap func(compute.Backend) compute.Backend) chooser {
		return func(config, error) ([]target, error, error) {
			b, err := cpu.Open()
			return []target{{Backend: wrap(b)}}, nil, err
		}
	}
	var stdout, stderr bytes.Buffer
	code := run([]string{"-n", "1Ki", "-runs", "1", "-cache", "warm"}, &stdout, &stderr,
		choose(func(b compute.Backend) compute.Backend { return wrong{b} }))
	if code != exitWrong || !strings.Contains(stderr.String(), "wrong result: derivative on cpu") || !strings.Contains(stderr.String(), "element 77 of 1024") {
		t.Errorf("one wrong bit: exit %d, %s; want 1, and where", code, stderr.String())
	}
	if !strings.Contains(stdout.String(), "WRONG") || strings.Count(stdout.String(), "  WRONG\n") != 1 {
		t.Errorf("one wrong bit: the table does not show it once: %s", stdout.String())
	}

	stderr.Reset()
	code = run([]string{"-n", "1Ki", "-runs", "1", "-cache", "warm"}, &stdout, &stderr,
		choose(func(b compute.Backend) compute.Backend { return failing{b, compute.ErrDevice} }))
	if code != exitUnusable || !strings.Contains(stderr.String(), "device fault") {
		t.Errorf("a device that fails: exit %d, %s; want 3", code, stderr.String())
	}

	if code := run([]string{"-n", "1Ki", "-runs", "1", "-cache", "warm"}, &stdout, &stderr,
		choose(func(b compute.Backend) compute.Backend { return failing{b, compute.ErrOutOfMemory} })); code != exitUnusable {
		t.Errorf("an asked size that does not fit: exit %d, want 3", code)
	}
}

// TestInputThatDoesNotFit: what was asked for and could not be done is an error.
func TestInputThatDoesNotFit(t *testing.T) {
	in := write(t, npyBytes("<f4", "(2,)", binary.LittleEndian, []float32{1, -1}))
	var stdout, stderr bytes.Buffer
	code := run([]string{"-backend", "cpu", "-input", in, "-output", in}, &stdout, &stderr,
		func(config, error) ([]target, error, error) {
			b, err := cpu.Open()
			return []target{{Backend: failing{b, compute.ErrOutOfMemory}}}, nil, err
		})
	if code != exitUnusable || !strings.Contains(stderr.String(), "out of memory") {
		t.Errorf("exit %d, %s; want 3 and the reason", code, stderr.String())
	}
	if data, err := os.ReadFile(in); err != nil || len(data) != 136 {
		t.Errorf("the file of -output was changed to %d bytes, %v", len(data), err)
	}
}

// TestJSONToDevice: -json can name what is no regular file.
func TestJSONToDevice(t *testing.T) {
	if _, stderr, code := bench(t, "-backend", "cpu", "-n", "1Ki", "-runs", "1", "-json", os.DevNull); code != 0 {
		t.Errorf("exit %d: %s", code, stderr)
	}
}

// TestDefaultSizesThatDoNotFit: they are left out, with a note.
func TestDefaultSizesThatDoNotFit(t *testing.T) {
	b, err := cpu.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	var c config
	c.flags()
	c.ops, c.sizes, c.runs, c.caches = []string{"forward"}, []int{1024}, 1, []string{report.Warm}
	var table bytes.Buffer
	m := &meter{c: c, in: &input{}, report: &report.Report{}, table: report.Table{W: &table}}
	if _, err := m.in.generate(&m.c); err != nil {
		t.Fatal(err)
	}
	if err := m.measure(t.Context(), target{Backend: failing{b, compute.ErrOutOfMemory}}); err != nil {
		t.Errorf("got %v, want a note", err)
	}
	if !strings.Contains(table.String(), "1Ki elements not measured: out of memory") || len(m.report.Notes) != 1 {
		t.Errorf("it is not told: %s, %q", table.String(), m.report.Notes)
	}
	if live := b.Info().LiveBuffers; live != 0 {
		t.Errorf("%d buffers were left", live)
	}
}

// TestStates: what no cache holds is measured once, and not as warm.
func TestStates(t *testing.T) {
	m := meter{c: config{caches: []string{report.Cold, report.Warm}}}
	const cache = 32 << 20
	for n, want := range map[int]string{1: "warm", 1 << 10: "cold warm", cache / 12: "cold warm", cache/12 + 1: "cold", cache: "cold"} {
		if got := strings.Join(m.states(n, cache), " "); got != want {
			t.Errorf("%d elements are measured %s, want %s", n, got, want)
		}
	}
}
