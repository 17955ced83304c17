package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
)

// WriteCSV writes a header and a line for each result: the fields that are single values,
// named as in JSON, then the number of runs, the slope, the input, and the doubts, joined
// by "; ".
func (r *Report) WriteCSV(w io.Writer) error {
	fields := reflect.VisibleFields(reflect.TypeFor[Result]())
	fields = slices.DeleteFunc(fields, func(f reflect.StructField) bool { return f.Type.Kind() == reflect.Slice })
	var header []string
	for _, f := range fields {
		header = append(header, f.Tag.Get("json"))
	}
	c := csv.NewWriter(w) // keeps its first error
	c.Write(append(header, "runs", "slope", "input", "doubts"))
	for _, res := range r.Results {
		var line []string
		for _, f := range fields {
			line = append(line, fmt.Sprint(reflect.ValueOf(res).FieldByIndex(f.Index)))
		}
		c.Write(append(line, fmt.Sprint(res.Runs()), fmt.Sprint(r.Slope), r.Input, strings.Join(res.Doubts, "; ")))
	}
	c.Flush()
	return c.Error()
}
