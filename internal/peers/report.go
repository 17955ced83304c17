package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/units"
)

// A report has the results, for -json and the tables.
type report struct {
	Library string   `json:"library"`
	Go      string   `json:"go"`
	OneDNN  string   `json:"onednn"`  // version; "" if it is missing
	PyTorch string   `json:"pytorch"` // likewise
	Numexpr string   `json:"numexpr"` // likewise
	Threads int      `json:"threads"` // of each
	Rounds  int      `json:"rounds"`
	Results []result `json:"results"`
	Notes   []string `json:"notes,omitempty"` // descriptions of wrong results

	Functions *functionReport `json:"functions,omitempty"`
	Products  *productReport  `json:"products,omitempty"`
}

// A result is one measurement.
type result struct {
	Who      string  `json:"who"` // the column of the table
	Op       string  `json:"op"`  // forward, derivative, backward, training, chain, chain in place or copy
	N        int     `json:"n"`   // elements
	Bytes    int     `json:"bytes"`
	MedianNS float64 `json:"median_ns"` // of one call
	MinNS    float64 `json:"min_ns"`
	GBps     float64 `json:"gbps"`               // 1e9 bytes per second, by the median
	Ratio    float64 `json:"ratio,omitempty"`    // the speedup of this library, by the medians
	Missing  string  `json:"missing,omitempty"`  // why nothing was measured
	Verified bool    `json:"verified,omitempty"` // every bit is that of the reference
}

func (r *report) add(n int, list []*contestant) {
	for _, c := range list {
		res := newResult(n, c)
		if c.wrong != "" {
			r.Notes = append(r.Notes, fmt.Sprintf("WRONG: %s of %s, %s elements: %s.", c.op, c.column, units.Count(n), c.wrong))
		}
		r.Results = append(r.Results, res)
	}
	for i := range r.Results {
		res := &r.Results[i]
		if ours := r.find(res.rival(), res.Op, n); res.N == n && ours != nil && res.GBps > 0 {
			res.Ratio = ours.GBps / res.GBps
		}
	}
}

// newResult returns the result of c on n elements.
func newResult(n int, c *contestant) result {
	res := result{Who: c.column, Op: c.op, N: n, Bytes: c.bytes * n, Verified: c.wrong == ""}
	if c.Err != nil {
		res.Missing, res.Verified = c.Err.Error(), false
		return res
	}
	res.MedianNS, res.MinNS = c.Median(), slices.Min(c.NS)
	res.GBps = float64(res.Bytes) / res.MedianNS
	return res
}

// rival returns the column of this library that a result is compared with.
func (res *result) rival() string {
	if res.Who == colTorchFresh {
		return colFresh
	}
	return colOurs
}

func (r *report) find(who, op string, n int) *result { return findResult(r.Results, who, op, n) }

// findResult returns a result of the list, or nil.
func findResult(list []result, who, op string, n int) *result {
	for i := range list {
		if res := &list[i]; res.Who == who && res.Op == op && res.N == n {
			return res
		}
	}
	return nil
}

// cell returns the result shown in a column, or nil.
func (r *report) cell(who, op string, n int) *result {
	switch {
	case who == colCopy:
		op = "copy"
	case op == "derivative" && (who == colOneDNN || who == colTorch):
		op = "forward" // see the text of print
	}
	return r.find(who, op, n)
}

