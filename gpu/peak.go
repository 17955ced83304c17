//go:build opencl && cgo

package gpu

import (
	"fmt"
	"strings"
	"sync"

	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/driver"
	"github.com/gmind-go/compute/internal/kernel"
	"github.com/gmind-go/compute/internal/values"
)

// Of each of peakElements elements, Peak computes chains that do not depend on each other.
const (
	peakElements = 1 << 22
	peakRow      = 64 // the values that the elements repeat
	peakChains   = 8
	peakLinks    = 32
)

// peakKernel is the kernel of Peak.
var peakKernel = sync.OnceValue(func() *kernel.Kernel {
	var text strings.Builder
	text.WriteString("func peak(x float32) (y float32) {\n")
	for i := range peakChains {
		fmt.Fprintf(&text, "c%d := %d.5 * x\n", i, i+1)
	}
	for range peakLinks {
		for i := range peakChains {
			fmt.Fprintf(&text, "c%d = fma(c%[1]d, x, x)\n", i)
		}
	}
	text.WriteString("return c0")
	for i := 1; i < peakChains; i++ {
		fmt.Fprintf(&text, " + c%d", i)
	}
	text.WriteString("\n}")
	return kernel.New(expr.MustParse(text.String()).IR(), []kernel.Address{kernel.Row})
})

// Peak computes a program of chains of fma, and waits for it: see form.Peaker. The first call
// compiles it.
func (d *device) Peak() (flop float64, err error) {
	k := peakKernel()
	code, err := d.Compile(k)
	if err != nil {
		return 0, err
	}
	y, err := d.Alloc(peakElements, false)
	if err != nil {
		return 0, err
	}
	defer d.Free(y)
	x, err := d.Alloc(peakRow, false)
	if err != nil {
		return 0, err
	}
	defer d.Free(x)
	if err := d.Write(x, values.Uniform(peakRow, 1)); err != nil { // the chains stay finite
		return 0, err
	}
	err = d.Launch(&driver.Call{Kernel: k, Code: code, N: peakElements, Total: peakElements, Operands: []kernel.Operand[driver.Memory]{
		{Memory: y, Len: peakElements}, {Memory: x, Len: peakRow},
	}})
	if err == nil {
		err = d.Sync()
	}
	return 2 * peakChains * peakLinks * peakElements, err
}
