package doctor

import (
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"
)

// TestTail: however much a driver prints, the last lines are kept, and can be printed.
func TestTail(t *testing.T) {
	var said tail
	for range 10 * tailSize {
		said.Write([]byte("noise "))
	}
	if len(said.text) > 2*tailSize {
		t.Errorf("%d bytes are kept", len(said.text))
	}
	said.Write([]byte("\n\n \x1b[31mone\xff\r\n\ttwo"))
	lines := said.lines()
	if want := []string{"[31mone?", "two"}; !reflect.DeepEqual(lines[1:], want) {
		t.Errorf("got %q, want %q", lines[1:], want)
	}
}

// TestCrashReports: the report of Go's runtime about a crash gives the signal, and is not
// taken for output of the driver.
func TestCrashReports(t *testing.T) {
	cmd := exec.Command(os.Args[0], "probe", "no duration")
	_ = cmd.Run() // exits with 2, as Go's runtime does
	for _, test := range []struct {
		lines []string
		what  string
		said  []string
	}{
		{[]string{"a", "SIGABRT: abort", "PC=0x1 m=0 sigcode=1", "signal arrived during cgo execution"}, "crashed (SIGABRT: abort)", []string{"a"}},
		{[]string{"a", "SIGSEGV: segmentation violation", "PC=0x1"}, "crashed (SIGSEGV: segmentation violation)", []string{"a"}},
		{[]string{"fatal error: unexpected signal during runtime execution", "[signal SIGBUS: bus error code=0x1 addr=0x2 pc=0x3]"}, "crashed (SIGBUS: bus error)", nil},
		{[]string{"Exception 0xc0000005 0x0 0x0 0x1", "PC=0x1"}, "crashed (Exception 0xc0000005)", nil},
	} {
		f := crash(cmd.ProcessState, test.lines)
		if f.what != test.what || strings.Join(f.said, ",") != strings.Join(test.said, ",") {
			t.Errorf("%q: got %+v", test.lines, f)
		}
	}
	f := crash(cmd.ProcessState, []string{"a", "b"})
	if want := `a driver ended the program (exit status 2); it last said "b"`; f.Error() != want || len(f.said) != 2 {
		t.Errorf("an exit: got %v, %q; want %s", f, f.said, want)
	}
}