func (r *report) print(w io.Writer) {
	peerName := func(name, column string) string {
		if name != "" {
			return name
		}
		return column + " missing" // the cells have the reason
	}
	fmt.Fprintf(w, "\n%s (%s), %s, %s, %s; %d threads each, LeakyReLU(%v), normal float32 values, %d rounds.\n",
		r.Library, r.Go, peerName(r.OneDNN, "oneDNN"), peerName(r.PyTorch, "PyTorch"), peerName(r.Numexpr, "numexpr"), r.Threads, slope, r.Rounds)

	columns := []string{colCopy, colOurs, colOneDNN, colTorch, colLoop, colGonum, colFresh, colTorchFresh}
	var ops []string
	for _, fm := range form.Plain() {
		ops = append(ops, fm.String())
	}
	ops = append(ops, training)
	time := func(_ string, res *result) string {
		return fmt.Sprintf("%s (%s)", units.Duration(res.MedianNS), units.Duration(res.MinNS))
	}

	fmt.Fprint(w, "\nGB/s by the median, and the speedup of this library:\n\n")
	r.table(w, columns, ops, func(op string, res *result) string {
		// Not res.Ratio, since a cell may be in the row of another operation.
		ours := r.find(res.rival(), op, res.N)
		if res.Who == colOurs || res.Who == colFresh || ours == nil {
			return units.Digits(res.GBps)
		}
		return fmt.Sprintf("%s (%sx)", units.Digits(res.GBps), units.Digits(ours.GBps/res.GBps))
	})
	fmt.Fprint(w, "\nTime of one call, median (minimum):\n\n")
	r.table(w, columns, ops, time)
	fmt.Fprint(w, `
A GB is 1e9 bytes that must be moved: 8 per element for forward, derivative and copy,
12 for backward. Training is forward and backward. This library uses a mask, in place,
and moves 16.25 bytes; the others move 20. All are counted as 16, so the speedup is the
ratio of the times. Copy is the limit of this run. Fresh allocates a new output in each
call: Alloc, Forward and Release, compared with F.leaky_relu. oneDNN and PyTorch have no
derivative; its rows show their forward, which moves as many bytes. Scal multiplies all
values by a number, in place, and is the closest function of gonum.

A program of ten operations: multiply, add, fma, abs, max, where, multiply, subtract, fma,
multiply. The time of one call as a multiple of that of the copy, which moves as many bytes,
and the speedup of this library:

`)
	columns, ops = []string{colOurs, colNumexpr, colEager}, nil
	for _, c := range chains {
		ops = append(ops, c.op)
	}
	r.table(w, columns, ops, func(_ string, res *result) string {
		cell := ""
		if copied := r.find(colCopy, "copy", res.N); copied != nil {
			cell = units.Digits(res.MedianNS / copied.MedianNS)
		}
		if res.Who != colOurs {
			cell += fmt.Sprintf(" (%sx)", units.Digits(res.Ratio))
		}
		return cell
	})
	fmt.Fprint(w, "\nTime of one call, median (minimum):\n\n")
	r.table(w, columns, ops, time)
	for _, note := range r.Notes {
		fmt.Fprintf(w, "\n%s\n", note)
	}
}

// table prints a row for each operation and size.
func (r *report) table(w io.Writer, columns, ops []string, format func(op string, res *result) string) {
	rows := [][]string{append([]string{"operation", "elements"}, columns...)}
	for _, op := range ops {
		for _, res := range r.Results {
			if res.Who != colOurs || res.Op != op {
				continue
			}
			row := []string{op, units.Count(res.N)}
			for _, who := range columns {
				cell := ""
				switch res := r.cell(who, op, res.N); {
				case res != nil && res.Missing != "":
					cell = res.Missing
				case res != nil:
					cell = format(op, res)
				}
				row = append(row, cell)
			}
			rows = append(rows, row)
		}
	}
	printTable(w, 1, rows)
}

// printTable prints rows in Markdown. The first is the header, and the first columns have text.
func printTable(w io.Writer, text int, rows [][]string) {
	t := tabwriter.NewWriter(w, 0, 0, 1, ' ', 0)
	line := func(cells []string) { fmt.Fprintln(t, "| "+strings.Join(cells, "\t| ")+"\t|") }
	for i, row := range rows {
		line(row)
		if i == 0 {
			line(append(slices.Repeat([]string{"---"}, text), slices.Repeat([]string{"---:"}, len(row)-text)...))
		}
	}
	t.Flush()
}
