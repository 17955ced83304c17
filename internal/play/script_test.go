package play

import "testing"

// TestScriptEnd: after the end of a script nothing rare happens, and values repeat zeros.
func TestScriptEnd(t *testing.T) {
	s := script{255}
	if n := s.below(10); n != 5 || len(s) != 0 {
		t.Errorf("below(10) is %d, and %d bytes are left", n, len(s))
	}
	if s.oneIn(2) || s.below(256) != 0 || s.length() != 0 || s.float() != 0 {
		t.Error("the bytes after the end are not 0")
	}
	if err := equal(s.values(3), []float32{0, 0, 0}, func(a, b float32) bool { return a == b }); err != nil {
		t.Error(err)
	}
}
