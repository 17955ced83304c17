package report

import (
	"encoding/json"
	"os"
	"testing"
)

// sample returns a run on a CPU and a GPU.
func sample(t *testing.T) *Report {
	t.Helper()
	data, err := os.ReadFile("testdata/report.json")
	if err != nil {
		t.Fatal(err)
	}
	r := new(Report)
	if err := json.Unmarshal(data, r); err != nil {
		t.Fatal(err)
	}
	return r
}
