package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"slices"

	"github.com/sbinet/npyio/npy"

	"github.com/gmind-go/compute/cmd/bench/internal/report"
)

// npyFile is a NumPy file of float32 values.
type npyFile struct {
	header []byte // all that stands before the values
	order  binary.ByteOrder
	values []float32
}

// readNpy reads a file of any shape and byte order. The reader of the library
// panics on some broken headers, asks for memory that others name, and takes a file
// that ends early for one of zeros, so all of that is checked here.
func readNpy(name string) (f *npyFile, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%s: not a NumPy file that can be read: %v", name, r)
		}
	}()
	file, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	// The reader of the library makes room for as much header as the file says it has.
	if len(file) >= 12 && file[6] > 1 {
		if header := binary.LittleEndian.Uint32(file[8:]); uint64(header) > uint64(len(file)) {
			return nil, fmt.Errorf("%s: cut off, or not a NumPy file (.npy): its header should have %d bytes, and the file has %d", name, header, len(file))
		}
	}
	rest := bytes.NewReader(file)
	r, err := npy.NewReader(rest)
	if err != nil {
		return nil, fmt.Errorf("%s: not a NumPy file (.npy) that can be read: %w", name, err)
	}
	f = &npyFile{header: file[:len(file)-rest.Len()], order: binary.LittleEndian}
	switch r.Header.Descr.Type {
	case "<f4":
	case ">f4":
		f.order = binary.BigEndian
	default:
		return nil, fmt.Errorf("%s: its values are %s, not float32 (<f4); convert them with astype('float32')", name, r.Header.Descr.Type)
	}
	n := 1
	for _, d := range r.Header.Descr.Shape {
		if d < 0 || d > 0 && n > len(file)/d {
			return nil, fmt.Errorf("%s: cut off, or its shape %v is wrong: the file has %d bytes", name, r.Header.Descr.Shape, len(file))
		}
		n *= d
	}
	if rest.Len() != 4*n {
		return nil, fmt.Errorf("%s: cut off, or its shape %v is wrong: it has %d bytes of values and should have %d", name, r.Header.Descr.Shape, rest.Len(), 4*n)
	}
	if n == 0 {
		return nil, fmt.Errorf("%s: it has no values", name)
	}
	if err := r.Read(&f.values); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return f, nil
}

// withValues returns the contents of a file like f, with its shape and byte order,
// that holds v.
func (f *npyFile) withValues(v []float32) ([]byte, error) {
	return binary.Append(slices.Clone(f.header), f.order, v)
}

// computeOutput returns the contents of a file like f with what c.ops[0] makes of its
// values on t.
func computeOutput(t target, c config, f *npyFile) ([]byte, error) {
	in := &input{x: f.values, dy: slices.Clone(f.values), dst: make([]float32, len(f.values))}
	slices.Reverse(in.dy)
	s, err := newSet(t, in, len(f.values), 0)
	if err != nil {
		return nil, err
	}
	defer s.release()
	for _, m := range measurements(t.Backend, c) {
		if m.op == c.ops[0] && m.data == report.OnDevice {
			if err := m.call(&s); err != nil {
				return nil, err
			}
			wrong, err := m.difference(&s) // which reads the result
			if err != nil {
				return nil, err
			}
			if wrong != "" {
				return nil, fmt.Errorf("-output: %s on %s is wrong: %s", m.op, t.Info().Name, wrong)
			}
		}
	}
	return f.withValues(s.hostDst)
}
