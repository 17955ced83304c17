package compute_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/gmind-go/compute/internal/testenv"
)

// TestImports checks the promises of SECURITY.md: neither the library nor its dependencies
// import packages for the network or for starting programs, and only internal/host opens
// files. The library does not depend on packages for benchmarks either.
func TestImports(t *testing.T) {
	testenv.NeedsGo(t)
	osName := regexp.MustCompile(`\b(os|syscall|ioutil)\.[A-Z]\w*`)
	for _, goos := range []string{"linux", "windows", "darwin"} {
		list := exec.Command("go", "list", "-deps", "-json", "-tags", "opencl", ".", "./cpu", "./expr", "./gmind", "./gpu", "./gonum", "./kernels", "./shard", "./train")
		list.Env = append(os.Environ(), "GOOS="+goos, "GOARCH=amd64", "CGO_ENABLED=1")
		out, err := list.Output()
		if err != nil {
			t.Fatalf("%v: %v", list, err)
		}
		ours := 0
		for packages := json.NewDecoder(strings.NewReader(string(out))); ; {
			var p struct {
				Dir, ImportPath            string
				Standard                   bool
				Module                     *struct{ Main bool }
				GoFiles, CgoFiles, Imports []string
			}
			if err := packages.Decode(&p); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			if p.Standard {
				continue // every program has it
			}
			for _, path := range p.Imports {
				if path == "net" && p.ImportPath == "golang.org/x/sys/windows" {
					continue // for a type of addresses
				}
				if path == "net" || strings.HasPrefix(path, "net/") || path == "os/exec" || path == "plugin" {
					t.Errorf("%s: %s imports %s", goos, p.ImportPath, path)
				}
			}
			if strings.HasPrefix(p.ImportPath, "golang.org/x/perf/") || strings.HasSuffix(p.ImportPath, "/internal/turns") || strings.HasSuffix(p.ImportPath, "/internal/units") {
				t.Errorf("%s: the library needs %s", goos, p.ImportPath)
			}
			if !p.Module.Main {
				continue
			}
			ours++
			for _, file := range append(p.GoFiles, p.CgoFiles...) {
				source, err := os.ReadFile(filepath.Join(p.Dir, file))
				if err != nil {
					t.Fatal(err)
				}
				for _, name := range osName.FindAllString(string(source), -1) {
					reads := name == "os.ReadFile" && strings.HasSuffix(p.ImportPath, "/internal/host")
					if name != "os.Getenv" && name != "os.LookupEnv" && !reads {
						t.Errorf("%s of %s uses %s", file, p.ImportPath, name)
					}
				}
			}
		}
		if ours < 8 {
			t.Errorf("%s: found only %d packages of the library", goos, ours)
		}
	}
}
