package main

import ("os"; "testing")

func TestTry(t *testing.T) {
	os.WriteFile("/tmp/a2/kernels_generic.go", goSource(allSpecs()), 0o644)
	os.WriteFile("/tmp/a2/kernels_arm64.s", arm64Source(allSpecs()), 0o644)
}
