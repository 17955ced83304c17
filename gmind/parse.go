package gmind

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/gmind-go/compute"
)

// eachLine calls f with each line of r that is not empty. An error names the line and, if it is
// a fault, the column, both from 1 on.
func eachLine(r io.Reader, f func(text []byte) error) error {
	lines := bufio.NewReader(r)
	for number := 1; ; number++ {
		text, readErr := lines.ReadBytes('\n')
		if readErr != nil && readErr != io.EOF {
			return fmt.Errorf("line %d: %w", number, readErr)
		}
		if len(bytes.TrimSpace(text)) > 0 {
			err := f(text)
			if at := new(fault); errors.As(err, &at) {
				return fmt.Errorf("line %d, column %d: %w", number, at.offset+1, err)
			}
			if err != nil {
				return fmt.Errorf("line %d: %w", number, err)
			}
		}
		if readErr == io.EOF {
			return nil
		}
	}
}

// A fault is an error at a byte of a line.
type fault struct {
	offset int
	err    error
}

func (f *fault) Error() string { return f.err.Error() }
func (f *fault) Unwrap() error { return f.err }

// A span is a JSON value in a line, which is valid JSON.
type span struct {
	line     []byte
	from, to int
}

func (s span) text() []byte { return s.line[s.from:s.to] }

func (s span) fail(format string, args ...any) error {
	return &fault{s.from, fmt.Errorf(format, args...)}
}

// parseLine returns the layer of a line.
func parseLine(text []byte) (Layer, error) {
	text = bytes.TrimRight(text, "\r\n")
	var value json.RawMessage
	if err := json.Unmarshal(text, &value); err != nil {
		if at := new(json.SyntaxError); errors.As(err, &at) {
			offset := int(at.Offset)
			if offset < len(text) || !bytes.HasSuffix([]byte(at.Error()), []byte("end of JSON input")) {
				offset-- // it counts the byte that is wrong
			}
			return nil, &fault{offset, err}
		}
		return nil, err
	}
	fields, err := object(text)
	if err != nil {
		return nil, err
	}
	var name string
	typ := fields.get("type")
	if typ.line == nil || json.Unmarshal(typ.text(), &name) != nil || name == "" {
		if typ.line == nil {
			typ = fields.whole
		}
		return nil, typ.fail("a line without type; is this a model file of G-Mind?")
	}
	switch name {
	case dense:
		return parseDense(fields)
	case leakyReLU, sigmoid:
		return parseActivation(name, fields)
	}
	return &Unknown{Type: name, Text: string(bytes.TrimSpace(text))}, nil
}

// fields are the members of an object.
type fields struct {
	whole  span
	values map[string]span // the last of each name
}

func (f fields) get(name string) span { return f.values[name] }

// need returns the member with the name, of a line of the type.
func (f fields) need(typ, name string) (span, error) {
	s, ok := f.values[name]
	if !ok {
		return s, f.whole.fail("a %s without %s", typ, name)
	}
	return s, nil
}

// object returns the members of the object that text is.
func object(text []byte) (fields, error) {
	s := scanner{text, 0}
	whole := s.next()
	f := fields{whole, map[string]span{}}
	if text[whole.from] != '{' {
		return f, whole.fail("a line without type: it is not a JSON object")
	}
	s.at = whole.from + 1
	for s.more() {
		var name string
		if err := json.Unmarshal(s.next().text(), &name); err != nil {
			return f, err
		}
		f.values[name] = s.next()
	}
	return f, nil
}

// A scanner goes through valid JSON.
type scanner struct {
	line []byte
	at   int
}

// more skips what is between values, and reports whether another follows.
func (s *scanner) more() bool {
	for s.at < len(s.line) && bytes.IndexByte([]byte(" \t\r\n,:"), s.line[s.at]) >= 0 {
		s.at++
	}
	return s.at < len(s.line) && s.line[s.at] != ']' && s.line[s.at] != '}'
}

