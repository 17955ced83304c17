//go:build opencl && cgo && linux

package gpu

import (
	"os"
	"strconv"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/values"
)

// soakEnv is the number of launches of TestSoak; make soak sets a million.
const soakEnv = "SOAK"

// TestSoak: many launches, with a wait, a transfer and a stream among them now and
// then, leave nothing behind: the resident size of the process stays what it was. That
// of the root does the same for all operations.
func TestSoak(t *testing.T) {
	launches := 250_000
	if text := os.Getenv(soakEnv); text != "" {
		var err error
		if launches, err = strconv.Atoi(text); err != nil {
			t.Fatalf("%s: %v", soakEnv, err)
		}
	}
	b := testenv.Open(t, OpenDevice("any"))
	f := compute.LeakyReLU(0.01)
	host := values.Normal(1024, 1)
	x, err := b.Upload(host)
	if err != nil {
		t.Fatal(err)
	}
	work := func(n int) {
		for i := range n {
			err := b.Forward(f, x, x)
			switch {
			case err != nil:
			case i%1000 == 0:
				err = b.Stream(t.Context(), compute.OpForward, f, host, host)
			case i%500 == 0:
				err = x.Write(host)
			case i%250 == 0:
				err = b.Sync()
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	work(launches / 4) // until pools and caches are filled
	before := testenv.Resident(t)
	work(launches - launches/4)
	after := testenv.Resident(t)
	t.Logf("%d launches: %.1f MB resident after a quarter of them, %.1f MB at the end", launches, float64(before)/1e6, float64(after)/1e6)
	// Every event that is kept would take some hundred bytes.
	if after-before > 4<<20 {
		t.Errorf("the process grew by %d bytes in %d launches", after-before, launches-launches/4)
	}
}
