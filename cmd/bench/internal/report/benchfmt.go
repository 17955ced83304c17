package report

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"

	"github.com/gmind-go/compute/internal/units"
)

// WriteBenchfmt writes the times in Go's benchmark format
// (https://go.dev/design/14313-benchmark-format), which benchstat reads. Each run is a
// line, with a name such as
//
//	BenchmarkForward/backend=cpu/device=avx512/n=1Ki/data=device/cache=cold-2
//
// The configuration has the machine, the slope and the input. Doubtful results are comments.
func (r *Report) WriteBenchfmt(w io.Writer) error {
	var text bytes.Buffer // writing to it cannot fail
	for _, c := range [][2]string{
		{"goos", r.Environment.OS},
		{"goarch", r.Environment.Arch},
		{"pkg", "github.com/gmind-go/compute"},
		{"cpu", r.Environment.CPU},
		{"slope", strconv.FormatFloat(float64(r.Slope), 'g', -1, 32)},
		{"input", r.Input},
	} {
		fmt.Fprintf(&text, "%s: %s\n", c[0], collapse(c[1]))
	}
	fmt.Fprint(&text, "\nUnit GB/s better=higher\n\n")
	number := func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
	for _, res := range r.Results {
		name := r.benchmarkName(res)
		for _, doubt := range res.remarks() {
			fmt.Fprintf(&text, "# %s: %s\n", name, collapse(doubt))
		}
		comment := ""
		if doubtful(res) {
			comment = "# "
		}
		for _, ns := range res.TimesNS {
			fmt.Fprintf(&text, comment+"%s %d %s ns/op %s GB/s\n", name, res.Calls, number(ns), number(float64(res.Bytes)/ns))
		}
	}
	_, err := w.Write(text.Bytes())
	return err
}

// benchmarkName returns a name that ends with the number of cores unless that is 1, as in
// package testing.
func (r *Report) benchmarkName(res Result) string {
	backend := r.device(res.Device).Backend
	device := strings.TrimPrefix(res.Device, backend+" ")
	name := "Benchmark"
	if res.Op != "" {
		name += strings.ToUpper(res.Op[:1]) + namePart(res.Op[1:])
	}
	name += "/backend=" + namePart(backend) + "/device=" + namePart(device) +
		"/n=" + namePart(units.Count(res.N)) + "/data=" + namePart(res.Data) + "/cache=" + namePart(res.Cache)
	if cores := r.Environment.Cores; cores > 1 {
		name += fmt.Sprintf("-%d", cores)
	}
	return name
}

// namePart returns text with underscores for characters that end a name or a part of it, or
// are unusual in one.
func namePart(text string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsLetter(c) || unicode.IsDigit(c) || strings.ContainsRune("-+.", c) {
			return c
		}
		return '_'
	}, text)
}
