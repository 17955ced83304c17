package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cmd/bench/internal/command"
	"github.com/gmind-go/compute/cmd/bench/internal/report"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/values"
)

// testPrograms are programs with every kind of operand.
func testPrograms(t *testing.T) []program {
	t.Helper()
	var list []*expr.Program
	for _, text := range []string{
		"scale(x, s) = s*x + 0.5",
		"three(x, y, z) = fma(x, y, z)",
		`func dropout(x, keep float32, seed uint32) (y float32, kept bool) {
			kept = rand(seed, 7) < keep
			y = where(kept, x/keep, 0)
			return
		}`,
		"func chosen(c bool, x, y float32, d, e bool) (z float32, m, n bool) { z = where(c && e, x, y); m = c != d; n = x < y; return }",
		"func ordered(x, y float32) (m bool) { m = x < y; return }",
		"func drawn(seed uint32) (y, z float32) { y = rand(seed, 1); z = rand(seed, 2); return }",
	} {
		list = append(list, expr.MustParse(text))
	}
	programs, err := newPrograms(list, []scalar{{"s", "-0.25"}, {"keep", "0.75"}, {"seed", "99"}, {"e", "true"}})
	if err != nil {
		t.Fatal(err)
	}
	return programs
}

// programSet returns a set for c.programs of 1000 elements, and the measurements of the
// programs as on a device with memory of its own: of each one on buffers and one on slices.
func programSet(t *testing.T, programs []program) (*set, []measurement) {
	t.Helper()
	c := newConfig()
	c.programs, c.sizes = programs, []int{1000}
	in := &input{count: c.operands()}
	if _, err := in.generate(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	b, err := cpu.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	all := &sets{}
	if err := all.add(b, in, 1000, 3); err != nil {
		t.Fatal(err)
	}
	list := measurements(far{b}, c)[4:]
	if len(list) != 2*len(programs) {
		t.Fatalf("%d measurements of %d programs", len(list), len(programs))
	}
	for _, m := range list {
		if err := all.prepare(m); err != nil {
			t.Fatal(err)
		}
	}
	return all.take(), list
}

// TestProgramMeasurements: the results of every program are wrong without the call, and right
// after it; the bytes are those of the operands, without scalars.
func TestProgramMeasurements(t *testing.T) {
	s, list := programSet(t, testPrograms(t))
	bits := map[string]int{"scale": 64, "three": 128, "dropout": 65, "chosen": 100, "ordered": 65, "drawn": 64}
	for _, m := range list {
		if m.bits != bits[m.op] {
			t.Errorf("%s moves %d bits and should move %d", m.op, m.bits, bits[m.op])
		}
		limit := report.Copy
		if m.data == report.OnHost {
			if limit = report.Transfer; m.op == "ordered" || m.op == "drawn" {
				limit = ""
			}
		}
		if m.limit != limit {
			t.Errorf("%s, data on the %s, has the limit %q and should have %q", m.op, m.data, m.limit, limit)
		}
		for _, calls := range []int{0, 1} {
			if err := m.spoil(s); err != nil {
				t.Fatal(err)
			}
			for range calls {
				if err := m.call(s); err != nil {
					t.Fatal(err)
				}
			}
			difference, err := m.difference(s)
			if err != nil || calls == 0 && !strings.HasPrefix(difference, "element 0 of 1000 ") || calls == 1 && difference != "" {
				t.Errorf("%s, data on the %s, after %d calls: %v, %q", m.op, m.data, calls, err, difference)
			}
		}
	}
}

// TestProgramCheck: a wrong bit in any result is found, and described.
func TestProgramCheck(t *testing.T) {
	s, list := programSet(t, testPrograms(t))
	for _, m := range list {
		if m.data == report.OnDevice {
			continue // the check would read the results again
		}
		if err := m.call(s); err != nil {
			t.Fatal(err)
		}
		c := m.check.(*programCheck)
		for j, result := range c.Results() {
			for _, i := range []int{0, 77, 999} {
				change := func() {
					switch v := c.onHost(s)[j].(type) {
					case compute.Slice:
						v[i] = math.Float32frombits(math.Float32bits(v[i]) ^ 1)
					case compute.Words:
						v[i/64] ^= 1 << (i % 64)
					}
				}
				change()
				got, err := m.difference(s)
				if want := fmt.Sprintf("element %d of 1000 of the result %s is ", i, result.Name); err != nil || !strings.HasPrefix(got, want) {
					t.Errorf("%s: %v, %q; want %s", m.op, err, got, want)
				}
				change()
			}
		}
		if got, err := m.difference(s); err != nil || got != "" {
			t.Errorf("%s: %v, %s", m.op, err, got)
		}
	}
}

// TestProgramCheckOfAPart: of long buffers, each check has other elements, and together they
// have all.
func TestProgramCheckOfAPart(t *testing.T) {
	programs := testPrograms(t)
	s, list := programSet(t, programs)
	m := list[1]
	if err := m.call(s); err != nil {
		t.Fatal(err)
	}
	c := m.check.(*programCheck)
	nodes := len(c.IR().Nodes)
	for n, want := range map[int]int{1: 1, work / nodes / 2: 1, work/nodes + 1: 1, 2*work/nodes + 1: 3, 4*work/nodes + 1: 5} {
		if got := c.step(n); got != want {
			t.Errorf("of %d elements one of %d is checked, and should be of %d", n, got, want)
		}
	}
	const step, wrong = 7, 500
	found := 0
	s.results[0].host[wrong]++
	for phase := range step {
		i := c.firstWrong(s, step, phase)
		if i >= 0 {
			found++
		}
		if want := wrong%step == phase; (i == wrong) != want || !want && i != -1 {
			t.Errorf("check %d finds element %d", phase, i)
		}
	}
	if found != 1 {
		t.Errorf("%d of %d checks find it", found, step)
	}
}

// TestProgramFlushes: where a device flushes subnormal values, results are not checked if
// there is one, and only then.
func TestProgramFlushes(t *testing.T) {
	programs := testPrograms(t)[:1]
	s, list := programSet(t, programs)
	c := list[1].check.(*programCheck)
	x, y := s.args[0].host, s.results[0].host
	copy(x, []float32{0x1p-149, 1, -0x1p-126}) // times s, the last one is subnormal
	for i := range y {
		y[i] = float32(programs[0].scalars[1].(compute.F32)*compute.F32(x[i])) + 0.5
	}
	y[0]++
	for i, want := range []int{-1, 1, -1} {
		for j := range 3 {
			c.flushes = true
			y[j] = float32(math.NaN()) // wrong
			if i == j {
				if got := c.firstWrong(s, 1, 0); got != want {
					t.Errorf("x = %v: element %d is wrong, want %d", x[i], got, want)
				}
				c.flushes = false
				if got := c.firstWrong(s, 1, 0); got != i {
					t.Errorf("x = %v: without flushing element %d is wrong, want %d", x[i], got, i)
				}
			}
			y[j] = float32(-0.25*x[j]) + 0.5
		}
	}
}

// TestNeed: the memory is counted with that of the masks.
func TestNeed(t *testing.T) {
	c := &config{programs: testPrograms(t)}
	k := c.operands()
	if want := (counts{args: 3, results: 2, maskArgs: 2, maskResults: 2}); k != want {
		t.Errorf("operands are %+v, want %+v", k, want)
	}
	if got := k.need(); got != 4*(2*5+2)+1 {
		t.Errorf("an element needs %d bytes", got)
	}
}

// TestPrograms: programs are measured like operations, on all devices, with all inputs; and
// reports have their names.
func TestPrograms(t *testing.T) {
	texts := []string{"-program", "square(x) = x*x", "-program", "func noise(x float32, seed uint32) (y float32, m bool) { y = x + rand(seed, 3); m = y > x; return }"}
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	for _, test := range []struct {
		args []string
		want string
	}{
		{nil, "copy square noise"},
		{[]string{"-op", "forward", "-input", "bits"}, "copy forward square noise"},
		{[]string{"-input", "negative", "-scalars", "seed=5"}, "copy square noise"},
	} {
		args := append(append(test.args, texts...), "-backend", "cpu", "-n", "1000", "-runs", "2", "-cache", "warm",
			"-json", file("r.json"), "-csv", file("r.csv"), "-benchfmt", file("r.txt"), "-html", file("r.html"), "-plot", file("r.svg"))
		stdout, stderr, code := bench(t, args...)
		if code != 0 || !strings.Contains(stdout, "square: ") {
			t.Fatalf("bench %q: exit %d: %s%s", args, code, stdout, stderr)
		}
		data, err := os.ReadFile(file("r.json"))
		if err != nil {
			t.Fatal(err)
		}
		r := decode(t, string(data))
		var got []string
		for _, res := range r.Results {
			got = append(got, res.Op)
			bits := map[string]int{"noise": 65}[res.Op]
			if bits == 0 {
				bits = 64
			}
			if !res.Verified || res.Bytes != bits*1000/8 || res.OfLimit > 0 != (res.Op != "copy") {
				t.Errorf("bench %q: %+v", args, res)
			}
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("bench %q measured %q, want %s", args, got, test.want)
		}
		if (r.Activation == "") != (test.args == nil || test.args[0] != "-op") || len(r.Programs) != 2 || r.Programs[0] != (report.Program{Name: "square", Text: "square(x) = x * x"}) {
			t.Errorf("bench %q: the report has %q, %+v", args, r.Activation, r.Programs)
		}
		for name, want := range map[string]string{"r.csv": ",noise,", "r.txt": "\nBenchmarkNoise/", "r.html": "square(x) = x * x", "r.svg": "noise"} {
			if data, err := os.ReadFile(file(name)); err != nil || !strings.Contains(string(data), want) {
				t.Errorf("%s: %v, without %q", name, err, want)
			}
		}
	}
	if _, stderr, code := bench(t, "compare", "-threshold", "99%", file("r.json"), file("r.json")); code != 0 {
		t.Errorf("compare: exit %d: %s", code, stderr)
	}
}

// TestProgramOnFiles: a file of -input gives all arguments.
func TestProgramOnFiles(t *testing.T) {
	in := &input{count: counts{args: 3, results: 2}, npy: &npyFile{values: []float32{1, 2, 3}}}
	in.make(t.Context(), "", 6)
	if got := fmt.Sprint(in.args, len(in.results), len(in.results[1])); got != "[[1 2 3 1 2 3] [3 2 1 3 2 1] [1 2 3 1 2 3]] 2 6" {
		t.Error(got)
	}
}

// TestProgramOnDevices: programs are measured on buffers and on slices.
func TestProgramOnDevices(t *testing.T) {
	needOpenCL(t)
	stdout, stderr, code := bench(t, "-device", "any", "-n", "1Ki", "-runs", "1", "-cache", "warm", "-program", "square(x) = x*x", "-json", "-")
	measured := map[string]int{}
	for _, res := range decode(t, stdout).Results {
		if res.Op == "square" && res.Verified {
			measured[res.Data]++
		}
	}
	if code != 0 || measured[report.OnDevice] < 2 || measured[report.OnHost] < 1 {
		t.Errorf("exit %d: %s, %v", code, stderr, measured)
	}
}

// wrongCalls is a backend of which every call of a program has one wrong bit.
type wrongCalls struct{ compute.Backend }

type wrongCall struct {
	compute.Call
	y compute.Buffer
}

func (b wrongCalls) Prepare(p *expr.Program, args ...compute.Arg) (compute.Call, error) {
	call, err := b.Backend.Prepare(p, args...)
	return wrongCall{call, args[0].(compute.Buffer)}, err
}

func (c wrongCall) Run() error {
	if err := c.Call.Run(); err != nil {
		return err
	}
	v := values.Normal(c.y.Len(), 1)
	if err := c.y.Read(v); err != nil {
		return err
	}
	v[77] = math.Float32frombits(math.Float32bits(v[77]) ^ 1)
	return c.y.Write(v)
}

// TestWrongProgram: a program with one wrong bit is found.
func TestWrongProgram(t *testing.T) {
	var stdout, stderr strings.Builder
	code := run(t.Context(), []string{"-n", "1Ki", "-runs", "1", "-cache", "warm", "-program", "square(x) = x*x"}, &stdout, &stderr,
		func(*config, error) ([]target, error, error) {
			b, err := cpu.Open()
			return []target{{Backend: wrongCalls{b}}}, nil, err
		})
	if want := "wrong result: square on cpu"; code != command.Wrong || !strings.Contains(stderr.String(), want) || !strings.Contains(stderr.String(), "element 77 of 1024 of the result y is") {
		t.Errorf("exit %d, %s; want 1 and %s", code, &stderr, want)
	}
}

// TestProgramReport: the report has the program in canonical text, and its scalars.
func TestProgramReport(t *testing.T) {
	var got []string
	for _, p := range testPrograms(t) {
		r := p.report()
		got = append(got, r.Scalars)
		r.Scalars = ""
		if q, err := expr.Parse(r.String()); err != nil || !q.Equal(p.Program) {
			t.Errorf("%v is no text of %s: %v", r, r.Name, err)
		}
	}
	if want := []string{"s=-0.25", "", "keep=0.75, seed=99", "e=true", "", "seed=99"}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("scalars are %q, want %q", got, want)
	}
	data, err := json.Marshal(report.Report{})
	if err != nil || strings.Contains(string(data), "programs") {
		t.Errorf("a report without programs: %v, %s", err, data)
	}
}
