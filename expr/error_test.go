package expr

import "testing"

// TestError checks that the caret is below the column, whatever stands before it.
func TestError(t *testing.T) {
	for _, known := range []struct {
		text   string
		offset int
		want   string
	}{
		{"f(x) = y", 7, "expr: 1:8: m\n\tf(x) = y\n\t       ^"},
		{"a\n\tβ + y\nb", 8, "expr: 2:7: m\n\t\tβ + y\n\t\t    ^"},
		{"abc", 3, "expr: 1:4: m\n\tabc\n\t   ^"},
		{"abc", 99, "expr: 1:4: m\n\tabc\n\t   ^"},
		{"abc", -5, "expr: 1:1: m\n\tabc\n\t^"},
		{"a\n", 2, "expr: 2:1: m\n\t\n\t^"},
	} {
		if got := errorAt(known.text, known.offset, "m").Error(); got != known.want {
			t.Errorf("%q at %d: %q, want %q", known.text, known.offset, got, known.want)
		}
	}
	if got, want := (&Error{Line: 1, Column: 99, Text: "a", Message: "m"}).Error(), "expr: 1:99: m\n\ta\n\t ^"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestMeant checks which names are taken for misspelt ones.
func TestMeant(t *testing.T) {
	names := []string{"sigmoid", "silu", "exp", "expm1", "log", "log1p", "x", "rate"}
	for name, want := range map[string]string{
		"sigmod": "sigmoid", "Sigmoid": "sigmoid", "SILU": "silu", "epx": "exp", "expm": "exp", "logp": "log", "X": "x",
		"y": "", "q": "", "rtae": "rate", "softmax": "", "": "",
	} {
		got := meant(name, names)
		if want != "" {
			want = "; did you mean " + want + "?"
		}
		if got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	for _, known := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"abc", "abc", 0}, {"abc", "acb", 1}, {"kitten", "sitting", 3}, {"ab", "ba", 1}} {
		if got := distance(known.a, known.b); got != known.want {
			t.Errorf("%q to %q: %d, want %d", known.a, known.b, got, known.want)
		}
	}
}
