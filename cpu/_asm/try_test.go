package main

import (
	"os"
	"testing"
)

func TestTry(t *testing.T) {
	os.WriteFile("../kernels_generic.go", goSource(), 0o644)
	os.WriteFile("../kernels_arm64.s", arm64Source(), 0o644)
	os.WriteFile("../table_arm64.go", arm64Table(), 0o644)
}
