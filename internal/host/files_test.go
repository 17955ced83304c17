package host

import "testing"

func TestBelow(t *testing.T) {
	for _, test := range []struct{ own, root, want string }{
		{"/a/b", "/a", "/b"}, {"/a/b", "/", "/a/b"}, {"/a", "/a", "/"}, {"/ab", "/a", ""}, {"/", "/a", ""}, {"", "/", "/"},
	} {
		if got := below(test.own, test.root); got != test.want {
			t.Errorf("below(%q, %q) is %q, want %q", test.own, test.root, got, test.want)
		}
	}
}
