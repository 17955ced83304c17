package testenv

import (
	"fmt"
	"slices"
	"testing"

	"github.com/gmind-go/compute/internal/values"
)

// Equal fails the test unless got, returned with err, has the values of want.
func Equal(t *testing.T, what string, got, want []float32, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if !slices.EqualFunc(got, want, values.Same) {
		t.Fatalf("%s of %d elements is wrong: %.60v, want %.60v", what, len(want), fmt.Sprint(got), fmt.Sprint(want))
	}
}
