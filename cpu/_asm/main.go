// This program writes the kernels of package cpu for all instruction sets, and their tables,
// from one list of programs. go generate ./cpu runs it.
package main

import (
	"flag"
	"log"
	"os"
	"path/filepath"
)

func main() {
	log.SetFlags(0)
	dir := flag.String("dir", "", "the directory to write to")
	flag.Parse()
	assembly, declarations := amd64Sources("cpu", specs())
	folds, foldStubs := foldSources()
	for name, data := range map[string][]byte{
		"kernels_amd64.s":    assembly,
		"stubs_amd64.go":     declarations,
		"table_amd64.go":     amd64Table(),
		"kernels_arm64.s":    arm64Source(specs()),
		"table_arm64.go":     arm64Table(),
		"kernels_generic.go": goSource(),
		"reduce_amd64.s":     folds,
		"reduce_amd64.go":    foldStubs,
		"reduce_arm64.s":     neonFolds(),
		"reduce_arm64.go":    neonFoldStubs(),
		"reduce_generic.go":  goFolds(),
	} {
		if err := os.WriteFile(filepath.Join(*dir, name), data, 0o666); err != nil {
			log.Fatal(err)
		}
	}
}
