package cpu

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestStepDown: where the processor does not have an instruction set, or it is turned off,
// the next one is used.
func TestStepDown(t *testing.T) {
	names := []string{}
	for _, set := range instructionSets() {
		names = append(names, set.name)
	}
	debug := os.Getenv("GODEBUG") // some may be turned off already
	for _, name := range names {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), setEnv+"=1", "GODEBUG="+debug)
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		if string(out) != name {
			t.Errorf("of %v with GODEBUG=%s, the first is %s and should be %s", names, debug, out, name)
		}
		off := map[string]string{"avx512": "cpu.avx512f=off", "avx2": "cpu.avx2=off"}[name]
		debug = strings.Trim(debug+","+off, ",")
	}
}
