// Package gonum copies vectors and matrices of gonum's blas32, with any increment or stride, to
// buffers of a backend and back.
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
	if err := cmp.Or(checkBackend(b), checkVector("upload", v)); err != nil {
		return nil, err
	}
	if v.Inc == 1 {
		return b.Upload(v.Data[:v.N])
	}
	packed := make([]float32, v.N)
	each(v, func(i, at int) { packed[i] = v.Data[at] })
	return b.Upload(packed)
}

// ReadVector copies buf, which has v.N elements, to v. It does not change the values between
// the elements of v. Errors: ErrLength; ErrForeignBuffer, if buf is nil; and those of
// Buffer.Read.
func ReadVector(v blas32.Vector, buf compute.Buffer) error {
	if err := checkVector("read", v); err != nil {
		return err
	}
	if err := checkLen(v.N, buf); err != nil {
		return err
	}
	if v.Inc == 1 {
		return buf.Read(v.Data[:v.N])
	}
	packed := make([]float32, v.N)
	if err := buf.Read(packed); err != nil {
		return err
	}
	each(v, func(i, at int) { v.Data[at] = packed[i] })
	return nil
}

// each calls do with every index of v and its position in v.Data. If the increment is
// negative the first element is the last in memory, as in BLAS.
func each(v blas32.Vector, do func(i, at int)) {
	at := 0
	if v.Inc < 0 {
		at = (1 - v.N) * v.Inc
	}
	for i := range v.N {
		do(i, at)
		at += v.Inc
	}
}

// UploadGeneral returns a new buffer with the m.Rows*m.Cols elements of m, row by row.
// Errors: ErrLength, if m is not a matrix; ErrUnavailable, if b is nil; and those of
// Backend.Upload.
func UploadGeneral(b compute.Backend, m blas32.General) (compute.Buffer, error) {
	if err := cmp.Or(checkBackend(b), checkGeneral("upload", m)); err != nil {
		return nil, err
	}
	if contiguous(m) {
		return b.Upload(m.Data[:m.Rows*m.Cols])
	}
	packed := make([]float32, 0, m.Rows*m.Cols)
	for i := range m.Rows {
		packed = append(packed, row(m, i)...)
	}
	return b.Upload(packed)
}

// ReadGeneral copies buf, which has m.Rows*m.Cols elements, to m row by row. It does not
// change the values between the rows. Errors: ErrLength; ErrForeignBuffer, if buf is nil;
// and those of Buffer.Read.
func ReadGeneral(m blas32.General, buf compute.Buffer) error {
	if err := checkGeneral("read", m); err != nil {
		return err
	}
	if err := checkLen(m.Rows*m.Cols, buf); err != nil {
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

// contiguous reports whether there are no values between the elements of m.
func contiguous(m blas32.General) bool { return m.Stride == m.Cols || m.Rows < 2 || m.Cols == 0 }

func row(m blas32.General, i int) []float32 { return m.Data[i*m.Stride:][:m.Cols] }

func checkVector(op string, v blas32.Vector) error {
	switch {
	case v.N < 0 || v.N > 0 && v.Inc == 0:
		return fmt.Errorf("gonum: %s: a vector of %d elements with increment %d; give at least 0 elements, and an increment that is not 0: %w", op, v.N, v.Inc, compute.ErrLength)
	case v.N > 0 && (len(v.Data)-1)/abs(v.Inc) < v.N-1 || v.N > 0 && len(v.Data) == 0:
		return fmt.Errorf("gonum: %s: a vector of %d elements with increment %d does not fit into %d values: %w", op, v.N, v.Inc, len(v.Data), compute.ErrLength)
	}
	return nil
}

func checkGeneral(op string, m blas32.General) error {
	switch {
	case m.Rows < 0 || m.Cols < 0 || m.Stride < m.Cols:
		return fmt.Errorf("gonum: %s: %d rows and %d columns with stride %d; give at least 0 of both, and a stride of at least the columns: %w", op, m.Rows, m.Cols, m.Stride, compute.ErrLength)
	case m.Rows > 0 && m.Cols > 0 && (len(m.Data) < m.Cols || m.Rows > 1 && (len(m.Data)-m.Cols)/m.Stride < m.Rows-1):
		return fmt.Errorf("gonum: %s: %d rows and %d columns with stride %d do not fit into %d values: %w", op, m.Rows, m.Cols, m.Stride, len(m.Data), compute.ErrLength)
	}
	return nil
}

func checkBackend(b compute.Backend) error {
	if check.IsNil(b) {
		return fmt.Errorf("gonum: upload: the backend is nil; open one with compute.Open: %w", compute.ErrUnavailable)
	}
	return nil
}

func checkLen(n int, buf compute.Buffer) error {
	if check.IsNil(buf) {
		return fmt.Errorf("gonum: read: the buffer is nil: %w", compute.ErrForeignBuffer)
	}
	if buf.Len() != n {
		return fmt.Errorf("gonum: read: %d elements from a buffer of %d: %w", n, buf.Len(), compute.ErrLength)
	}
	return nil
}

func abs(n int) int { return max(n, -n) }
