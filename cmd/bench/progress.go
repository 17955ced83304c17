package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// A progress shows on a terminal how far the measuring is, and how long it will take.
// One that has no bar shows nothing.
type progress struct{ bar *progressbar.ProgressBar }

// newProgress returns the progress of so many steps, shown on w if that is a terminal.
func newProgress(w io.Writer, steps int) progress {
	if !isTerminal(w) {
		return progress{}
	}
	return progress{progressbar.NewOptions(steps,
		progressbar.OptionSetWriter(w),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionSetElapsedTime(true),
		progressbar.OptionSetWidth(12),
		progressbar.OptionThrottle(100*time.Millisecond),
	)}
}

// what tells what is being measured.
func (p progress) what(text string) {
	if p.bar != nil {
		p.bar.Describe(text)
	}
}

// shortened returns a name as one that leaves room for the rest of a progress on 80 columns.
func shortened(name string) string {
	const most = 20
	if r := []rune(name); len(r) > most {
		return string(r[:most-3]) + "..."
	}
	return name
}

func (p progress) step() {
	if p.bar != nil {
		_ = p.bar.Add(1) // a terminal that is gone is no reason to stop
	}
}

// clear makes room for other lines on the terminal.
func (p progress) clear() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}

// A status shows on a terminal, in a line that the next one replaces, what is done before
// anything is measured.
type status struct {
	w     io.Writer
	width int // of what is shown
}

// show shows text in place of what is shown; "" removes it.
func (s *status) show(text string) {
	if isTerminal(s.w) {
		fmt.Fprintf(s.w, "\r%*s\r%s", s.width, "", text)
		s.width = len(text)
	}
}

// isTerminal tells whether w is a terminal.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// showsBars tells whether w is a terminal that shows the block characters of Unicode.
func showsBars(w io.Writer) bool {
	if !isTerminal(w) {
		return false
	}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value := strings.ToLower(os.Getenv(name)); value != "" {
			return strings.Contains(value, "utf-8") || strings.Contains(value, "utf8")
		}
	}
	return os.Getenv("WT_SESSION") != "" // the terminal of Windows
}
