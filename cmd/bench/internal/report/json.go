package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
)

// timesLines matches the times of a Result as encoding/json indents them, one on a line.
var timesLines = regexp.MustCompile(`"times_ns": \[[^\]]*\]`)

// WriteJSON writes the report as indented JSON, with the times of a Result on one line. It
// writes nil slices as empty lists.
func (r *Report) WriteJSON(w io.Writer) error {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false) // so that names of devices are readable
	e.SetIndent("", "  ")
	if err := e.Encode(r.withLists()); err != nil {
		return fmt.Errorf("report as JSON: %w", err)
	}
	_, err := w.Write(timesLines.ReplaceAllFunc(text.Bytes(), func(lines []byte) []byte {
		return bytes.Join(bytes.Fields(lines), []byte(" "))
	}))
	return err
}

// withLists returns a copy of the report without nil slices.
func (r *Report) withLists() *Report {
	c := *r
	c.Command, c.Devices, c.Notes = list(r.Command), list(r.Devices), list(r.Notes)
	c.Environment.Drivers, c.Environment.Settings = list(r.Environment.Drivers), list(r.Environment.Settings)
	c.Results, c.Answers = slices.Clone(list(r.Results)), slices.Clone(list(r.Answers))
	for i := range c.Results {
		c.Results[i].Doubts, c.Results[i].TimesNS = list(c.Results[i].Doubts), list(c.Results[i].TimesNS)
	}
	for i := range c.Answers {
		c.Answers[i].SizesN = list(c.Answers[i].SizesN)
	}
	return &c
}

// list returns s, or an empty list if it is nil.
func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// ReadJSON returns the report in the file called name, which WriteJSON wrote. It has at
// least one result, and all times are above 0. Errors name the file.
func ReadJSON(name string) (*Report, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	r, err := parseJSON(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return r, nil
}

func parseJSON(data []byte) (*Report, error) {
	if err := json.Unmarshal(data, new(any)); err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	const want = "not a report of bench; give a file that bench -json wrote"
	var version struct{ Schema int }
	if err := json.Unmarshal(data, &version); err != nil || version.Schema < 1 {
		return nil, errors.New(want)
	}
	if version.Schema > Version { // checked first, since other fields may have changed
		return nil, fmt.Errorf("written by a newer bench (schema %d; this one knows %d): use that one", version.Schema, Version)
	}
	var r Report
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("%s: %w", want, err)
	}
	if len(r.Results) == 0 {
		return nil, errors.New("no results: nothing was measured")
	}
	for i, res := range r.Results {
		if res.MedianNS <= 0 || len(res.TimesNS) == 0 || slices.Min(res.TimesNS) <= 0 {
			return nil, fmt.Errorf("%s: result %d of %d, %s of %d elements, has no times above 0", want, i+1, len(r.Results), res.Op, res.N)
		}
	}
	return &r, nil
}
