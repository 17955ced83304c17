package shard_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/backendtest"
	"github.com/gmind-go/compute/gpu"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/values"
)

// remoteEnv names the server of PoCL's first remote device.
const remoteEnv = "POCL_REMOTE0_PARAMETERS"

// remoteKillEnv is a shell command that ends one of the servers.
const remoteKillEnv = "POCL_REMOTE_KILL"

// TestRemote: on devices of other hosts, each alone and all in a Shard. It needs servers,
// see docs/cluster.md, so REQUIRE_OPENCL does not ask for it.
func TestRemote(t *testing.T) {
	if os.Getenv(remoteEnv) == "" {
		t.Skipf("needs OpenCL servers, the first of which %s names (see docs/cluster.md)", remoteEnv)
	}
	if devices := os.Getenv("POCL_DEVICES"); !slices.Contains(strings.Fields(devices), "remote") {
		t.Fatalf("%s is set, but POCL_DEVICES is %q; give it the word remote once for each server", remoteEnv, devices)
	}
	t.Setenv(gpu.DeviceEnv, "any") // the servers may have only CPU-type devices
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

// TestRemoteKill: if a server is lost during a Stream, the result is still complete and
// right. The test is run by hand, since the server must be started again:
//
//	POCL_REMOTE_KILL="ssh host2 killall -9 pocld" go test -count=1 -timeout 2m -tags opencl -run TestRemoteKill ./shard
func TestRemoteKill(t *testing.T) {
	kill := os.Getenv(remoteKillEnv)
	if os.Getenv(remoteEnv) == "" || kill == "" {
		t.Skipf("needs OpenCL servers, named by %s and so on (see docs/cluster.md), and a command that ends one, in %s", remoteEnv, remoteKillEnv)
	}
	t.Setenv(gpu.DeviceEnv, "any")
	all, err := gpu.OpenAll()
	if len(all) < 2 {
		t.Fatalf("there are %d OpenCL devices, of which one must be left (%v)", len(all), err)
	}
	b, err := alike(all, nil)
	if err != nil {
		t.Fatal(err)
	}
	const n = 32 << 20
	f := compute.LeakyReLU(-0.5)
	xs, got := values.Normal(n, 1), make([]float32, n)
	right := values.Each(n, func(i int) float32 { return f.Value(xs[i]) })
	stream := func() time.Duration {
		clear(got)
		start := time.Now()
		err := b.Stream(context.Background(), compute.OpForward, f, got, xs)
		took := time.Since(start)
		testenv.Equal(t, "stream", got, right, err)
		t.Logf("Stream took %v; failed members: %v", took, b.Info().Skipped)
		return took
	}
	stream()
	took := stream()
	if err := b.Info().Skipped; err != nil {
		t.Fatalf("before a server was ended: %v", err)
	}
	time.AfterFunc(took/3, func() {
		if out, err := exec.Command("sh", "-c", kill).CombinedOutput(); err != nil {
			t.Errorf("%s: %v, %s", kill, err, out)
		}
	})
	stream()
	if b.Info().Skipped == nil {
		t.Error("no member has failed: the server was not lost during the Stream")
	}
	stream() // of the others
	if err := b.Close(); err != nil {
		t.Logf("Close: %v", err)
	}
}
