//go:build opencl && cgo

package gpu

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/gpu/internal/opencl"
	"github.com/gmind-go/compute/internal/kernel"
	"github.com/gmind-go/compute/internal/openclc"
	"github.com/gmind-go/compute/kernels"
)

// libclc has the functions of OpenCL C for NVIDIA's GPUs, as Debian's package libclc-15 has them.
const libclc = "/usr/lib/clc/nvptx64--nvidiacl.bc"

// TestRegisters compiles kernels as for a GPU of NVIDIA, which is not needed for that: their arrays
// are in registers, not in memory, and reductions read aligned vectors whole.
func TestRegisters(t *testing.T) {
	clang, err := exec.LookPath("clang-15") // whose bitcode libclc is
	if _, missing := os.Stat(libclc); err != nil || missing != nil {
		t.Skipf("NOT tested: %v, %v", err, missing)
	}
	s := shapeFor(&opencl.Device{Type: opencl.GPU, MaxGroup: 1024})
	d := &device{found: &opencl.Device{Double: true, Fused: true, ExactDivision: true}, quick: func() bool { return true }}
	// ofProgram returns the source of the kernel of a program, which is reduced if reduce defines how.
	ofProgram := func(text, reduce string, scalars int) string {
		p := expr.MustParse(text)
		addresses := make([]kernel.Address, len(p.Args())) // Element
		for i := range scalars {
			addresses[len(addresses)-1-i] = kernel.Scalar
		}
		c := &code{kernel: kernel.New(p.IR(), addresses), name: "elementwise", shape: s}
		if reduce == "" {
			text, err = openclc.Print(c.kernel, d.printed(c))
		} else {
			c.shape.vectors = 1
			text, err = openclc.PrintValues(c.kernel, d.printed(c))
			text += kernels.Reduce
		}
		if err != nil {
			t.Fatal(err)
		}
		return reduce + d.defines(c.shape) + kernels.Prelude + "\n" + text
	}
	const shared = "#define ITEMS 16\n#define GROUP 128\n"
	sources := map[string]string{
		"leaky relu": d.defines(s) + kernels.Source,
		"masks":      d.defines(s.masked()) + kernels.Source,
		"exp":        ofProgram("f(x) = exp(x)", "", 0),
		"gelu":       ofProgram("f(x) = gelu(x)", "", 0),
		"adam": ofProgram(`func adam(w, m, v, g, rate, a, b, e float32) (w_, m_, v_ float32) {
			m_ = a*m + (1-a)*g
			v_ = b*v + (1-b)*g*g
			w_ = w - rate*m_/(sqrt(v_)+e)
			return
		}`, "", 4),
		"sum of rows":        ofProgram("f(x) = x", shared, 0),
		"sum of columns":     ofProgram("f(x) = x", shared+"#define COLUMNS\n", 0),
		"mean of exp":        ofProgram("f(x) = exp(x)", shared+"#define COLUMNS\n#define MEAN\n", 0),
		"maximum of columns": ofProgram("f(x, y) = x*y", shared+"#define COLUMNS\n#define MAXIMUM\n", 0),
		"peak":               d.defines(s) + kernels.Peak,
		"gather":             d.defines(s) + kernels.Gather,
	}
	for _, one := range groupTiles {
		of := s
		of.width, of.vectors, of.aligned = one.width, 1, false
		for transposes := range 4 {
			v := variant{one, transposes&1 != 0, transposes&2 != 0}
			sources[fmt.Sprintf("product %dx%d %d", one.rows(), one.columns(), transposes)] = d.defines(of) + one.defines(v) + kernels.MatMulTiles
		}
	}
	for name, source := range sources {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "kernel.cl")
			if err := os.WriteFile(file, []byte("#pragma OPENCL FP_CONTRACT OFF\n"+source), 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(clang, "-w", "-x", "cl", "-cl-std=CL1.2", "-target", "nvptx64-nvidia-nvcl", "-Xclang", "-finclude-default-header",
				"-Xclang", "-mlink-bitcode-file", "-Xclang", libclc, "-O3", "-S", "-o", "-", file)
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			ptx := string(out)
			if strings.Contains(ptx, "__local_depot") {
				t.Error("an array is in memory")
			}
			// One in each of the loops for whole chunks, or columns, and for others.
			if n := strings.Count(ptx, "ld.global.v4.f32"); strings.HasPrefix(source, shared) && n < 2 {
				t.Errorf("%d loads of aligned vectors, want 2 or more", n)
			}
		})
	}
}
