package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/linear"
	"github.com/gmind-go/compute/internal/units"
	"github.com/gmind-go/compute/internal/values"
)

const (
	colOpenBLAS = "OpenBLAS"
	colGemm     = "gonum"
)

// A shape is a product of matrices: its extents, and which of the factors are transposed.
type shape struct{ linear.Product }

// allShapes are the products that are measured by default.
var allShapes = "64x64x64,256x256x256,512x512x512,1000x1000x1000,1024x1024x1024,2048x2048x2048,64x784x128,1x1000x1000,1x4096x4096,4096x4096x1," +
	"512x512x512:tn,512x512x512:nt,1000x1000x1000:tn,1000x1000x1000:nt,784x64x128:tn,64x128x784:nt,1x1000x1000:nt,1x4096x4096:nt"

// parseShapes parses a list of shapes, or all.
func parseShapes(list string) (shapes []shape, err error) {
	if list == "all" {
		list = allShapes
	}
	for _, text := range strings.Split(list, ",") {
		size, form, _ := strings.Cut(text, ":")
		var s shape
		var rest string
		n, _ := fmt.Sscanf(size, "%dx%dx%d%s", &s.M, &s.K, &s.N, &rest)
		if n != 3 || min(s.M, s.K, s.N) < 1 || max(s.M, s.K, s.N) > 1<<14 || !slices.Contains([]string{"", "nn", "tn", "nt", "tt"}, form) {
			return nil, fmt.Errorf("%q is no product such as 64x784x128 or 64x784x128:tn, of at most %d rows", text, 1<<14)
		}
		s.TransposeA, s.TransposeB = strings.HasPrefix(form, "t"), strings.HasSuffix(form, "t")
		shapes = append(shapes, s)
	}
	return shapes, nil
}

func (s shape) form() string {
	letter := map[bool]string{true: "t", false: "n"}
	return letter[s.TransposeA] + letter[s.TransposeB]
}

// String returns the name of the operation in tables.
func (s shape) String() string {
	name := fmt.Sprintf("%d × %d × %d", s.M, s.K, s.N)
	if s.TransposeA {
		name += ", A transposed"
	}
	if s.TransposeB {
		name += ", B transposed"
	}
	return name
}

// request returns the name of the operation for peers.
func (s shape) request() string { return fmt.Sprintf("%s-%d-%d-%d", s.form(), s.M, s.K, s.N) }

// operations returns the number of floating-point operations.
func (s shape) operations() int { return 2 * s.M * s.K * s.N }

// productContestants returns the contestants of a product of the values of h, and what releases
// their buffers.
func productContestants(s shape, b compute.Backend, rivals []*rival, h *memory) (list []*contestant, release func(), err error) {
	x, y := h.x[:s.M*s.K], h.dy[:s.K*s.N]
	var bufs []compute.Buffer
	release = func() {
		for _, buf := range bufs {
			buf.Release()
		}
	}
	for _, v := range [][]float32{x, y, make([]float32, s.M*s.N)} {
		buf, err := b.Upload(v)
		if err != nil {
			return nil, release, err
		}
		bufs = append(bufs, buf)
	}
	add := func(column string, time func(calls int) (float64, error), result func(dst []float32) error) {
		list = append(list, &contestant{column: column, op: s.String(), bytes: 1, time: time, result: result})
	}
	var options []compute.MatMulOption
	if s.TransposeA {
		options = append(options, compute.TransposeA)
	}
	if s.TransposeB {
		options = append(options, compute.TransposeB)
	}
	l, ok := compute.As[compute.Linear](b)
	if !ok {
		return nil, release, errors.New("the backend multiplies no matrices")
	}
	ours := func() error { return l.MatMul(bufs[2], bufs[0], s.M, s.K, bufs[1], s.N, options...) }
	add(colOurs, timeGo(ours), func(dst []float32) error { return errors.Join(ours(), bufs[2].Read(dst[:s.M*s.N])) })
	for _, r := range rivals {
		add(r.column, func(calls int) (float64, error) { return r.time(s.request(), calls) },
			func(dst []float32) error { return r.resultOf(s.request(), h, dst) })
	}
	general := func(rows, columns int, v []float32, transposed bool) (blas32.General, blas.Transpose) {
		if transposed {
			return blas32.General{Rows: columns, Cols: rows, Stride: rows, Data: v}, blas.Trans
		}
		return blas32.General{Rows: rows, Cols: columns, Stride: columns, Data: v}, blas.NoTrans
	}
	a, transA := general(s.M, s.K, x, s.TransposeA)
	bb, transB := general(s.K, s.N, y, s.TransposeB)
	multiply := func(dst []float32) error {
		blas32.Gemm(transA, transB, 1, a, bb, 0, blas32.General{Rows: s.M, Cols: s.N, Stride: s.N, Data: dst[:s.M*s.N]})
		return nil
	}
	add(colGemm, timeGo(func() error { return multiply(h.work) }), multiply)
	return list, release, nil
}

