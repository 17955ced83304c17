package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/testenv/everywhere"
)

// The hashes of the weights after the standard course, and after its first steps. The README has
// them too.
const (
	shortSteps = 20
	shortHash  = "5c61b095087d7463d7b9260ed0d541e7bea07d2210e4c3590286ea2e214fd189"
	wholeHash  = "94faa23544f08538476a5fe57c47ead789d6f6fd1ae467c9ae80012062dae85e"
)

func TestMain(m *testing.M) { testenv.Main(m) }

// short is the standard course, or its first steps.
func short(steps int) course {
	c := standard
	c.steps = steps
	return c
}

// TestSameWeights: the network ends with the same weights on every backend, and with every
// instruction set.
func TestSameWeights(t *testing.T) {
	everywhere.Run(t, func(t *testing.T, b compute.Backend) {
		check(t, b, shortSteps, shortHash)
		if !testing.Short() {
			check(t, b, 0, wholeHash)
		}
	})
	for _, row := range []struct{ name, godebug string }{
		{"avx2", "cpu.avx512f=off"}, {"generic", "cpu.avx512f=off,cpu.avx2=off"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if runtime.GOARCH != "amd64" {
				t.Skip("NOT tested: the processor is no amd64")
			}
			if own := testenv.Open(t, cpu.Open).Info().Name; row.name == "avx2" && own == "cpu generic" {
				t.Skip("NOT tested: the processor has no AVX2, or this build no assembly")
			}
			program, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(program, "-test.run=^TestSameWeights$/^cpu$", "-test.short", "-test.v")
			cmd.Env = append(os.Environ(), "GODEBUG="+row.godebug)
			wantDevice(t, cmd, "cpu "+row.name)
		})
	}
	t.Run("neon", func(t *testing.T) {
		if runtime.GOARCH == "arm64" {
			t.Skip("the processor has it: see cpu")
		}
		if testenv.Raced {
			t.Skip("it takes long, and is the same without the race detector")
		}
		qemu, err := exec.LookPath("qemu-aarch64-static")
		if err != nil {
			testenv.Lacking(t, "qemu-aarch64-static, of qemu-user-static")
		}
		testenv.NeedsGo(t)
		program := filepath.Join(t.TempDir(), "digits")
		build := exec.Command("go", "build", "-o", program, ".")
		build.Env = append(os.Environ(), "GOOS=linux", "GOARCH=arm64", "CGO_ENABLED=0", "GOFLAGS=", "GOEXPERIMENT=")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		wantDevice(t, exec.Command(qemu, program, "-steps", "20"), "cpu neon")
	})
}

// check trains on b, and compares the hash.
func check(t *testing.T, b compute.Backend, steps int, want string) {
	t.Helper()
	r, err := short(steps).run(b, func(int, float32, float32) {})
	if err != nil {
		t.Fatal(err)
	}
	last := r.accuracies[len(r.accuracies)-1]
	t.Logf("on %s: %d steps, loss %.4f, %.2f %% right, SHA-256 of the weights: %s", b.Info().Name, len(r.losses), r.losses[len(r.losses)-1], 100*last, r.hash)
	if r.hash != want {
		t.Errorf("the hash of the weights after %d steps is %s, want %s", len(r.losses), r.hash, want)
	}
	if least := float32(0.96); steps == 0 && last < least {
		t.Errorf("only %v of the test images are right, want %v", last, least)
	}
	if info := b.Info(); info.LiveBuffers != 0 || info.LiveBytes != 0 {
		t.Errorf("%d buffers of %d bytes are left", info.LiveBuffers, info.LiveBytes)
	}
}

// wantDevice runs the short course in another process, which must use the device and print the
// hash.
func wantDevice(t *testing.T, cmd *exec.Cmd, device string) {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	if !regexp.MustCompile(`on `+regexp.QuoteMeta(device)+`\b`).Match(out) || !strings.Contains(string(out), shortHash) {
		t.Fatalf("not the hash %s on %s:\n%s", shortHash, device, out)
	}
	t.Logf("on %s: the same hash after %d steps", device, shortSteps)
}

// TestREADME: the README has the hashes.
func TestREADME(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, hash := range []string{shortHash, wholeHash} {
		if !strings.Contains(string(text), hash) {
			t.Errorf("it does not have %s", hash)
		}
	}
}

func TestRun(t *testing.T) {
	file := filepath.Join(t.TempDir(), "curves.svg")
	if err := run(testenv.Open(t, cpu.Open), short(30), file); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Size() < 1000 {
		t.Errorf("no figure: %v", err)
	}
	none := standard
	none.epochs = 0
	if err := run(testenv.Open(t, cpu.Open), none, filepath.Join(t.TempDir(), "none.svg")); err != nil {
		t.Errorf("no step: %v", err)
	}
}
