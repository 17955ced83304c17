// Package gonum copies vectors and matrices of gonum to buffers of a backend and back: those of
// blas32, with any increment or stride, and the Dense and VecDense of mat, whose elements are
// float64. Each Upload makes a buffer, and each Write fills one that exists.
package gonum

import (
	"cmp"
	"fmt"

	"gonum.org/v1/gonum/blas/blas32"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/check"
)

// UploadVector returns a new buffer with the v.N elements of v. Errors: ErrLength, if v is
// not a vector; ErrUnavailable, if b is nil; and those of Backend.Upload.
func UploadVector(b compute.Backend, v blas32.Vector) (compute.Buffer, error) {
	const op = "upload"
	if err := cmp.Or(checkBackend(b), checkVector(op, v.N, v.Inc, len(v.Data))); err != nil {
		return nil, err
	}
	return b.Upload(packVector(v))
}

// WriteVector copies the v.N elements of v to buf, which has as many. It makes no copy of them
// if v.Inc is 1. Errors: ErrLength; ErrForeignBuffer, if buf is nil; and those of Buffer.Write.
func WriteVector(buf compute.Buffer, v blas32.Vector) error {
	const op = "write"
	if err := cmp.Or(checkVector(op, v.N, v.Inc, len(v.Data)), checkLen(op, v.N, buf)); err != nil {
		return err
	}
	return buf.Write(packVector(v))
}

// ReadVector copies buf, which has v.N elements, to v. It does not change the values between
// the elements of v. Errors: ErrLength; ErrForeignBuffer, if buf is nil; and those of
// Buffer.Read.
func ReadVector(v blas32.Vector, buf compute.Buffer) error {
	const op = "read"
	if err := cmp.Or(checkVector(op, v.N, v.Inc, len(v.Data)), checkLen(op, v.N, buf)); err != nil {
		return err
	}
	if v.Inc == 1 {
		return buf.Read(v.Data[:v.N])
	}
	packed := make([]float32, v.N)
	if err := buf.Read(packed); err != nil {
		return err
	}
	each(v.N, v.Inc, func(i, at int) { v.Data[at] = packed[i] })
	return nil
}

// packVector returns the elements of v: part of v.Data if the increment is 1.
func packVector(v blas32.Vector) []float32 {
	if v.Inc == 1 {
		return v.Data[:v.N]
	}
	packed := make([]float32, v.N)
	each(v.N, v.Inc, func(i, at int) { packed[i] = v.Data[at] })
	return packed
}

// each calls do with every index of a vector of n elements and its position in the data. If the
// increment is negative the first element is the last in memory, as in BLAS.
func each(n, inc int, do func(i, at int)) {
	at := 0
	if inc < 0 {
		at = (1 - n) * inc
	}
	for i := range n {
		do(i, at)
		at += inc
	}
}

// UploadGeneral returns a new buffer with the m.Rows*m.Cols elements of m, row by row.
// Errors: ErrLength, if m is not a matrix; ErrUnavailable, if b is nil; and those of
// Backend.Upload.
func UploadGeneral(b compute.Backend, m blas32.General) (compute.Buffer, error) {
	const op = "upload"
	if err := cmp.Or(checkBackend(b), checkGeneral(op, m.Rows, m.Cols, m.Stride, len(m.Data))); err != nil {
		return nil, err
	}
	return b.Upload(packGeneral(m))
}

// WriteGeneral copies the m.Rows*m.Cols elements of m to buf, which has as many, row by row. It
// makes no copy of them if there are no values between the rows. Errors: ErrLength;
// ErrForeignBuffer, if buf is nil; and those of Buffer.Write.
func WriteGeneral(buf compute.Buffer, m blas32.General) error {
	const op = "write"
	if err := cmp.Or(checkGeneral(op, m.Rows, m.Cols, m.Stride, len(m.Data)), checkLen(op, m.Rows*m.Cols, buf)); err != nil {
		return err
	}
	return buf.Write(packGeneral(m))
}

// ReadGeneral copies buf, which has m.Rows*m.Cols elements, to m row by row. It does not
// change the values between the rows. Errors: ErrLength; ErrForeignBuffer, if buf is nil;
// and those of Buffer.Read.
func ReadGeneral(m blas32.General, buf compute.Buffer) error {
	const op = "read"
	if err := cmp.Or(checkGeneral(op, m.Rows, m.Cols, m.Stride, len(m.Data)), checkLen(op, m.Rows*m.Cols, buf)); err != nil {
		return err
	}
	if contiguous(m) {
		return buf.Read(m.Data[:m.Rows*m.Cols])
	}
	packed := make([]float32, m.Rows*m.Cols)
	if err := buf.Read(packed); err != nil {
		return err
	}
	for i := range m.Rows {
		copy(row(m, i), packed[i*m.Cols:])
	}
	return nil
}

// packGeneral returns the elements of m: part of m.Data if there are no values between them.
func packGeneral(m blas32.General) []float32 {
	if contiguous(m) {
		return m.Data[:m.Rows*m.Cols]
	}
	packed := make([]float32, 0, m.Rows*m.Cols)
	for i := range m.Rows {
		packed = append(packed, row(m, i)...)
	}
	return packed
}

// contiguous reports whether there are no values between the elements of m.
func contiguous(m blas32.General) bool { return m.Stride == m.Cols || m.Rows < 2 || m.Cols == 0 }

func row(m blas32.General, i int) []float32 { return m.Data[i*m.Stride:][:m.Cols] }

// checkVector checks a vector of n elements in length values.
func checkVector(op string, n, inc, length int) error {
	switch {
	case n < 0 || n > 0 && inc == 0:
		return fmt.Errorf("gonum: %s: a vector of %d elements with increment %d; give at least 0 elements, and an increment that is not 0: %w", op, n, inc, compute.ErrLength)
	case n > 0 && (length-1)/abs(inc) < n-1 || n > 0 && length == 0:
		return fmt.Errorf("gonum: %s: a vector of %d elements with increment %d does not fit into %d values: %w", op, n, inc, length, compute.ErrLength)
	}
	return nil
}

// checkGeneral checks a matrix in length values.
func checkGeneral(op string, rows, cols, stride, length int) error {
	switch {
	case rows < 0 || cols < 0 || stride < cols:
		return fmt.Errorf("gonum: %s: %d rows and %d columns with stride %d; give at least 0 of both, and a stride of at least the columns: %w", op, rows, cols, stride, compute.ErrLength)
	case rows > 0 && cols > 0 && (length < cols || rows > 1 && (length-cols)/stride < rows-1):
		return fmt.Errorf("gonum: %s: %d rows and %d columns with stride %d do not fit into %d values: %w", op, rows, cols, stride, length, compute.ErrLength)
	}
	return nil
}

func checkBackend(b compute.Backend) error {
	if check.IsNil(b) {
		return fmt.Errorf("gonum: upload: the backend is nil; open one with compute.Open: %w", compute.ErrUnavailable)
	}
	return nil
}

func checkLen(op string, n int, buf compute.Buffer) error {
	if check.IsNil(buf) {
		return fmt.Errorf("gonum: %s: the buffer is nil: %w", op, compute.ErrForeignBuffer)
	}
	if buf.Len() != n {
		return fmt.Errorf("gonum: %s: %d elements and a buffer of %d; give one with as many: %w", op, n, buf.Len(), compute.ErrLength)
	}
	return nil
}

func abs(n int) int { return max(n, -n) }