// next returns the next value, with all that is in it.
func (s *scanner) next() span {
	s.more()
	from, depth := s.at, 0
	for ; s.at < len(s.line); s.at++ {
		switch s.line[s.at] {
		case '"':
			for s.at++; s.line[s.at] != '"'; s.at++ {
				if s.line[s.at] == '\\' {
					s.at++
				}
			}
			if depth == 0 {
				s.at++
				return span{s.line, from, s.at}
			}
		case '[', '{':
			depth++
		case ']', '}':
			if depth == 0 { // the end of what a number is in
				return span{s.line, from, s.at}
			}
			if depth--; depth == 0 {
				s.at++
				return span{s.line, from, s.at}
			}
		case ' ', '\t', '\r', '\n', ',', ':':
			if depth == 0 {
				return span{s.line, from, s.at}
			}
		}
	}
	return span{s.line, from, s.at}
}

// elements returns a scanner of the elements of s, if it is an array.
func (s span) elements(what string) (scanner, error) {
	if s.line[s.from] != '[' {
		return scanner{}, s.fail("%s are %.20s, not an array", what, s.text())
	}
	return scanner{s.line[:s.to], s.from + 1}, nil
}

// number returns s as a float32.
func (s span) number(what string) (float32, error) {
	if c := s.line[s.from]; c != '-' && (c < '0' || c > '9') {
		return 0, s.fail("%.20s in %s, where a number must be", s.text(), what)
	}
	v, err := strconv.ParseFloat(string(s.text()), 32)
	if err != nil {
		return 0, s.fail("%.20s in %s is no float32", s.text(), what)
	}
	return float32(v), nil
}

// numbers appends the numbers of the array s to v. want is how many there must be, or -1.
func (s span) numbers(v []float32, what string, want int) ([]float32, error) {
	array, err := s.elements(what)
	if err != nil {
		return nil, err
	}
	had := len(v)
	for array.more() {
		x, err := array.next().number(what)
		if err != nil {
			return nil, err
		}
		v = append(v, x)
	}
	if n := len(v) - had; want >= 0 && n != want {
		return nil, s.fail("%d numbers in %s, where %d must be", n, what, want)
	}
	return v, nil
}

// count returns s as a number of features, from 1 on.
func (s span) count(what string) (int, error) {
	v, err := strconv.ParseFloat(string(s.text()), 64) // G-Mind's parser has no other type
	if err != nil || v < 1 || v > 1<<30 || v != float64(int(v)) {
		return 0, s.fail("%s is %.20s; it must be an integer from 1 to 1<<30", what, s.text())
	}
	return int(v), nil
}

// parseActivation returns the layer of a function.
func parseActivation(name string, f fields) (Layer, error) {
	a := &Activation{Function: compute.Sigmoid()}
	if name == leakyReLU {
		s, err := f.need(name, "negative_slope")
		if err != nil {
			return nil, err
		}
		slope, err := s.number("negative_slope")
		if err != nil {
			return nil, err
		}
		a.Function = compute.LeakyReLU(slope)
	}
	var err error
	if s := f.get("inputs"); s.line != nil {
		a.Inputs, err = s.numbers(nil, "inputs", -1)
	}
	if err != nil {
		return nil, err
	}
	return a, nil
}

// parseDense returns a Dense layer.
func parseDense(f fields) (Layer, error) {
	d := new(Dense)
	for _, count := range []struct {
		name string
		to   *int
	}{{"in_features", &d.In}, {"out_features", &d.Out}} {
		s, err := f.need(dense, count.name)
		if err != nil {
			return nil, err
		}
		if *count.to, err = s.count(count.name); err != nil {
			return nil, err
		}
	}
	for _, array := range []struct {
		name string
		to   *[]float32
	}{{"weights", &d.Weights}, {"biases", &d.Biases}, {"gradients_w", &d.GradientsW}, {"gradients_b", &d.GradientsB}} {
		s, err := f.need(dense, array.name)
		if err != nil {
			return nil, err
		}
		if array.to == &d.Biases || array.to == &d.GradientsB {
			*array.to, err = s.numbers(nil, array.name, d.Out)
		} else {
			*array.to, err = s.matrix(array.name, d.Out, d.In)
		}
		if err != nil {
			return nil, err
		}
	}
	return d, nil
}

// matrix returns the numbers of an array of rows.
func (s span) matrix(what string, rows, columns int) (v []float32, err error) {
	array, err := s.elements(what)
	if err != nil {
		return nil, err
	}
	n := 0
	for ; array.more(); n++ {
		if v, err = array.next().numbers(v, what, columns); err != nil {
			return nil, err
		}
	}
	if n != rows {
		return nil, s.fail("%d rows in %s, where %d must be", n, what, rows)
	}
	return v, nil
}
