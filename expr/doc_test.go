package expr

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/gmind-go/compute/internal/ir"
)

var update = flag.Bool("update", false, "write the tables of doc.go")

// TestDocumentation checks that the package documentation has the table of operations. With
// -update it writes it there.
func TestDocumentation(t *testing.T) {
	text, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(text), "\n//\n//\t")
	const first = 2 // after the example
	if len(blocks) != first+4 {
		t.Fatalf("doc.go has %d blocks of code", len(blocks)-1)
	}
	for i, lines := range documentation() {
		_, rest, _ := strings.Cut(blocks[first+i], "\n//\n")
		blocks[first+i] = strings.Join(lines, "\n//\t") + "\n//\n" + rest
	}
	if want := strings.Join(blocks, "\n//\n//\t"); want != string(text) {
		if *update {
			if err := os.WriteFile("doc.go", []byte(want), 0o666); err != nil {
				t.Fatal(err)
			}
			return
		}
		t.Error("doc.go does not have the table of operations; run go test ./expr -run TestDocumentation -update")
	}
}

// documentation returns the lines of the tables of operations, definitions, functions and derivatives.
func documentation() [4][]string {
	var tables [4][]string
	for op := ir.Const + 1; op <= ir.SameBool; op++ {
		info := op.Info()
		if !info.Public() {
			continue
		}
		form := usage(info)
		line := fmt.Sprintf("%-19s %-8s %s", form, info.Out, info.Doc)
		switch {
		case info.Function:
			tables[2] = append(tables[2], fmt.Sprintf("%-19s %s", form, info.Doc))
		case info.Defined():
			tables[1] = append(tables[1], line)
		default:
			tables[0] = append(tables[0], line)
		}
		if info.Slope != "" {
			tables[3] = append(tables[3], fmt.Sprintf("%-19s %s", form, info.Slope))
		}
	}
	return tables
}

// usage returns an operation with its operands.
func usage(info *ir.Info) string {
	letters := map[ir.Type]string{ir.F32: "xyz", ir.U32: "uvw", ir.Bool: "cde"}
	var x []string
	for _, t := range info.In {
		x = append(x, letters[t][:1])
		letters[t] = letters[t][1:]
	}
	switch {
	case info.Called():
		return info.Name + "(" + strings.Join(x, ", ") + ")"
	case len(x) == 1:
		return info.Name + x[0]
	}
	return x[0] + " " + info.Name + " " + x[1]
}
