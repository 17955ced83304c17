package compute_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/backendtest"
	"github.com/gmind-go/compute/gpu"
)

// remoteEnv names the server of PoCL's first remote device.
const remoteEnv = "POCL_REMOTE0_PARAMETERS"

// TestRemote: on devices of other hosts, each alone and all in a Shard. It needs servers,
// which docs/cluster.md tells how to start, so REQUIRE_OPENCL does not ask for it.
func TestRemote(t *testing.T) {
	if os.Getenv(remoteEnv) == "" {
		t.Skipf("needs OpenCL servers, the first of which %s names (see docs/cluster.md)", remoteEnv)
	}
	if devices := os.Getenv("POCL_DEVICES"); !slices.Contains(strings.Fields(devices), "remote") {
		t.Fatalf("%s is set, but POCL_DEVICES is %q; give it the word remote once for each server", remoteEnv, devices)
	}
	t.Setenv(gpu.DeviceEnv, "any") // the servers may have CPU-type devices alone
	infos, err := gpu.Devices()
	if err != nil || len(infos) == 0 {
		t.Fatalf("%s is set, but there is no OpenCL device (%v); check that every server runs, and that its port can be reached", remoteEnv, err)
	}
	for i, info := range infos {
		t.Run(fmt.Sprintf("device %d", i), func(t *testing.T) {
			t.Logf("on %s, driver %s", info.Name, info.Driver)
			backendtest.Run(t, gpu.OpenDevice(fmt.Sprint(i)))
		})
	}
	t.Run("Shard", func(t *testing.T) {
		t.Logf("of %d devices", len(infos))
		backendtest.Run(t, func() (compute.Backend, error) { return alike(gpu.OpenAll()) })
	})
}
