// Package command has what the subcommands of bench share: exit codes, -h, and how errors
// are printed.
package command

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// The exit codes.
const (
	OK       = iota
	Wrong    // a result is wrong, or compare finds a regression
	Usage    // the command line or a file is wrong
	Unusable // a backend or device cannot be used

	Interrupted = 130 // as in shells
)

// A Command is one subcommand.
type Command struct {
	Name  string // as in "bench devices"
	Usage string // what -h prints
	Flags func(*flag.FlagSet)
	Check func(args []string) error // checks the flags and the arguments after them

	// Run does the work. Each call of fail prints err, if it is not nil, on a line of its
	// own; the first one sets the exit code. Run need not report errors of out.
	Run func(out *Writer, fail func(code int, err error))
}

// Main parses args, runs c, and returns the exit code.
func (c Command) Main(args []string, stdout, stderr io.Writer) (code int) {
	fail := func(as int, err error) {
		if err != nil {
			fmt.Fprintf(stderr, "bench: %s\n", OneLine(err))
		}
		if code == OK {
			code = as
		}
	}
	out := &Writer{w: stdout}
	fs := flag.NewFlagSet(c.Name, flag.ContinueOnError)
	fs.SetOutput(io.Discard) // the error is printed here
	c.Flags(fs)
	err := fs.Parse(args)
	if err == nil {
		err = c.Check(fs.Args())
	}
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(out, c.Usage)
	case err != nil:
		fail(Usage, fmt.Errorf("%w (see %s -h)", err, c.Name))
	default:
		c.Run(out, fail)
	}
	if out.Err != nil {
		fail(Usage, out.Err)
	}
	return code
}

// A Writer keeps the first error of the underlying writer, and then discards what is
// written.
type Writer struct {
	w   io.Writer
	Err error
}

func (w *Writer) Write(p []byte) (n int, err error) {
	if w.Err != nil {
		return 0, w.Err
	}
	n, w.Err = w.w.Write(p)
	return n, w.Err
}

// OneLine returns the text of err, with "; " in place of line breaks.
func OneLine(err error) string {
	return strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "; ")
}

// ParseTime parses a duration above 0.
func ParseTime(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if _, number := strconv.ParseFloat(text, 64); number == nil && d == 0 && err != nil {
		return 0, fmt.Errorf("needs a unit, as %ss or %sms", text, text)
	}
	if err != nil || d <= 0 {
		return 0, errors.New("should be a time above 0, such as 500ms, 20s or 1m")
	}
	return d, nil
}
