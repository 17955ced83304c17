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

// What encoding/json indents in another way: the times of a Result, one on a line, and nil
// slices.
var (
	timesLines = regexp.MustCompile(`"times_ns": \[[^\]]*\]`)
	nilSlices  = regexp.MustCompile(`(?m)^( *"\w+": )null\b`)
)

// WriteJSON writes the report as indented JSON, with the times of a Result on one line. It
// writes nil slices as empty lists.
func (r *Report) WriteJSON(w io.Writer) error {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false) // so that names of devices are readable
	e.SetIndent("", "  ")
	if err := e.Encode(r); err != nil {
		return fmt.Errorf("report as JSON: %w", err)
	}
	_, err := w.Write(timesLines.ReplaceAllFunc(nilSlices.ReplaceAll(text.Bytes(), []byte("${1}[]")), func(lines []byte) []byte {
		return bytes.Join(bytes.Fields(lines), []byte(" "))
	}))
	return err
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
