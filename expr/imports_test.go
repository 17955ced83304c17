package expr_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/gmind-go/compute/internal/testenv"
)

// TestImports checks that the package needs the standard library and the packages of programs
// alone: no backend.
func TestImports(t *testing.T) {
	testenv.NeedsGo(t)
	out, err := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	const module = "github.com/gmind-go/compute/"
	allowed := map[string]bool{"expr": true, "internal/bigfloat": true, "internal/ir": true, "internal/rounded": true, "internal/single": true, "internal/threefry": true}
	for _, path := range strings.Fields(string(out)) {
		if !allowed[strings.TrimPrefix(path, module)] {
			t.Errorf("it needs %s", path)
		}
	}
}
