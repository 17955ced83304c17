package report

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

var update = flag.Bool("update", false, "write the diagram and the page of docs/results anew")

// TestStored: the diagram and the page that are kept in docs/results are what is made of
// the JSON there: go test ./cmd/bench/internal/report -run Stored -update writes them.
func TestStored(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("other processors round the coordinates in other ways")
	}
	name := filepath.Join("..", "..", "..", "..", "docs", "results", "epyc-zen4-pocl")
	r, err := ReadJSON(name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	for ext, write := range map[string]func(io.Writer) error{
		".html": r.WriteHTML,
		".svg":  func(w io.Writer) error { return r.WritePlot(w, "svg") },
	} {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		if *update {
			if err := os.WriteFile(name+ext, b.Bytes(), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		if kept, err := os.ReadFile(name + ext); err != nil || !bytes.Equal(kept, b.Bytes()) {
			t.Errorf("%s is not what its JSON makes now (%v); run go test ./cmd/bench/internal/report -run Stored -update", name+ext, err)
		}
	}
}
