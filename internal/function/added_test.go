package function

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gmind-go/compute/expr"
)

// TestAddLimit: Add keeps what it has, and refuses more than MaxAdded.
func TestAddLimit(t *testing.T) {
	if testing.Short() {
		t.Skip("it makes all functions that a process can have")
	}
	text := func(i int) *expr.Program { return expr.MustParse(fmt.Sprintf("f(x, s) = s*x + %d", i)) }
	for i := range MaxAdded {
		kind, err := Add(text(i))
		if err != nil || !Added(kind) || Of(kind) == nil {
			t.Fatalf("function %d: kind %d, %v", i, kind, err)
		}
	}
	if kind, err := Add(text(MaxAdded)); err == nil || !strings.Contains(err.Error(), "parameter") {
		t.Errorf("one more: kind %d, %v", kind, err)
	}
	if kind, err := Add(text(7)); err != nil || Of(kind).Program(Forward).String() != text(7).String() {
		t.Errorf("one that is there: kind %d, %v", kind, err)
	}
	if Of(len(all)+1) != nil || Of(firstAdded-1) != nil || Of(firstAdded+MaxAdded) != nil {
		t.Error("Of has kinds that no function has")
	}
}
