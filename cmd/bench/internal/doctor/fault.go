package doctor

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"sync"
	"unicode"
)

// A fault is why a child process gave no answer.
type fault struct {
	what string   // the predicate of "a driver"
	said []string // the last lines that it printed
}

func (f *fault) Error() string {
	text := "a driver " + f.what
	if len(f.said) > 0 {
		text += fmt.Sprintf("; it last said %q", f.said[len(f.said)-1])
	}
	return text
}

// print prints who, as the subject of the fault, and the last lines that were printed.
func (f *fault) print(w io.Writer, indent, who string) {
	fmt.Fprintf(w, "%s%s %s\n", indent, who, f.what)
	if len(f.said) > 0 {
		fmt.Fprintf(w, "%s  it last said:\n", indent)
	}
	for _, line := range f.said {
		fmt.Fprintf(w, "%s    %s\n", indent, line)
	}
}

// newFault returns a fault with the last of lines.
func newFault(what string, lines []string) *fault {
	return &fault{what, lines[max(0, len(lines)-5):]}
}

// crash returns the fault of a child process that printed lines and ended with state.
func crash(state *os.ProcessState, lines []string) *fault {
	what := fmt.Sprintf("ended the program (%v)", state)
	if !state.Exited() {
		what = fmt.Sprintf("crashed (%v)", state)
	}
	// Go's runtime catches the signal of a crash, prints it, and exits.
	for i, line := range lines {
		if m := goCrash.FindStringSubmatch(line); m != nil {
			what = fmt.Sprintf("crashed (%s)", m[1])
			if lines = lines[:i]; i > 0 && strings.HasPrefix(lines[i-1], "fatal error: ") {
				lines = lines[:i-1]
			}
			break
		}
	}
	return newFault(what, lines)
}

var goCrash = regexp.MustCompile(`^(?:\[signal )?(SIG[A-Z]+: [a-z ]+?|Exception 0x\w+)(?: code=.*| 0x.*)?$`)

// A tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailSize = 16 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if n := len(t.text); n > 2*tailSize {
		t.text = append(t.text[:0], t.text[n-tailSize:]...)
	}
	return len(p), nil
}

// lines returns the lines that are not blank, without characters that cannot be printed.
func (t *tail) lines() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var lines []string
	for line := range strings.Lines(strings.ToValidUTF8(string(t.text), "?")) {
		line = strings.TrimSpace(strings.Map(func(r rune) rune {
			if !unicode.IsPrint(r) {
				return ' '
			}
			return r
		}, line))
		if line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}
