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

// A progress is a progress bar with the remaining time. The zero value shows nothing.
type progress struct{ bar *progressbar.ProgressBar }

// newProgress returns a progress of the number of steps on w, or a zero one if w is not a
// terminal.
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

// describe shows what is measured. It shortens the name of the device, so that the bar fits
// on 80 columns.
func (p progress) describe(device, what string) {
	if p.bar == nil {
		return
	}
	const most = 20
	if r := []rune(device); len(r) > most {
		device = string(r[:most-3]) + "..."
	}
	p.bar.Describe(device + ", " + what)
}

// step adds a step. Like the other methods, it ignores the error of a terminal that is gone.
func (p progress) step() {
	if p.bar != nil {
		_ = p.bar.Add(1)
	}
}

// clear removes the bar, to make room for lines of text.
func (p progress) clear() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}

// A status is a line on a terminal that shows what the program does before it measures.
type status struct {
	w     io.Writer
	width int // of the text shown
}

// show replaces the text.
func (s *status) show(text string) {
	if isTerminal(s.w) {
		fmt.Fprintf(s.w, "\r%*s\r%s", s.width, "", text)
		s.width = len(text)
	}
}

// isTerminal reports whether w is a terminal.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// showsBars reports whether w is a terminal that shows the block characters of Unicode.
func showsBars(w io.Writer) bool {
	if !isTerminal(w) {
		return false
	}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value := strings.ToLower(os.Getenv(name)); value != "" {
			return strings.Contains(value, "utf-8") || strings.Contains(value, "utf8")
		}
	}
	return os.Getenv("WT_SESSION") != "" // Windows Terminal
}
