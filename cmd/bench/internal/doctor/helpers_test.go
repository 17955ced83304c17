package doctor

import (
	"os"
	"testing"

	"github.com/gmind-go/compute/internal/testenv"
)

// TestMain makes the test binary the child process, if its arguments are those of one.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "probe" {
		os.Exit(Probe(os.Args[2:]))
	}
	os.Setenv("GORACE", "atexit_sleep_ms=0") // otherwise each child takes a second longer
	testenv.Main(m)
}
