// Generate prints the shipped kernels to the directory that it is run in: go generate runs it
// in package kernels.
package main

import (
	"log"
	"os"

	"github.com/gmind-go/compute/internal/openclc"
)

func main() {
	log.SetFlags(0)
	for _, name := range openclc.Files() {
		text, err := openclc.File(name)
		if err == nil {
			err = os.WriteFile(name, []byte(text), 0o666)
		}
		if err != nil {
			log.Fatal(err)
		}
	}
}