// verifyProduct compares a sample of all results with the reference, as verifyFunctions does. A
// peer may add in another order.
func verifyProduct(list []*contestant, s shape, h *memory) error {
	x, y := h.x[:s.M*s.K], h.dy[:s.K*s.N]
	for _, c := range list {
		if c.Err = c.result(h.out); c.Err != nil {
			if c.ours() {
				return c.Err
			}
			continue
		}
		size := s.M * s.N
		count := min(verified, size)
		for k := range count {
			i := k * (size - 1) / max(1, count-1)
			got, want := h.out[i], s.element(x, y, i/s.N, i%s.N)
			near := math.Abs(float64(got)-float64(want)) <= tolerance*float64(s.K)
			if values.Same(got, want) || near && !c.ours() {
				continue
			}
			c.wrong = fmt.Sprintf("%s, not %s, in row %d and column %d", values.Show(got), values.Show(want), i/s.N, i%s.N)
			if c.ours() {
				return fmt.Errorf("%s of %s: %s", c.op, c.column, c.wrong)
			}
			break
		}
	}
	return nil
}

// element returns the reference of an element: the product of a row and a column.
func (s shape) element(x, y []float32, i, j int) float32 {
	row, column := make([]float32, s.K), make([]float32, s.K)
	for l := range s.K {
		row[l], column[l] = x[i*s.K+l], y[l*s.N+j]
		if s.TransposeA {
			row[l] = x[l*s.M+i]
		}
		if s.TransposeB {
			column[l] = y[j*s.K+l]
		}
	}
	var c [1]float32
	linear.MatMul(linear.Product{M: 1, K: s.K, N: 1}, c[:], row, column)
	return c[0]
}

// A productReport has the results of the comparison of products. In them, N is the number of
// floating-point operations, and GBps that of 1e9 in a second.
type productReport struct {
	Peers   []string `json:"peers"` // names with versions, or why they are missing
	Rounds  int      `json:"rounds"`
	Results []result `json:"results"`
	Notes   []string `json:"notes,omitempty"`

	columns []string
}

// measureProducts measures the products of c, and adds the results to r.
func measureProducts(c config, b compute.Backend, all *report, progress io.Writer) error {
	rivals := []*rival{{column: colOpenBLAS, peer: startPeer(c.openblas)}, {column: colRuntime, peer: startPeer(c.onnxruntime)}}
	r := &productReport{Rounds: c.functionRounds, columns: []string{colOurs}}
	all.Products = r
	for _, who := range rivals {
		defer who.stop()
		r.Peers = append(r.Peers, who.String())
		if who.err == nil {
			r.columns = append(r.columns, who.column)
		}
	}
	r.columns = append(r.columns, colGemm)
	for _, s := range c.products {
		fmt.Fprintf(progress, "measuring %v\n", s)
		n := max(s.M*s.K, s.K*s.N, s.M*s.N)
		h := newMemory(values.Normal(n, 1), values.Normal(n, 2))
		list, release, err := productContestants(s, b, rivals, h)
		if err == nil {
			err = verifyProduct(list, s, h)
		}
		if err == nil {
			err = compete(list, c.functionRounds, c.functionRest, c)
		}
		release()
		if err != nil {
			return err
		}
		r.add(s, list)
	}
	return nil
}

// add adds the results of a shape. That of this library comes first.
func (r *productReport) add(s shape, list []*contestant) {
	for _, c := range list {
		res := newResult(s.operations(), c)
		if ours := findResult(r.Results, colOurs, c.op, res.N); ours != nil && res.GBps > 0 {
			res.Ratio = ours.GBps / res.GBps
		}
		if c.wrong != "" {
			r.Notes = append(r.Notes, fmt.Sprintf("WRONG: %v of %s: %s.", s, c.column, c.wrong))
		}
		r.Results = append(r.Results, res)
	}
}

func (r *productReport) print(w io.Writer) {
	fmt.Fprint(w, "\nProducts of matrices, of m rows and k columns with k rows and n columns, of normal values.\n")
	for _, name := range r.Peers {
		fmt.Fprintf(w, "- %s\n", name)
	}
	fmt.Fprintf(w, "\n%d rounds, fewer of a call that takes long. Gflop/s by the median, and the speedup of this library:\n\n", r.Rounds)
	r.table(w, func(res *result) float64 { return res.MedianNS })
	fmt.Fprint(w, "\nThe same by the minimum, which other work on the machine disturbs less:\n\n")
	r.table(w, func(res *result) float64 { return res.MinNS })
	for _, note := range r.Notes {
		fmt.Fprintf(w, "\n%s\n", note)
	}
}

// table prints a row for each shape, by some time of a result.
func (r *productReport) table(w io.Writer, time func(res *result) float64) {
	rows := [][]string{append([]string{"m × k × n"}, r.columns...)}
	for _, ours := range r.Results {
		if ours.Who != colOurs {
			continue
		}
		row := []string{ours.Op}
		for _, who := range r.columns {
			cell := ""
			switch res := findResult(r.Results, who, ours.Op, ours.N); {
			case res == nil:
			case res.Missing != "":
				cell = res.Missing
			default:
				cell = units.Digits(float64(res.N) / time(res))
				if who != colOurs {
					cell += fmt.Sprintf(" (%sx)", units.Digits(time(res)/time(&ours)))
				}
			}
			row = append(row, cell)
		}
		rows = append(rows, row)
	}
	printTable(w, 1, rows)
}
