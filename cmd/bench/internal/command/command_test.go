package command

import (
	"bytes"
	"errors"
	"flag"
	"testing"
)

// TestCommand: errors are one line each, and the first one sets the exit code.
func TestCommand(t *testing.T) {
	c := Command{
		Name: "bench test", Usage: "usage\n", Flags: func(fs *flag.FlagSet) { fs.Bool("b", false, "") },
		Check: func([]string) error { return nil },
		Run: func(out *Writer, fail func(int, error)) {
			out.Write([]byte("text\n"))
			fail(Unusable, errors.Join(errors.New("one\ntwo"), errors.New("three\n")))
			fail(Wrong, nil)
			fail(Usage, errors.New("four"))
		},
	}
	for _, test := range []struct {
		arg            string
		code           int
		stdout, stderr string
	}{
		{"-b", Unusable, "text\n", "bench: one; two; three\nbench: four\n"},
		{"-h", OK, "usage\n", ""},
		{"-x", Usage, "", "bench: flag provided but not defined: -x (see bench test -h)\n"},
	} {
		var stdout, stderr bytes.Buffer
		if code := c.Main([]string{test.arg}, &stdout, &stderr); code != test.code || stdout.String() != test.stdout || stderr.String() != test.stderr {
			t.Errorf("%s: exit %d, %q, %q", test.arg, code, stdout.String(), stderr.String())
		}
	}
}
