package report

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestJSON: the report that is read is the one written, and the file is readable.
func TestJSON(t *testing.T) {
	r := measured(1, 0.1, 5)
	r.Notes = []string{`not measured: "times_ns": [` + "\n1 ]"}
	r.Results[1].Doubts = []string{"clocks & more", "noise"}
	r.Answers = []Answer{{Device: testGPU, CPU: testCPU, Op: "forward", Data: OnHost, Cache: Cold, SizesN: []int{1000, 1 << 20}}, {}}
	var text bytes.Buffer
	if err := r.WriteJSON(&text); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "r.json")
	if err := os.WriteFile(name, text.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	read, err := ReadJSON(name)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprintf("%+v", read), fmt.Sprintf("%+v", r); got != want { // nil and empty slices are the same
		t.Errorf("read %s, want %s", got, want)
	}
	if !strings.Contains(text.String(), testGPU) || strings.Contains(text.String(), "null") {
		t.Errorf("a name is escaped, or a list is null: %s", &text)
	}
	if lines := strings.Count(text.String(), "\n"); strings.Count(text.String(), `"times_ns": [ `) != len(r.Results) || lines > 30*len(r.Results) {
		t.Errorf("times are not on one line: %s", &text)
	}
	if r.Results[0].Doubts != nil || r.Devices == nil {
		t.Error("the report was changed")
	}

	text.Reset()
	if err := new(Report).WriteJSON(&text); err != nil || strings.Count(text.String(), "[]") != 7 || strings.Contains(text.String(), "null") {
		t.Errorf("an empty report: %v, %s; want 7 empty lists", err, &text)
	}
	if err := (&Report{Precision: math.NaN()}).WriteJSON(&text); err == nil || !strings.Contains(err.Error(), "NaN") {
		t.Errorf("no number: %v", err)
	}
	if err := r.WriteJSON(full{}); err != errFull {
		t.Errorf("nowhere to write to: %v", err)
	}
}

// TestReadJSON: a file that is not a report is an error with its name.
func TestReadJSON(t *testing.T) {
	const result = `{"op": "forward", "n": 8, "median_ns": 2, "times_ns": [1, 2, 3]}`
	for text, want := range map[string]string{
		"":                         "not JSON: unexpected end",
		"PK\x03\x04":               "not JSON: invalid character",
		`{"schema": 1, "res`:       "not JSON: unexpected end",
		`{"schema": 1} {}`:         "not JSON",
		"[]":                       "not a report of bench",
		"null":                     "not a report of bench",
		`{"results": []}`:          "not a report of bench",
		`{"schema": "1"}`:          "not a report of bench",
		`{"schema": -1}`:           "not a report of bench",
		`{"schema": 2, "time": 5}`: "written by a newer bench (schema 2; this one knows 1)",
		`{"schema": 1, "time": 5}`: "not a report of bench; give a file that bench -json wrote: ",
		`{"schema": 1}`:            "no results",
		`{"schema": 1, "results": [{"op": "copy", "n": 8, "median_ns": 1}]}`:                             "result 1 of 1, copy of 8 elements, has no times above 0",
		`{"schema": 1, "results": [` + result + `, {"op": "copy", "median_ns": 1, "times_ns": [1, 0]}]}`: "result 2 of 2",
		`{"schema": 1, "results": [{"times_ns": [1]}]}`:                                                  "result 1 of 1",
		`{"schema": 1, "results": [` + result + `]}`:                                                     "",
	} {
		name := filepath.Join(t.TempDir(), "r.json")
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		_, err := ReadJSON(name)
		if want == "" && err != nil || want != "" && (err == nil || !strings.HasPrefix(err.Error(), name+": ") || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v; want the name of the file and %q", text, err, want)
		}
	}
	missing := filepath.Join(t.TempDir(), "missing.json")
	if _, err := ReadJSON(missing); !os.IsNotExist(err) || !strings.Contains(err.Error(), missing) {
		t.Errorf("a file that is not there: %v", err)
	}
}

// FuzzReadJSON: what is read can be compared and written in all forms, or is an error.
func FuzzReadJSON(f *testing.F) {
	var text bytes.Buffer
	if err := measured(1, 0.1, 3).WriteJSON(&text); err != nil {
		f.Fatal(err)
	}
	f.Add(text.Bytes())
	f.Add([]byte(`{"schema":1,"results":[{"op":"x","limit":"x","n":1,"median_ns":1e-320,"times_ns":[1e308,1e308]}]}`))
	f.Add([]byte(`[{"schema":1}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := parseJSON(data)
		if err != nil {
			return
		}
		var out bytes.Buffer
		if err := r.WriteJSON(&out); err != nil {
			t.Errorf("read, but not written: %v", err)
		}
		if err := r.WriteCSV(&out); err != nil {
			t.Error(err)
		}
		if err := r.WriteBenchfmt(&out); err != nil {
			t.Error(err)
		}
		for _, relative := range []bool{false, true} {
			c, err := Compare(r, r, 0.05, relative)
			if err != nil {
				continue
			}
			if c.WriteText(&out); len(c.Regressions()) > 0 {
				t.Errorf("compared with itself: %d slower", len(c.Regressions()))
			}
		}
	})
}
