package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/gmind-go/compute/internal/units"
)

// A functionReport has the results of the comparison of functions.
type functionReport struct {
	Functions []string `json:"functions"`
	Peers     []string `json:"peers"` // names with versions, or why they are missing
	Rounds    int      `json:"rounds"`
	Results   []result `json:"results"` // Op is a function and a form, or "copy"
	Notes     []string `json:"notes,omitempty"`

	columns []string // of the peers that are there
}

// newFunctionReport returns a report without results.
func newFunctionReport(c config, rivals []*rival) *functionReport {
	r := &functionReport{Functions: c.functions, Rounds: c.functionRounds}
	for _, who := range rivals {
		r.Peers = append(r.Peers, who.String())
		if who.err == nil {
			r.columns = append(r.columns, who.column)
		}
	}
	return r
}

// add adds the results of one size. Those of this library come first.
func (r *functionReport) add(n int, list []*contestant) {
	for _, c := range list {
		res := newResult(n, c)
		if ours := findResult(r.Results, colOurs, c.op, n); ours != nil && ours.GBps > 0 && res.GBps > 0 {
			res.Ratio = ours.GBps / res.GBps
		}
		if c.wrong != "" {
			r.Notes = append(r.Notes, fmt.Sprintf("WRONG: %s of %s, %s elements: %s.", c.op, c.column, units.Count(n), c.wrong))
		}
		r.Results = append(r.Results, res)
	}
}

// takesTooLong reports whether a call of c with n elements would take longer than longestRun,
// by the largest number of elements below.
func (r *functionReport) takesTooLong(c *contestant, n int) bool {
	for _, res := range slices.Backward(r.Results) {
		if res.Who == c.column && res.Op == c.op && res.N < n {
			return res.MinNS/float64(res.N)*float64(n) > float64(longestRun)
		}
	}
	return false
}

func (r *functionReport) print(w io.Writer) {
	fmt.Fprint(w, "\nFunctions of normal values with the standard deviation 2.\n")
	for _, name := range r.Peers {
		fmt.Fprintf(w, "- %s\n", name)
	}
	fmt.Fprintf(w, `
%d rounds, fewer of a call that takes long. An empty cell: the peer has no such function, or
a call takes more than half a second, by the next smaller size. Copy is the limit of this run,
for 8 bytes per element; backward moves 12.
`, r.Rounds)
	columns := append([]string{colCopy, colOurs}, r.columns...)
	for _, group := range r.groups() {
		title := strings.Join(group, ", ")
		fmt.Fprintf(w, "\n%s: GB/s by the median, and the speedup of this library:\n\n", title)
		r.table(w, group, columns, func(res *result) string {
			if res.Ratio == 0 || res.Who == colOurs {
				return units.Digits(res.GBps)
			}
			return fmt.Sprintf("%s (%sx)", units.Digits(res.GBps), units.Digits(res.Ratio))
		})
		fmt.Fprintf(w, "\n%s: ns for an element, median (minimum):\n\n", title)
		r.table(w, group, columns, func(res *result) string {
			n := float64(res.N)
			return fmt.Sprintf("%s (%s)", units.Digits(res.MedianNS/n), units.Digits(res.MinNS/n))
		})
	}
	for _, note := range r.Notes {
		fmt.Fprintf(w, "\n%s\n", note)
	}
}

// groups returns the functions of each table: one, or all if each has only a few results.
func (r *functionReport) groups() (groups [][]string) {
	for _, res := range r.Results {
		if res.N == r.Results[0].N {
			continue
		}
		for _, name := range r.Functions {
			groups = append(groups, []string{name})
		}
		return groups
	}
	return [][]string{r.Functions}
}

// table prints a row for each form and size of some functions.
func (r *functionReport) table(w io.Writer, functions, columns []string, format func(res *result) string) {
	rows := [][]string{append([]string{"operation", "elements"}, columns...)}
	for _, name := range functions {
		for _, form := range functionForms {
			op := name + " " + form.name
			for _, ours := range r.Results {
				if ours.Who == colOurs && ours.Op == op {
					rows = append(rows, r.row(name, op, ours.N, columns, format))
				}
			}
		}
	}
	printTable(w, 1, rows)
}

// row returns the cells of an operation on n elements.
func (r *functionReport) row(name, op string, n int, columns []string, format func(res *result) string) []string {
	row := []string{op, units.Count(n)}
	for _, who := range columns {
		op := op
		if who == colCopy {
			op = name + " copy"
		}
		cell := ""
		switch res := findResult(r.Results, who, op, n); {
		case res != nil && res.Missing != "":
			cell = res.Missing
		case res != nil:
			cell = format(res)
		}
		row = append(row, cell)
	}
	return row
}
