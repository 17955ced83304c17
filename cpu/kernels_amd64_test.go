package cpu

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestStepDown: a row that the processor has not, or that is turned off, gives way
// to the next.
func TestStepDown(t *testing.T) {
	names := []string{}
	for _, r := range rows() {
		names = append(names, r.name)
	}
	debug := os.Getenv("GODEBUG") // rows may be turned off already
	for _, name := range names {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), rowEnv+"=1", "GODEBUG="+debug)
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
