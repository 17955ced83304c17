// Package ir is the intermediate language of elementwise programs: straight-line code in
// static single assignment form, of primitives that are exact, or rounded in one way.
//
// Package expr makes programs from text and evaluates them; a backend walks the nodes.
// Every operation is a row of one table, which has its reference in plain Go. The reference
// defines the bits, except that any NaN stands for any other.
package ir

// A Type is the type of a value.
type Type uint8

// The types. The first three are those of arguments, results and text; only functions that
// the library writes itself use the others.
const (
	F32  Type = iota // float32
	U32              // uint32
	Bool             // 0 or 1
	F64              // float64
	U64              // uint64
)

var typeNames = [...]string{"float32", "uint32", "bool", "float64", "uint64"}

// String returns the name of the type in text.
func (t Type) String() string { return typeNames[t] }

// Public reports whether arguments and results may have the type.
func (t Type) Public() bool { return t <= Bool }

// Wide reports whether a value has 64 bits.
func (t Type) Wide() bool { return t == F64 || t == U64 }
