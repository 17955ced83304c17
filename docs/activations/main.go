// Activations writes docs/activations.md, which has a section for each activation, and its
// figures in docs/activations. Run it with go generate ./docs/activations.
package main

import (
	"flag"
	"log"
	"os"
	"path/filepath"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
)

//go:generate go run . -dir ..

func main() {
	log.SetFlags(0)
	dir := flag.String("dir", ".", "write activations.md, and the figures in activations, into this directory")
	flag.Parse()
	b, err := cpu.Open()
	if err != nil {
		log.Fatal(err)
	}
	defer b.Close()
	if err := write(b, *dir); err != nil {
		log.Fatal(err)
	}
}

// write writes the page, and the figures with values that b computes.
func write(b compute.Backend, dir string) error {
	if err := os.MkdirAll(filepath.Join(dir, "activations"), 0o777); err != nil {
		return err
	}
	sections, err := all()
	if err != nil {
		return err
	}
	for _, s := range sections {
		figure, err := draw(b, s)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, s.figure()), figure, 0o666); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(dir, "activations.md"), page(sections), 0o666)
}
