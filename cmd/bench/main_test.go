package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/gpu"
	"github.com/gmind-go/compute/internal/ops"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/values"
)

// mainEnv makes this test binary the program itself.
const mainEnv = "COMPUTE_TEST_BENCH"

// TestMain makes all that the tests start, and what that starts in turn, the program;
// but a fuzzer starts processes of its own.
func TestMain(m *testing.M) {
	if os.Getenv(mainEnv) != "" {
		main()
	}
	fuzzing := func(arg string) bool { return strings.HasPrefix(arg, "-test.fuzz=") }
	if !slices.ContainsFunc(os.Args, fuzzing) {
		os.Setenv(mainEnv, "1")
	}
	os.Setenv("GORACE", "atexit_sleep_ms=0") // else each takes a second more
	testenv.Main(m)
}

// bench runs the program.
func bench(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	return benchWith(t, nil, args...)
}

// benchWith runs the program with env added to the environment.
func benchWith(t *testing.T, env []string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env = append(os.Environ(), env...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// needOpenCL skips or fails where there is no OpenCL device.
func needOpenCL(t *testing.T) { testenv.Open(t, gpu.OpenDevice("any")) }

func TestJSON(t *testing.T) {
	stdout, stderr, code := bench(t, "-backend", "cpu", "-n", "1000,4Ki", "-runs", "3", "-json", "-")
	if code != 0 {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	var results []result
	if err := json.Unmarshal([]byte(stdout), &results); err != nil {
		t.Fatalf("%v in %s", err, stdout)
	}
	if len(results) != 8 {
		t.Fatalf("got %d results, want a copy and 3 operations at 2 sizes", len(results))
	}
	bytes := map[string]int{"copy": 8, "forward": 8, "derivative": 8, "backward": 12}
	for i, r := range results {
		n := []int{1000, 4096}[i/4]
		if r.Backend != "cpu" || !strings.HasPrefix(r.Device, "cpu ") || r.N != n || r.Bytes != bytes[r.Op]*n || r.Runs != 3 || !r.Verified {
			t.Errorf("result %d is %+v", i, r)
		}
		if r.MinNS <= 0 || r.MedianNS < r.MinNS || math.Abs(r.GBps*r.MedianNS-float64(r.Bytes)) > 1 {
			t.Errorf("result %d does not add up: %+v", i, r)
		}
		if copied := results[i/4*4]; copied.Op != "copy" || math.Abs(r.OfCopy*copied.GBps-r.GBps) > 1e-6 {
			t.Errorf("result %d is no fraction of the copy: %+v", i, r)
		}
	}
	if !strings.Contains(stderr, "4Ki") {
		t.Errorf("with -json - the table is to be on standard error: %s", stderr)
	}
	name := filepath.Join(t.TempDir(), "r.json")
	stdout, stderr, code = bench(t, "-backend", "cpu", "-n", "1Ki", "-runs", "1", "-op", "derivative", "-json", name)
	data, err := os.ReadFile(name)
	if code != 0 || err != nil || json.Unmarshal(data, &results) != nil || len(results) != 2 || results[1].Op != "derivative" {
		t.Errorf("exit %d, %v, %s: %s", code, err, stderr, data)
	}
	if !strings.Contains(stdout, "derivative") {
		t.Errorf("no table on standard output: %s", stdout)
	}
}

// TestAll: with nothing asked, the CPU is measured, and every OpenCL device or
// the reason why there is none.
func TestAll(t *testing.T) {
	stdout, stderr, code := bench(t, "-n", "1Ki", "-runs", "1")
	if code != 0 || !regexp.MustCompile(`(?m)^forward +1Ki .*  cpu \w+$`).MatchString(stdout) {
		t.Errorf("exit %d: %s%s", code, stdout, stderr)
	}
	if _, err := gpu.Open(); err != nil && !strings.Contains(stdout, oneLine(err)) {
		t.Errorf("the table does not tell %q: %s", oneLine(err), stdout)
	}
}

func TestOpenCL(t *testing.T) {
	needOpenCL(t)
	stdout, stderr, code := bench(t, "-device", "any", "-n", "1Ki", "-runs", "1", "-json", "-")
	var results []result
	if err := json.Unmarshal([]byte(stdout), &results); code != 0 || err != nil {
		t.Fatalf("exit %d, %v: %s%s", code, err, stdout, stderr)
	}
	var got []string
	for _, r := range results {
		if !r.Verified {
			t.Errorf("not verified: %+v", r)
		}
		got = append(got, r.Backend+" "+r.Op)
	}
	want := "cpu copy,cpu forward,cpu derivative,cpu backward,opencl copy,opencl upload,opencl download,opencl forward,opencl derivative,opencl backward"
	if strings.Join(got, ",") != want {
		t.Errorf("measured %v, want %s", got, want)
	}
}

// npyBytes returns a NumPy file of version 1.0.
func npyBytes(descr, shape string, order binary.AppendByteOrder, v []float32) []byte {
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': %s, }", descr, shape)
	header += strings.Repeat(" ", 64-(10+len(header)+1)%64) + "\n"
	file := append([]byte("\x93NUMPY\x01\x00"), byte(len(header)), byte(len(header)>>8))
	file = append(file, header...)
	for _, x := range v {
		file = order.AppendUint32(file, math.Float32bits(x))
	}
	return file
}

func write(t *testing.T, data []byte) (name string) {
	t.Helper()
	name = filepath.Join(t.TempDir(), "in.npy")
	if err := os.WriteFile(name, data, 0o666); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestNpy takes all kinds of values through -input and -output on both backends.
func TestNpy(t *testing.T) {
	x := values.Bits(4096, 1)
	copy(x, values.Special())
	backends := map[string][]string{"cpu": {"-backend", "cpu"}, "opencl": {"-backend", "opencl", "-device", "any"}}
	formats := map[string]struct {
		descr, shape string
		order        binary.AppendByteOrder
	}{
		"flat":       {"<f4", "(4096,)", binary.LittleEndian},
		"3-D":        {"<f4", "(16, 32, 8)", binary.LittleEndian},
		"big endian": {">f4", "(64, 64)", binary.BigEndian},
	}
	f := compute.LeakyReLU(-0.5)
	for backend, args := range backends {
		t.Run(backend, func(t *testing.T) {
			if backend == "opencl" {
				needOpenCL(t)
			}
			for name, format := range formats {
				in := write(t, npyBytes(format.descr, format.shape, format.order, x))
				for _, op := range ops.All() {
					out := filepath.Join(t.TempDir(), "out.npy")
					args := append([]string{"-input", in, "-output", out, "-op", op.Name, "-slope", "-0.5", "-runs", "1"}, args...)
					if _, stderr, code := bench(t, args...); code != 0 {
						t.Fatalf("%s, %s: exit %d: %s", name, op.Name, code, stderr)
					}
					got, err := os.ReadFile(out)
					if err != nil {
						t.Fatal(err)
					}
					empty := npyBytes(format.descr, format.shape, format.order, nil)
					if len(got) != len(empty)+4*len(x) || !bytes.Equal(got[:len(empty)], empty) {
						t.Fatalf("%s: the output has not the header of the input", name)
					}
					for i := range x {
						bits := format.order.(binary.ByteOrder).Uint32(got[len(empty)+4*i:])
						want := op.Want(f, x[len(x)-1-i], x[i])
						if v := math.Float32frombits(bits); !values.Same(v, want) {
							t.Fatalf("%s, %s: value %d is %x and should be %x", name, op.Name, i, v, want)
						}
					}
				}
			}
		})
	}
}

// TestOutputDefault: -output takes forward where no operation is named.
func TestOutputDefault(t *testing.T) {
	x := []float32{-2, 3}
	in := write(t, npyBytes("<f4", "(2,)", binary.LittleEndian, x))
	if _, stderr, code := bench(t, "-backend", "cpu", "-input", in, "-output", in, "-slope", "0.5", "-runs", "1"); code != 0 {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	got, err := os.ReadFile(in) // over the input
	if want := npyBytes("<f4", "(2,)", binary.LittleEndian, []float32{-1, 3}); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%v: got %q, want %q", err, got, want)
	}
}

// TestUsage: what is wrong with the command line or a file is told in one line,
// with exit code 2, before anything is measured.
func TestUsage(t *testing.T) {
	good := npyBytes("<f4", "(2,)", binary.LittleEndian, []float32{1, -1})
	in := write(t, good)
	out := filepath.Join(t.TempDir(), "y")
	file := func(data []byte) []string { return []string{"-input", write(t, data)} }
	for _, test := range []struct {
		args  []string
		tells string
	}{
		{[]string{"-nonsense"}, "-nonsense"},
		{[]string{"nonsense"}, `"nonsense"`},
		{[]string{"-backend", "cuda"}, "should be cpu or opencl"},
		{[]string{"-backend", ""}, "should be cpu or opencl"},
		{[]string{"-backend", "cpu", "-device", "any"}, "-backend is cpu"},
		{[]string{"-device", ""}, "-device is empty"},
		{[]string{"-op", "sideways"}, `"sideways"`},
		{[]string{"-op", ""}, "none of forward"},
		{[]string{"-n", "0"}, `"0"`},
		{[]string{"-n", "-5"}, `"-5"`},
		{[]string{"-n", "1e6"}, `"1e6"`},
		{[]string{"-n", "1Ki,"}, `""`},
		{[]string{"-n", "99999999999Gi"}, `"99999999999Gi"`},
		{[]string{"-runs", "0"}, "should be between 1 and"},
		{[]string{"-runs", "1000001"}, "should be between 1 and"},
		{[]string{"-backend", "cpu", "-n", "1024Gi"}, ""}, // more than the machine has, or than a number holds
		{[]string{"-input", in, "-json", in}, "-json names the file of -input"},
		{[]string{"-input", in, "-backend", "cpu", "-output", "-"}, "-output needs a file"},
		{[]string{"-timeout", "0s"}, "-timeout should be more than 0"},
		{[]string{"-timeout", "soon"}, `"soon"`},
		{[]string{"devices", "-timeout", "-1s"}, "-timeout should be more than 0"},
		{[]string{"devices", "-device", "any"}, "-device (see bench devices -h)"},
		{[]string{"devices", "0"}, `unexpected argument "0"`},
		{[]string{"-slope", "NaN"}, "slope not finite"},
		{[]string{"-slope", "Inf"}, "slope not finite"},
		{[]string{"-slope", "steep"}, `"steep"`},
		{[]string{"-slope", "1e99"}, "1e99"},
		{[]string{"-dist", "cauchy"}, `"cauchy"`},
		{[]string{"-json", filepath.Join(t.TempDir(), "no", "such.json")}, "such.json"},
		{[]string{"-output", "y.npy"}, "needs -input"},
		{[]string{"-input", in, "-output", "y.npy"}, "needs -backend"},
		{[]string{"-input", in, "-output", "y.npy", "-backend", "cpu", "-op", "forward,backward"}, "holds one result"},
		{[]string{"-input", in, "-output", out, "-json", filepath.Dir(out) + "/./y", "-backend", "cpu"}, "-json names the file"},
		{[]string{"-input", in, "-n", "5"}, "leave out -n"},
		{[]string{"-input", in, "-dist", "bits"}, "leave out -n and -dist"},
		{[]string{"-input", filepath.Join(t.TempDir(), "missing.npy")}, "missing.npy"},
		{[]string{"-input", t.TempDir()}, ""},
		{file(nil), "not a NumPy file"},
		{file([]byte("x,y\n1,2\n")), "not a NumPy file"},
		{file(good[:7]), "not a NumPy file"},
		{file(good[:30]), "not a NumPy file"},
		{file([]byte("\x93NUMPY\x01\x00\x04\x00abcd")), "not a NumPy file"},
		{file(good[:len(good)-1]), "cut off"},
		{file(append(good[:len(good):len(good)], 0)), "it has 9 bytes of values and should have 8"},
		{file(npyBytes("<f8", "(1,)", binary.LittleEndian, []float32{1, 2})), "not float32"},
		{file(npyBytes("<i4", "(2,)", binary.LittleEndian, []float32{1, 2})), "not float32"},
		{file(npyBytes("<f4", "(0,)", binary.LittleEndian, nil)), "no values"},
		{file(npyBytes("<f4", "(-2, -1)", binary.LittleEndian, []float32{1, 2})), "its shape"},
		{file(npyBytes("<f4", "(4294967296, 4294967296)", binary.LittleEndian, []float32{1, 2})), "in.npy"},
	} {
		stdout, stderr, code := bench(t, test.args...)
		stdout = strings.TrimPrefix(stdout, "devices\n  cpu\n") // what is found out only with the devices at hand
		if code != exitUsage || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, test.tells) {
			t.Errorf("bench %q: exit %d, stdout %q, stderr %q; want exit 2 and one line that tells %q", test.args, code, stdout, stderr, test.tells)
		}
	}
	for tells, args := range map[string][]string{"-device MATCH": {"-h"}, "bench devices ": {"-h"}, "-timeout T": {"devices", "-h"}} {
		stdout, _, code := bench(t, args...)
		if code != 0 || !strings.Contains(stdout, tells) || strings.Count(stdout, "\n") > 40 {
			t.Errorf("bench %q: exit %d, %s; want one that tells %q", args, code, stdout, tells)
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
		return func(config, error) ([]compute.Backend, error, error) {
			b, err := cpu.Open()
			return []compute.Backend{wrap(b)}, nil, err
		}
	}
	var stdout, stderr bytes.Buffer
	code := run([]string{"-n", "1Ki", "-runs", "1"}, &stdout, &stderr,
		choose(func(b compute.Backend) compute.Backend { return wrong{b} }))
	if code != exitWrong || !strings.Contains(stderr.String(), "wrong result: derivative on cpu") || !strings.Contains(stderr.String(), "element 77 of 1024") {
		t.Errorf("one wrong bit: exit %d, %s; want 1, and where", code, stderr.String())
	}
	if !strings.Contains(stdout.String(), "WRONG") || strings.Count(stdout.String(), "WRONG") != 1 {
		t.Errorf("one wrong bit: the table does not show it once: %s", stdout.String())
	}

	stderr.Reset()
	code = run([]string{"-n", "1Ki", "-runs", "1"}, &stdout, &stderr,
		choose(func(b compute.Backend) compute.Backend { return failing{b, compute.ErrDevice} }))
	if code != exitUnusable || !strings.Contains(stderr.String(), "device fault") {
		t.Errorf("a device that fails: exit %d, %s; want 3", code, stderr.String())
	}

	if code := run([]string{"-n", "1Ki", "-runs", "1"}, &stdout, &stderr,
		choose(func(b compute.Backend) compute.Backend { return failing{b, compute.ErrOutOfMemory} })); code != exitUnusable {
		t.Errorf("an asked size that does not fit: exit %d, want 3", code)
	}
}

// TestInputThatDoesNotFit: what was asked for and could not be done is an error.
func TestInputThatDoesNotFit(t *testing.T) {
	in := write(t, npyBytes("<f4", "(2,)", binary.LittleEndian, []float32{1, -1}))
	var stdout, stderr bytes.Buffer
	code := run([]string{"-backend", "cpu", "-input", in, "-output", in}, &stdout, &stderr,
		func(config, error) ([]compute.Backend, error, error) {
			b, err := cpu.Open()
			return []compute.Backend{failing{b, compute.ErrOutOfMemory}}, nil, err
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
	c := config{ops: []string{"forward"}, sizes: []int{1024}, runs: 1, slope: 0.01}
	in := &input{x: values.Normal(1024, 1), dy: values.Normal(1024, 2)}
	var table bytes.Buffer
	r := newReport(&table, c, in)
	if err := measure(failing{b, compute.ErrOutOfMemory}, c, in, r); err != nil {
		t.Errorf("got %v, want a note", err)
	}
	if !strings.Contains(table.String(), "1Ki elements not measured: out of memory") {
		t.Errorf("the table does not tell: %s", table.String())
	}
	if live := b.Info().LiveBuffers; live != 0 {
		t.Errorf("%d buffers were left", live)
	}
}
