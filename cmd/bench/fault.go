package main

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"sync"
	"unicode"
)

// A fault is how a child ended that gave no answer.
type fault struct {
	what string   // follows "a driver"
	said []string // the last lines that it printed
}

func (f *fault) Error() string {
	text := "a driver " + f.what
	if len(f.said) > 0 {
		text += fmt.Sprintf("; it last said %q", f.said[len(f.said)-1])
	}
	return text
}

// print prints the fault of who, and what was said last.
func (f *fault) print(w io.Writer, indent, who string) {
	fmt.Fprintf(w, "%s%s %s\n", indent, who, f.what)
	if len(f.said) > 0 {
		fmt.Fprintf(w, "%s  it last said:\n", indent)
	}
	for _, line := range f.said {
		fmt.Fprintf(w, "%s    %s\n", indent, line)
	}
}

// newFault makes a fault of all that was said.
func newFault(what string, lines []string) *fault {
	return &fault{what, lines[max(0, len(lines)-5):]}
}

// crash describes a child that ended with state after it had said lines.
func crash(state *os.ProcessState, lines []string) *fault {
	what := fmt.Sprintf("ended the program (%v)", state)
	if !state.Exited() {
		what = fmt.Sprintf("crashed (%v)", state)
	}
	// Go's runtime catches the signals of a crash, tells them, and exits.
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

// A tail keeps the last of what is written to it.
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

// lines returns what was kept, without what a terminal would not print.
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
