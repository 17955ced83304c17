package compute

import (
	"reflect"

	"github.com/gmind-go/compute/internal/check"
)

// As returns the first backend in the chain of b that is a T, and whether there is one.
// The chain is b itself, then what b wraps, and so on. What a backend wraps is what its
// method
//
//	Unwrap() Backend
//
// returns, or, if it has none and is a struct or a pointer to one, the field that
// embeds an interface named Backend:
//
//	type counting struct {
//		compute.Backend
//		calls int
//	}
//
// As finds a type of one's own behind what Open returns, and optional methods behind a
// wrapper, as in
//
//	c, ok := compute.As[*counting](b)
//	p, ok := compute.As[interface{ Profile(func() error) ([]float64, error) }](b)
//
// A type that embeds a Linear, to have MatMul, needs Unwrap.
//
// This module looks for its own optional methods in the same way, so a wrapper need not
// forward them. A wrapper whose Unwrap returns nil hides what is inside. For a nil b, and
// for a nil pointer in b or in the chain, As returns false.
func As[T any](b Backend) (T, bool) {
	for ; !check.IsNil(b); b, _ = Unwrap(b) {
		if found, ok := b.(T); ok {
			return found, true
		}
	}
	var none T
	return none, false
}

// Unwrap returns what b wraps, as As defines it, and whether b is a wrapper. inner is nil if
// there is nothing in it: it is then of no use. Unwrap(nil) returns nil, false.
func Unwrap(b Backend) (inner Backend, wraps bool) {
	if check.IsNil(b) {
		return nil, false
	}
	if w, ok := b.(interface{ Unwrap() Backend }); ok {
		inner = w.Unwrap()
		return inner, !check.IsNil(inner)
	}
	v := reflect.Indirect(reflect.ValueOf(b))
	if v.Kind() != reflect.Struct {
		return nil, false
	}
	field, ok := v.Type().FieldByName("Backend")
	if !ok || !field.Anonymous || field.Type.Kind() != reflect.Interface {
		return nil, false
	}
	v, err := v.FieldByIndexErr(field.Index)
	if err != nil { // behind a nil pointer
		return nil, true
	}
	if !v.CanInterface() {
		return nil, false
	}
	inner, _ = v.Interface().(Backend)
	if check.IsNil(inner) {
		inner = nil
	}
	return inner, true
}
