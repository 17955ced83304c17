package gonum_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/blas/blas32"
	"gonum.org/v1/gonum/diff/fd"
	"gonum.org/v1/gonum/mat"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/gonum"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/testenv"
)

func TestVector(t *testing.T) {
	b := testenv.Open(t, cpu.Open)
	for _, test := range []struct {
		v    blas32.Vector
		want []float32 // in the buffer
		back []float32 // in Data, after 10, 20, ... were read
	}{
		{blas32.Vector{N: 3, Inc: 1, Data: []float32{1, 2, 3, 4}}, []float32{1, 2, 3}, []float32{10, 20, 30, 4}},
		{blas32.Vector{N: 2, Inc: 3, Data: []float32{1, 2, 3, 4}}, []float32{1, 4}, []float32{10, 2, 3, 20}},
		{blas32.Vector{N: 2, Inc: -2, Data: []float32{1, 2, 3, 4}}, []float32{3, 1}, []float32{20, 2, 10, 4}},
		{blas32.Vector{N: 1, Inc: 5, Data: []float32{1}}, []float32{1}, []float32{10}},
		{blas32.Vector{}, nil, nil},
	} {
		buf, err := gonum.UploadVector(b, test.v)
		roundTrip(t, test.v, buf, err, test.want,
			func() error { return gonum.WriteVector(buf, test.v) }, func() error { return gonum.ReadVector(test.v, buf) })
		if !slices.Equal(test.v.Data, test.back) {
			t.Errorf("reads back as %v, want %v", test.v.Data, test.back)
		}
	}
}

// roundTrip fails the test unless the buffer uploaded from v, with err, has the values of
// want, as it has again after write. It then writes 10, 20, ... to the buffer, and calls read.
func roundTrip(t *testing.T, v any, buf compute.Buffer, err error, want []float32, write, read func() error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%+v: %v", v, err)
	}
	defer buf.Release()
	got, tens := make([]float32, len(want)), make([]float32, len(want))
	for i := range tens {
		tens[i] = float32(10 * (i + 1))
	}
	if err := buf.Read(got); err != nil || !slices.Equal(got, want) {
		t.Errorf("%+v uploads as %v, %v; want %v", v, got, err, want)
	}
	if err := errors.Join(buf.Write(tens), write(), buf.Read(got)); err != nil || !slices.Equal(got, want) {
		t.Errorf("%+v writes %v, %v; want %v", v, got, err, want)
	}
	if err := errors.Join(buf.Write(tens), read()); err != nil {
		t.Errorf("%+v: %v", v, err)
	}
}

func TestGeneral(t *testing.T) {
	b := testenv.Open(t, cpu.Open)
	for _, test := range []struct {
		m    blas32.General
		want []float32
		back []float32
	}{
		{blas32.General{Rows: 2, Cols: 2, Stride: 2, Data: []float32{1, 2, 3, 4}}, []float32{1, 2, 3, 4}, []float32{10, 20, 30, 40}},
		{blas32.General{Rows: 2, Cols: 2, Stride: 3, Data: []float32{1, 2, 0, 3, 4}}, []float32{1, 2, 3, 4}, []float32{10, 20, 0, 30, 40}},
		{blas32.General{Rows: 1, Cols: 2, Stride: 9, Data: []float32{1, 2}}, []float32{1, 2}, []float32{10, 20}},
		{blas32.General{Rows: 3, Cols: 0, Stride: 2}, nil, nil},
		{blas32.General{}, nil, nil},
	} {
		buf, err := gonum.UploadGeneral(b, test.m)
		roundTrip(t, test.m, buf, err, test.want,
			func() error { return gonum.WriteGeneral(buf, test.m) }, func() error { return gonum.ReadGeneral(test.m, buf) })
		if !slices.Equal(test.m.Data, test.back) {
			t.Errorf("reads back as %v, want %v", test.m.Data, test.back)
		}
	}
}

func TestErrors(t *testing.T) {
	b := testenv.Open(t, cpu.Open)
	buf, err := b.Alloc(4)
	if err != nil {
		t.Fatal(err)
	}
	defer buf.Release()
	four := make([]float32, 4)
	for _, v := range []blas32.Vector{
		{N: -1, Inc: 1, Data: four}, {N: 4, Inc: 0, Data: four}, {N: 5, Inc: 1, Data: four}, {N: 3, Inc: 2, Data: four},
		{N: 3, Inc: -2, Data: four}, {N: 1, Inc: 1}, {N: math.MaxInt, Inc: 3, Data: four}, {N: 2, Inc: math.MinInt, Data: four},
	} {
		_, err := gonum.UploadVector(b, v)
		for _, err := range []error{err, gonum.WriteVector(buf, v), gonum.ReadVector(v, buf)} {
			if !errors.Is(err, compute.ErrLength) {
				t.Errorf("vector of %d, increment %d: %v", v.N, v.Inc, err)
			}
		}
	}
	for _, m := range []blas32.General{
		{Rows: -1, Cols: 1, Stride: 1, Data: four}, {Rows: 1, Cols: -1, Stride: 1, Data: four}, {Rows: 2, Cols: 2, Stride: 1, Data: four},
		{Rows: 2, Cols: 2, Stride: 3, Data: four}, {Rows: 1, Cols: 5, Stride: 5, Data: four}, {Rows: math.MaxInt, Cols: 2, Stride: 2, Data: four},
	} {
		_, err := gonum.UploadGeneral(b, m)
		for _, err := range []error{err, gonum.WriteGeneral(buf, m), gonum.ReadGeneral(m, buf)} {
			if !errors.Is(err, compute.ErrLength) {
				t.Errorf("%d rows, %d columns, stride %d: %v", m.Rows, m.Cols, m.Stride, err)
			}
		}
	}
	three, row := blas32.Vector{N: 3, Inc: 1, Data: four}, blas32.General{Rows: 1, Cols: 3, Stride: 3, Data: four}
	v, m := mat.NewVecDense(3, nil), mat.NewDense(1, 3, nil)
	for _, err := range []error{
		gonum.WriteVector(buf, three), gonum.ReadVector(three, buf), gonum.WriteGeneral(buf, row), gonum.ReadGeneral(row, buf),
		gonum.WriteVecDense(buf, v), gonum.ReadVecDense(v, buf), gonum.WriteDense(buf, m), gonum.ReadDense(m, buf),
	} {
		if !errors.Is(err, compute.ErrLength) {
			t.Errorf("a buffer of another length: %v", err)
		}
	}
}

