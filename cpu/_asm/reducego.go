package main

import (
	"fmt"
	"strings"
)

// goFolds returns the file of the folds in plain Go.
func goFolds() []byte {
	var b strings.Builder
	b.WriteString(generated + "package cpu\n\nimport (\n\"math\"\n\"unsafe\"\n)\n")
	for _, f := range folds {
		of := func(d, x string) string { return d + " = " + fmt.Sprintf(f.goOf, d, x) }
		fmt.Fprintf(&b, `
// %[1]sColumnsGeneric computes %[2]s.
func %[1]sColumnsGeneric(a *foldArgs) {
	for from := 0; from < a.n; from += foldLanes {
		d := (*[foldLanes]float32)(unsafe.Add(a.dst, 4*from))
		for r := range a.rows {
			x := (*[foldLanes]float32)(unsafe.Add(a.src, 4*(r*a.stride+from)))
			for i := range d {
				%[3]s
			}
		}
	}
}
`, f.name, fmt.Sprintf(foldKernels[0].doc, f.name), of("d[i]", "x[i]"))
		fmt.Fprintf(&b, `
// %[1]sRowsGeneric computes %[2]s.
func %[1]sRowsGeneric(a *foldArgs) {
	dst := unsafe.Slice((*float32)(a.dst), a.rows)
	for r := range dst {
		var lanes [foldLanes]float32
		%[3]s
		row := unsafe.Slice((*float32)(unsafe.Add(a.src, 4*r*a.stride)), a.n)
		for ; len(row) >= foldLanes; row = row[foldLanes:] {
			x := (*[foldLanes]float32)(row)
			for i := range lanes {
				%[4]s
			}
		}
		for i, x := range row {
			%[5]s
		}
		for half := foldLanes / 2; half > 0; half /= 2 {
			low, high := lanes[:half], lanes[half:2*half]
			for i := range low {
				%[6]s
			}
		}
		dst[r] = lanes[0]
	}
}
`, f.name, fmt.Sprintf(foldKernels[1].doc, f.name), f.goNone(), of("lanes[i]", "x[i]"), of("lanes[i]", "x"), of("low[i]", "high[i]"))
	}
	return formatted(b.String())
}

// goNone returns what sets the lanes to none.
func (f fold) goNone() string {
	if f.none == 0 {
		return ""
	}
	return fmt.Sprintf("for i := range lanes {\nlanes[i] = math.Float32frombits(%#x)\n}", uint64(f.none))
}
