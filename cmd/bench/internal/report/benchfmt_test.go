package report

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/gmind-go/compute/internal/testenv"
)

func TestBenchfmt(t *testing.T) {
	r := measured(1, 0.1, 2)
	r.Environment.CPU = "A\nCPU"
	r.Results = r.Results[1:5]
	for i := range r.Results {
		r.Results[i].TimesNS = []float64{1e10 / 3, 4000}
	}
	r.Results[2].Verified = false
	r.Results[2].Doubts = []string{"clocks\nchanged"}
	var text bytes.Buffer
	if err := r.WriteBenchfmt(&text); err != nil {
		t.Fatal(err)
	}
	want := `goos: linux
goarch: amd64
pkg: github.com/gmind-go/compute
cpu: A CPU
slope: 0.01
input: normal

Unit GB/s better=higher

`
	const doubt = "# BenchmarkCopy/backend=opencl/device=A_B__C___D_/n=1000/data=device/cache=cold-2: "
	for i, name := range []string{
		"BenchmarkForward/backend=cpu/device=avx512/n=1000/data=device/cache=cold-2",
		"BenchmarkBackward/backend=cpu/device=avx512/n=1000/data=device/cache=cold-2",
		"BenchmarkCopy/backend=opencl/device=A_B__C___D_/n=1000/data=device/cache=cold-2",
		"BenchmarkForward/backend=opencl/device=A_B__C___D_/n=1000/data=device/cache=cold-2",
	} {
		if i == 2 {
			name = "# " + name // no figure to compare with
			want += doubt + "not verified\n" + doubt + "clocks changed\n"
		}
		want += name + " 10 3333333333.3333335 ns/op 0.0000024 GB/s\n" + name + " 10 4000 ns/op 2 GB/s\n"
	}
	if text.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &text, want)
	}
	if err := r.WriteBenchfmt(full{}); err != errFull {
		t.Errorf("nowhere to write to: %v", err)
	}

	r.Environment.Cores = 1
	if name := r.benchmarkName(r.Results[0]); !strings.HasSuffix(name, "/cache=cold") {
		t.Errorf("on one core: %s", name)
	}
}

// benchstat builds the program of the Go project that reads the format. See
// testenv.Lacking.
func benchstat(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "benchstat")
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	cmd := exec.Command("go", "build", "-o", name, "golang.org/x/perf/cmd/benchstat")
	cmd.Dir = filepath.FromSlash("../../../../internal/tools")
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		testenv.Lacking(t, "benchstat, which cannot be built: %v: %s", err, out)
	}
	return name
}

// TestBenchstat: the real reader sees every measurement, and which is slower.
func TestBenchstat(t *testing.T) {
	program, dir := benchstat(t), t.TempDir()
	old := measured(1, 0.01, 11)
	onCPU := func(res Result) bool { return res.Device == testCPU && isForward(res) }
	for name, r := range map[string]*Report{"old": old, "new": slowed(measured(1, 0.01, 11), 2, onCPU)} {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := r.WriteBenchfmt(f); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(program, "old", "new")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	head, tables, _ := strings.Cut(string(out), "│")
	for _, line := range []string{"goos: linux", "goarch: amd64", "pkg: github.com/gmind-go/compute", "cpu: A CPU", "slope: 0.01", "input: normal"} {
		if !strings.Contains(head, line+"\n") {
			t.Errorf("benchstat does not know %q: %s", line, out)
		}
	}
	time, speed, both := strings.Cut(tables, "GB/s")
	if !both {
		t.Fatalf("no table of GB/s: %s", out)
	}
	for _, res := range old.Results {
		name := strings.TrimPrefix(old.benchmarkName(res), "Benchmark")
		timeWant, speedWant := `~ \(p=1\.000 n=11\)`, `~ \(p=1\.000 n=11\)`
		if onCPU(res) {
			timeWant, speedWant = `\+100\.00% \(p=0\.000 n=11\)`, `-50\.00% \(p=0\.000 n=11\)`
		}
		for _, table := range []struct{ text, want string }{{time, timeWant}, {speed, speedWant}} {
			if line := fmt.Sprintf(`(?m)^%s .* %s`, regexp.QuoteMeta(name), table.want); !regexp.MustCompile(line).MatchString(table.text) {
				t.Errorf("no line %s in %s", line, table.text)
			}
		}
	}
}
