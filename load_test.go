package compute_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/gpu"
	"github.com/gmind-go/compute/internal/play"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/values"
)

// loadEnv is the duration of each part of the load tests, such as 1m; make load sets it.
const loadEnv = "LOAD"

func loadTime(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv(loadEnv)
	if text == "" {
		return time.Second
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("%s: %v", loadEnv, err)
	}
	return d
}

// loaded are the backends under load: OpenCL also as on a device with memory of its own,
// where a Stream has many small parts.
var loaded = []struct {
	name   string
	open   compute.Opener
	length int   // of a Stream that takes some time
	look   int32 // which Err of its context is between two parts; never if there is one part
}{
	{"cpu", cpu.Open, 9<<20 + 5, 3},
	{"opencl", gpu.OpenDevice("any"), 1<<20 + 5, never},
	{"staged", gpu.Options{Device: "any", Staged: true, StreamMemory: 64 << 10}.Open, 1<<20 + 5, 20},
}

// TestLoad: many goroutines use one backend, each with all operations, right and wrong ones,
// and contexts that end at any time; every result is checked. It logs how many operations
// they do per second, and how many one goroutine does.
func TestLoad(t *testing.T) {
	const goroutines = 256
	for _, on := range loaded {
		t.Run(on.name, func(t *testing.T) {
			s, err := play.NewSession(testenv.Open(t, on.open), testenv.Open(t, on.open))
			if err != nil {
				t.Fatal(err)
			}
			defer s.End()
			d := loadTime(t)
			one, err := load(s, 1, d/4)
			if err != nil {
				t.Fatal(err)
			}
			all, err := load(s, goroutines, d)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s: 1 goroutine: %v; %d: %v", s.Name(), one, goroutines, all)
		})
	}
}

// throughput is what was done per second, with the checks.
type throughput struct{ operations, elements float64 }

func (t throughput) String() string {
	return fmt.Sprintf("%.0f operations/s, %.2g elements/s", t.operations, t.elements)
}

// load plays random scripts in goroutines for the duration d.
func load(s *play.Session, goroutines int, d time.Duration) (throughput, error) {
	start := time.Now()
	players, errs := make([]*play.Player, goroutines), make([]error, goroutines)
	var wg sync.WaitGroup
	for g := range goroutines {
		p := s.Player()
		players[g] = p
		wg.Go(func() {
			random := rand.NewChaCha8([32]byte{byte(g), byte(g >> 8)})
			script := make([]byte, 500)
			for errs[g] == nil && (p.Operations == 0 || time.Since(start) < d) {
				random.Read(script)
				errs[g] = p.Play(script)
			}
			errs[g] = errors.Join(errs[g], p.Release())
		})
	}
	wg.Wait()
	seconds := time.Since(start).Seconds()
	var t throughput
	for _, p := range players {
		t.operations += float64(p.Operations) / seconds
		t.elements += float64(p.Elements) / seconds
	}
	return t, errors.Join(errors.Join(errs...), s.Balance())
}

// TestLoadCancelled ends contexts at any time of a Stream of many parts. The result is
// complete; or Stream returns an error, every element is computed or unchanged, and none
// changes afterwards.
func TestLoadCancelled(t *testing.T) {
	f := compute.LeakyReLU(-0.5)
	old := values.Uniform(1<<16, 1)
	for i := range old {
		old[i] -= 2 // every result differs from its input
	}
	computed := make([]float32, len(old))
	for i, x := range old {
		computed[i] = f.Value(x)
	}
	for _, on := range loaded {
		t.Run(on.name, func(t *testing.T) {
			b := testenv.Open(t, on.open)
			host := make([]float32, on.length)
			stream := func(endsAfter time.Duration, look int32) (took time.Duration, err error) {
				for part := range slices.Chunk(host, len(old)) {
					copy(part, old)
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				defer time.AfterFunc(endsAfter, cancel).Stop()
				start := time.Now()
				err = b.Stream(&endsAt{Context: ctx, cancel: cancel, look: look}, compute.OpForward, f, host, host)
				return time.Since(start), err
			}
			whole, err := stream(time.Hour, never) // allocates memory for later calls
			if err == nil {
				whole, err = stream(time.Hour, never)
			}
			if err != nil {
				t.Fatal(err)
			}
			if on.look < never {
				_, err := stream(time.Hour, on.look)
				done, bad := countDone(host, old, computed)
				if bad != nil || !errors.Is(err, context.Canceled) || done == 0 || done == len(host) {
					t.Fatalf("cancelled between two parts: %d of %d elements are computed, Stream returned %v; %v", done, len(host), err, bad)
				}
			}
			complete, partly, nothing := 0, 0, 0
			random := rand.New(rand.NewPCG(3, 0))
			start := time.Now()
			for complete+partly+nothing < 4 || time.Since(start) < loadTime(t) {
				_, err := stream(time.Duration(random.Float64()*1.2*float64(whole)), never)
				done, bad := countDone(host, old, computed)
				switch {
				case bad != nil:
					t.Fatalf("%v; Stream returned %v", bad, err)
				case err == nil && done < len(host):
					t.Fatalf("Stream returned no error, and only %d of %d elements are computed", done, len(host))
				case err == nil:
					complete++
					continue
				case !errors.Is(err, context.Canceled):
					t.Fatal(err)
				case done > 0:
					partly++
				default:
					nothing++
				}
				if again, bad := countDone(host, old, computed); bad != nil || again != done {
					t.Fatalf("after Stream returned, the number of computed elements went from %d to %d: %v", done, again, bad)
				}
			}
			t.Logf("%s: %d streams complete, %d cancelled with a part done, %d with nothing", b.Info().Name, complete, partly, nothing)
		})
	}
}

// endsAt is a context that ends at the call of Err with number look.
type endsAt struct {
	context.Context
	cancel func()
	look   int32
	looks  atomic.Int32
}

const never = math.MaxInt32

func (c *endsAt) Err() error {
	if c.looks.Add(1) >= c.look {
		c.cancel()
	}
	return c.Context.Err()
}

// countDone returns how many elements of host, which had repetitions of old, are computed.
// It is an error if one is neither computed nor old.
func countDone(host, old, computed []float32) (done int, err error) {
	for part := range slices.Chunk(host, len(old)) {
		switch n := len(part); {
		case slices.Equal(part, computed[:n]):
			done += n
			continue
		case slices.Equal(part, old[:n]):
			continue
		}
		for i, v := range part {
			switch v {
			case computed[i]:
				done++
			case old[i]:
			default:
				return 0, fmt.Errorf("an element is %x, and should be %x or still %x", v, computed[i], old[i])
			}
		}
	}
	return done, nil
}

// TestLoadProcesses runs TestLoad on OpenCL in two concurrent processes.
func TestLoadProcesses(t *testing.T) {
	testenv.Open(t, gpu.OpenDevice("any"))
	var wg sync.WaitGroup
	for range 2 {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestLoad$/^opencl$", "-test.v")
		cmd.Env = append(os.Environ(), loadEnv+"="+loadTime(t).String())
		wg.Go(func() {
			out, err := cmd.CombinedOutput()
			t.Logf("%s", out)
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}
