package expr

import (
	"strings"
	"testing"
)

// TestDeep checks that deeply nested texts are parsed or refused, and nothing else.
func TestDeep(t *testing.T) {
	n := maxText/2 - 20
	if p, err := Parse("f(x) = " + strings.Repeat("(", n) + "x" + strings.Repeat(")", n)); err != nil || p.String() != "f(x) = x" {
		t.Errorf("parentheses: %v", err)
	}
	for _, text := range []string{strings.Repeat("-", maxText-20) + "x", strings.Repeat("x*", n) + "x", strings.Repeat("exp(", 9000) + "x" + strings.Repeat(")", 9000), strings.Repeat("(", n), strings.Repeat("!", n)} {
		if p, err := Parse("f(x) = " + text); err == nil {
			t.Errorf("%.20s... is %v", text, p)
		}
	}
}
