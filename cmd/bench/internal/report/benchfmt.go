package report

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gmind-go/compute/internal/units"
)

// WriteBenchfmt writes the times in Go's benchmark format
// (https://go.dev/design/14313-benchmark-format), which benchstat reads. Each run is a
// line, with a name such as
//
//	BenchmarkForward/backend=cpu/device=avx512/n=1Ki/data=device/cache=cold-2
//
// The configuration has the machine, the slope, the programs and the input. Doubtful results are comments.
func (r *Report) WriteBenchfmt(w io.Writer) error {
	var text bytes.Buffer // writing to it cannot fail
	configure := func(key, value string) { fmt.Fprintf(&text, "%s: %s\n", key, collapse(value)) }
	configure("goos", r.Environment.OS)
	configure("goarch", r.Environment.Arch)
	configure("pkg", "github.com/gmind-go/compute")
	configure("cpu", r.Environment.CPU)
	if r.Activation != "" {
		configure("slope", strconv.FormatFloat(float64(r.Slope), 'g', -1, 32))
	}
	for i, p := range r.Programs {
		configure(fmt.Sprintf("program%d", 1+i), p.String())
	}
	configure("input", r.Input)
	fmt.Fprint(&text, "\nUnit GB/s better=higher\n")
	if slices.ContainsFunc(r.Results, func(res Result) bool { return res.Flop > 0 }) {
		fmt.Fprint(&text, "Unit GFLOP/s better=higher\n")
	}
	fmt.Fprint(&text, "\n")
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
			_, unit := res.speed() // of Bytes or Flop, of which one is 0
			fmt.Fprintf(&text, comment+"%s %d %s ns/op %s %s\n", name, res.Calls, number(ns), number((float64(res.Bytes)+res.Flop)/ns), unit)
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
	first, size := utf8.DecodeRuneInString(res.Op)
	name := "Benchmark"
	if size > 0 {
		name += namePart(string(unicode.ToUpper(first)) + res.Op[size:])
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
