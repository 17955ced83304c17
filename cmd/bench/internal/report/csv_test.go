package report

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

var errFull = errors.New("full")

// full is a Writer that takes nothing.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

// TestCSV: every result is a line, with all but its single times.
func TestCSV(t *testing.T) {
	r := measured(1, 0.1, 5)
	r.Input = `my, "input".npy`
	r.Results[1].Doubts = []string{"one", "two"}
	var text bytes.Buffer
	if err := r.WriteCSV(&text); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&text).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 1+len(r.Results) {
		t.Fatalf("%d lines for %d results", len(rows), len(r.Results))
	}
	for i, res := range r.Results {
		want := map[string]string{"runs": "5", "slope": "0.01", "input": r.Input, "doubts": ""}
		v := reflect.ValueOf(res)
		for f := range v.NumField() {
			if field := v.Field(f); field.Kind() != reflect.Slice {
				want[v.Type().Field(f).Tag.Get("json")] = fmt.Sprint(field)
			}
		}
		if i == 1 {
			want["doubts"] = "one; two"
		}
		got := map[string]string{}
		for c, name := range rows[0] {
			got[name] = rows[1+i][c]
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("line %d is %v, want %v", 2+i, got, want)
		}
	}
	const some = "device,op,data,cache,n,bytes,calls,median_ns,min_ns,p95_ns,low_ns,high_ns,event_ns"
	if head := strings.Join(rows[0], ","); !strings.HasPrefix(head, some) || !strings.HasSuffix(head, "gbps,flop,gflops,limit,of_limit,verified,runs,slope,input,doubts") {
		t.Errorf("the header is %s", head)
	}
	line := strings.Join(rows[2][:7], ",") + "," + rows[2][len(rows[2])-5]
	if want := "cpu avx512,forward,device,cold,1000,8000,10,true"; line != want {
		t.Errorf("line 3 is %s, want %s", line, want)
	}
	if err := r.WriteCSV(full{}); err != errFull {
		t.Errorf("nowhere to write to: %v", err)
	}
}
