package gonum

import (
	"cmp"
	"errors"

	"gonum.org/v1/gonum/mat"

	"github.com/gmind-go/compute"
)

// UploadVecDense returns a new buffer with the elements of v, each rounded to float32. Errors:
// ErrUnavailable, if b is nil; those of Backend.Upload; and one for a v that is nil.
func UploadVecDense(b compute.Backend, v *mat.VecDense) (compute.Buffer, error) {
	const op = "upload"
	if err := cmp.Or(checkBackend(b), checkVecDense(op, v)); err != nil {
		return nil, err
	}
	return b.Upload(packVecDense(v))
}

// WriteVecDense copies the elements of v, each rounded to float32, to buf, which has as many.
// Errors: ErrLength; ErrForeignBuffer, if buf is nil; those of Buffer.Write; and one for a v that
// is nil.
func WriteVecDense(buf compute.Buffer, v *mat.VecDense) error {
	const op = "write"
	if err := checkVecDense(op, v); err != nil {
		return err
	}
	if err := checkLen(op, v.Len(), buf); err != nil {
		return err
	}
	return buf.Write(packVecDense(v))
}

// ReadVecDense copies buf to v, which has as many elements. It does not change the values
// between the elements of a v that is a part of a matrix. Errors: ErrLength; ErrForeignBuffer, if
// buf is nil; those of Buffer.Read; and one for a v that is nil.
func ReadVecDense(v *mat.VecDense, buf compute.Buffer) error {
	const op = "read"
	if err := checkVecDense(op, v); err != nil {
		return err
	}
	if err := checkLen(op, v.Len(), buf); err != nil {
		return err
	}
	packed := make([]float32, v.Len())
	if err := buf.Read(packed); err != nil {
		return err
	}
	raw := v.RawVector()
	each(raw.N, raw.Inc, func(i, at int) { raw.Data[at] = float64(packed[i]) })
	return nil
}

// UploadDense returns a new buffer with the elements of m row by row, each rounded to float32.
// Errors: ErrUnavailable, if b is nil; those of Backend.Upload; and one for an m that is nil.
func UploadDense(b compute.Backend, m *mat.Dense) (compute.Buffer, error) {
	const op = "upload"
	if err := cmp.Or(checkBackend(b), checkDense(op, m)); err != nil {
		return nil, err
	}
	return b.Upload(packDense(m))
}

// WriteDense copies the elements of m row by row, each rounded to float32, to buf, which has as
// many. Errors: ErrLength; ErrForeignBuffer, if buf is nil; those of Buffer.Write; and one for an
// m that is nil.
func WriteDense(buf compute.Buffer, m *mat.Dense) error {
	const op = "write"
	if err := checkDense(op, m); err != nil {
		return err
	}
	if err := checkLen(op, size(m), buf); err != nil {
		return err
	}
	return buf.Write(packDense(m))
}

// ReadDense copies buf to m, which has as many elements, row by row. It does not change the
// values between the rows of an m that is a part of a matrix. Errors: ErrLength;
// ErrForeignBuffer, if buf is nil; those of Buffer.Read; and one for an m that is nil.
func ReadDense(m *mat.Dense, buf compute.Buffer) error {
	const op = "read"
	if err := checkDense(op, m); err != nil {
		return err
	}
	if err := checkLen(op, size(m), buf); err != nil {
		return err
	}
	packed := make([]float32, size(m))
	if err := buf.Read(packed); err != nil {
		return err
	}
	raw := m.RawMatrix()
	for i := range raw.Rows {
		for j := range raw.Cols {
			raw.Data[i*raw.Stride+j] = float64(packed[i*raw.Cols+j])
		}
	}
	return nil
}

// packVecDense returns the elements of v.
func packVecDense(v *mat.VecDense) []float32 {
	raw := v.RawVector()
	packed := make([]float32, raw.N)
	each(raw.N, raw.Inc, func(i, at int) { packed[i] = float32(raw.Data[at]) })
	return packed
}

// packDense returns the elements of m.
func packDense(m *mat.Dense) []float32 {
	raw := m.RawMatrix()
	packed := make([]float32, 0, size(m))
	for i := range raw.Rows {
		for _, v := range raw.Data[i*raw.Stride:][:raw.Cols] {
			packed = append(packed, float32(v))
		}
	}
	return packed
}

// size returns the number of elements of m.
func size(m *mat.Dense) int {
	rows, cols := m.Dims()
	return rows * cols
}

func checkVecDense(op string, v *mat.VecDense) error {
	if v == nil {
		return errors.New("gonum: " + op + ": the vector is nil; make it with mat.NewVecDense")
	}
	raw := v.RawVector()
	return checkVector(op, raw.N, raw.Inc, len(raw.Data))
}

func checkDense(op string, m *mat.Dense) error {
	if m == nil {
		return errors.New("gonum: " + op + ": the matrix is nil; make it with mat.NewDense")
	}
	raw := m.RawMatrix()
	return checkGeneral(op, raw.Rows, raw.Cols, raw.Stride, len(raw.Data))
}
