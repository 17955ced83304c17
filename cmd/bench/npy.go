package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"

	"github.com/sbinet/npyio/npy"

	"github.com/gmind-go/compute/cmd/bench/internal/report"
)

// npyFile is a NumPy file of float32 values.
type npyFile struct {
	header []byte // the bytes before the values
	order  binary.ByteOrder
	values []float32
}

// readNpy reads a file of any shape and byte order. It uses the library only for the header,
// since that panics on some broken headers, allocates what others ask for, returns zeros for
// a file that is cut off, and reads values one by one.
func readNpy(name string) (f *npyFile, err error) {
	defer func() {
		if recover() != nil {
			err = fmt.Errorf("%s: not a NumPy file (.npy) that can be read: its header is broken", name)
		}
	}()
	file, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(file, npy.Magic[:]) && len(file) >= 12 {
		header := uint64(binary.LittleEndian.Uint16(file[8:]))
		if file[6] > 1 {
			header = uint64(binary.LittleEndian.Uint32(file[8:]))
		}
		if header > uint64(len(file)) {
			return nil, fmt.Errorf("%s: cut off, or not a NumPy file (.npy): its header should have %d bytes, and the file has %d", name, header, len(file))
		}
	}
	rest := bytes.NewReader(file)
	r, err := npy.NewReader(rest)
	if number := new(strconv.NumError); errors.As(err, &number) {
		err = fmt.Errorf("its header has %s for a number", number.Num)
	}
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
	f.values = make([]float32, n)
	if _, err := binary.Decode(file[len(f.header):], f.order, f.values); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	f.header = slices.Clone(f.header) // so that the rest of the file can be freed
	return f, nil
}

// withValues returns the contents of a file with the shape and byte order of f and the
// values v.
func (f *npyFile) withValues(v []float32) ([]byte, error) {
	return binary.Append(slices.Clone(f.header), f.order, v)
}

// computeOutput computes c.ops[0] of the file of in on t, and returns the contents of a file
// with the result.
func computeOutput(t target, c *config, in *input) ([]byte, error) {
	all := &sets{}
	if err := all.add(t, in, len(in.npy.values), 0); err != nil {
		return nil, err
	}
	defer all.release()
	s := all.take()
	for _, m := range measurements(t.Backend, c) {
		if m.op == c.ops[0] && m.data == report.OnDevice {
			if err := m.call(s); err != nil {
				return nil, err
			}
			wrong, err := m.difference(s) // reads the result
			if err != nil {
				return nil, err
			}
			if wrong != "" {
				return nil, fmt.Errorf("-output: %s on %s is wrong: %s", m.op, t.Info().Name, wrong)
			}
		}
	}
	return in.npy.withValues(s.dst().host)
}
