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
	// last are the addresses of its last arguments.
	ofProgram := func(text, reduce string, last ...kernel.Address) string {
		p := expr.MustParse(text)
		addresses := make([]kernel.Address, len(p.Args())) // Element
		copy(addresses[len(addresses)-len(last):], last)
		c := &code{kernel: kernel.New(p.IR(), addresses), name: "elementwise", shape: s}
		if openclc.Masked(c.kernel) {
			c.shape = s.masked()
		}
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
		"exp":        ofProgram("f(x) = exp(x)", ""),
		"gelu":       ofProgram("f(x) = gelu(x)", ""),
		"adam": ofProgram(`func adam(w, m, v, g, rate, a, b, e float32) (w_, m_, v_ float32) {
			m_ = a*m + (1-a)*g
			v_ = b*v + (1-b)*g*g
			w_ = w - rate*m_/(sqrt(v_)+e)
			return
		}`, "", kernel.Scalar, kernel.Scalar, kernel.Scalar, kernel.Scalar),
		"normal":             ofProgram("normal(x, mean, deviation) = (x - mean) / deviation", "", kernel.Row, kernel.Col),
		"dropout":            ofProgram("func drop(x float32, seed uint32) (y float32, kept bool) { kept = rand(seed, 1) < 0.5; y = where(kept, x, 0); return }", "", kernel.Scalar),
		"softmax":            ofProgram("f(z, m) = exp(z - m)", shared, kernel.Col),
		"sum of rows":        ofProgram("f(x) = x", shared),
		"sum of columns":     ofProgram("f(x) = x", shared+"#define COLUMNS\n"),
		"mean of exp":        ofProgram("f(x) = exp(x)", shared+"#define COLUMNS\n#define MEAN\n"),
		"maximum of columns": ofProgram("f(x, y) = x*y", shared+"#define COLUMNS\n#define MAXIMUM\n"),
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