// TestNil: a backend or a buffer that is nil, or a nil pointer, is an error.
func TestNil(t *testing.T) {
	v, m := blas32.Vector{N: 1, Inc: 1, Data: []float32{1}}, blas32.General{Rows: 1, Cols: 1, Stride: 1, Data: []float32{1}}
	vd, md := mat.NewVecDense(1, nil), mat.NewDense(1, 1, nil)
	type backend struct{ compute.Backend }
	type buffer struct{ compute.Buffer }
	for _, b := range []compute.Backend{nil, (*backend)(nil)} {
		_, err1 := gonum.UploadVector(b, v)
		_, err2 := gonum.UploadGeneral(b, m)
		_, err3 := gonum.UploadVecDense(b, vd)
		_, err4 := gonum.UploadDense(b, md)
		for i, err := range []error{err1, err2, err3, err4} {
			if !errors.Is(err, compute.ErrUnavailable) {
				t.Errorf("upload %d: %v", i, err)
			}
		}
	}
	for _, buf := range []compute.Buffer{nil, (*buffer)(nil)} {
		for i, err := range []error{
			gonum.WriteVector(buf, v), gonum.ReadVector(v, buf), gonum.WriteGeneral(buf, m), gonum.ReadGeneral(m, buf),
			gonum.WriteVecDense(buf, vd), gonum.ReadVecDense(vd, buf), gonum.WriteDense(buf, md), gonum.ReadDense(md, buf),
		} {
			if !errors.Is(err, compute.ErrForeignBuffer) {
				t.Errorf("call %d: %v", i, err)
			}
		}
	}
	b := testenv.Open(t, cpu.Open)
	buf, err := b.Alloc(1)
	if err != nil {
		t.Fatal(err)
	}
	defer buf.Release()
	_, err1 := gonum.UploadVecDense(b, nil)
	_, err2 := gonum.UploadDense(b, nil)
	for i, err := range []error{
		err1, gonum.WriteVecDense(buf, nil), gonum.ReadVecDense(nil, buf),
		err2, gonum.WriteDense(buf, nil), gonum.ReadDense(nil, buf),
	} {
		if err == nil || !strings.Contains(err.Error(), " is nil; make it with mat.New") {
			t.Errorf("call %d of nil: %v", i, err)
		}
	}
}

// TestDerivative compares the derivative of every activation with finite differences of its
// values, except near a corner, where they differ.
func TestDerivative(t *testing.T) {
	for _, f := range form.Activations() {
		for _, x := range []float64{-100, -1.5, -0.5, 0.5, 1.5, 100} {
			const step = 1.0 / 64 // float32 has the steps exactly
			if f.Derivative(float32(x-step)) != f.Derivative(float32(x+step)) {
				continue
			}
			got := fd.Derivative(func(x float64) float64 { return float64(f.Value(float32(x))) }, x,
				&fd.Settings{Formula: fd.Central, Step: step})
			if want := float64(f.Derivative(float32(x))); math.Abs(got-want) > 1e-3*math.Max(1, math.Abs(want)) {
				t.Errorf("%v at %v: the difference is %v, the derivative is %v", f, x, got, want)
			}
		}
	}
}

func ExampleUploadGeneral() {
	b, err := cpu.Open()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer b.Close()
	m := blas32.General{Rows: 2, Cols: 2, Stride: 3, Data: []float32{-1, 2, 0, 3, -4}}
	x, err := gonum.UploadGeneral(b, m)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := errors.Join(b.Forward(compute.LeakyReLU(0.5), x, x), gonum.ReadGeneral(m, x)); err != nil {
		fmt.Println(err)
	}
	fmt.Println(m.Data)
	// Output: [-0.5 2 0 3 -2]
}

func ExampleWriteDense() {
	b, err := cpu.Open()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer b.Close()
	batch := mat.NewDense(2, 2, nil)
	x, err := b.Alloc(4)
	if err != nil {
		fmt.Println(err)
		return
	}
	for i := range 2 { // batches
		batch.Copy(mat.NewDense(2, 2, []float64{-1, 2, 3, float64(-4 * i)}))
		if err := errors.Join(gonum.WriteDense(x, batch), b.Forward(compute.LeakyReLU(0.5), x, x), gonum.ReadDense(batch, x)); err != nil {
			fmt.Println(err)
		}
		fmt.Println(mat.Formatted(batch))
	}
	// Output:
	// ⎡-0.5     2⎤
	// ⎣   3     0⎦
	// ⎡-0.5     2⎤
	// ⎣   3    -2⎦
}
