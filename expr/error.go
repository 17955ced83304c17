package expr

import (
	"fmt"
	"slices"
	"strings"
)

// An Error says what is wrong with the text of a program, and where.
type Error struct {
	Line, Column int    // from 1; the column counts bytes
	Text         string // the line
	Message      string
}

// Error returns the position and the message, then the line with a caret below the column:
//
//	expr: 1:16: sigmod is not a function; did you mean sigmoid?
//		f(x) = 2 * x + sigmod(x)
//		               ^
func (e *Error) Error() string {
	before := []rune(e.Text[:min(max(0, e.Column-1), len(e.Text))])
	for i, r := range before {
		if r != '\t' {
			before[i] = ' '
		}
	}
	return fmt.Sprintf("expr: %d:%d: %s\n\t%s\n\t%s^", e.Line, e.Column, e.Message, e.Text, string(before))
}

// errorAt returns an Error at an offset of the text.
func errorAt(text string, offset int, format string, args ...any) *Error {
	offset = min(max(0, offset), len(text))
	start := strings.LastIndexByte(text[:offset], '\n') + 1
	line, _, _ := strings.Cut(text[start:], "\n")
	return &Error{
		Line:    strings.Count(text[:offset], "\n") + 1,
		Column:  offset - start + 1,
		Text:    line,
		Message: fmt.Sprintf(format, args...),
	}
}

// meant returns "; did you mean NAME?" for the name that is most like the given one, or
// nothing if none is.
func meant(name string, names []string) string {
	best, least := "", (1+len(name))/3
	slices.Sort(names)
	for _, candidate := range names {
		d := distance(strings.ToLower(name), strings.ToLower(candidate))
		if d <= least && (best == "" || d < least) {
			best, least = candidate, d
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}

// distance returns how many bytes must be inserted, removed, replaced, or exchanged with the
// next to make b of a.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			replace := last[j-1]
			if a[i-1] != b[j-1] {
				replace++
			}
			row[j] = min(replace, last[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
