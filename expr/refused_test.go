package expr

import (
	"errors"
	"strings"
	"testing"
)

// A mistake is a text and a part of the error that it is.
type mistake struct{ text, want string }

// refused checks that each text is an *Error.
func refused(t *testing.T, mistakes []mistake) {
	t.Helper()
	for _, m := range mistakes {
		p, err := Parse(m.text)
		if err == nil {
			t.Errorf("%s is %v", m.text, p)
			continue
		}
		if got := err.Error(); !strings.Contains(got, m.want) || !strings.HasPrefix(got, "expr: ") {
			t.Errorf("%s: %s\nwant %s", m.text, got, m.want)
		}
		if e := (*Error)(nil); !errors.As(err, &e) {
			t.Errorf("%s: %T is not an *Error", m.text, err)
		}
	}
}
