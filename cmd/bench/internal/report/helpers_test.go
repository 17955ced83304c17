package report

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

const (
	testCPU = "cpu avx512"
	testGPU = "opencl A/B <C> (D)"
)

// measured returns a report of two devices. Times are random, up to noise above the best
// time as a fraction of it.
func measured(seed uint64, noise float64, runs int) *Report {
	r := &Report{
		Schema: Version, Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Command: []string{"bench"},
		Environment: Environment{Go: "go1.26.0", OS: "linux", Arch: "amd64", CPU: "A CPU", Cores: 2, Settings: []string{"GODEBUG=x"}},
		Devices: []Device{
			{Name: testCPU, Backend: "cpu", Driver: "1"},
			{Name: testGPU, Backend: "opencl", Driver: "2"},
		},
		Activation: "LeakyReLU(0.01)", Slope: 0.01, Input: "normal", Precision: 0.02,
	}
	random := rand.New(rand.NewPCG(seed, 0))
	add := func(device, op, data, limit string, n int, ns float64) {
		res := Result{Device: device, Op: op, Data: data, Cache: Cold, Limit: limit, N: n, Bytes: 8 * n, Calls: 10, Verified: true}
		for range runs {
			res.TimesNS = append(res.TimesNS, ns*(1+noise*random.Float64()))
		}
		r.Results = append(r.Results, res)
	}
	for _, n := range []int{1000, 1 << 20} {
		for i, device := range []string{testCPU, testGPU} {
			ns := float64(n) / float64(1+i)
			add(device, Copy, OnDevice, "", n, ns)
			add(device, "forward", OnDevice, Copy, n, 1.25*ns)
			add(device, "backward", OnDevice, Copy, n, 2*ns)
		}
		add(testGPU, Transfer, OnHost, "", n, 16*float64(n))
		add(testGPU, "forward", OnHost, Transfer, n, 17*float64(n))
	}
	return slowed(r, 1, func(Result) bool { return false })
}

// slowed multiplies the times of the results chosen by which, and sets the fields that
// follow from the times.
func slowed(r *Report, factor float64, which func(Result) bool) *Report {
	for i := range r.Results {
		res := &r.Results[i]
		if which(*res) {
			for j := range res.TimesNS {
				res.TimesNS[j] *= factor
			}
		}
		sorted := slices.Sorted(slices.Values(res.TimesNS))
		half := len(sorted) / 2
		res.MinNS, res.MedianNS, res.P95NS = sorted[0], sorted[half], sorted[int(0.95*float64(len(sorted)))]
		res.LowNS, res.HighNS, res.EventNS = sorted[half/2], sorted[half+half/2], math.Nextafter(res.MinNS, 0)
		res.GBps = float64(res.Bytes) / res.MedianNS
	}
	for i := range r.Results {
		res := &r.Results[i]
		if limit := r.limitOf(*res); limit.N > 0 {
			res.OfLimit = res.GBps / limit.GBps
		}
	}
	return r
}

func isForward(res Result) bool { return res.Op == "forward" }
func all(Result) bool           { return true }

// sample returns a run on a CPU and a GPU.
func sample(t *testing.T) *Report {
	t.Helper()
	data, err := os.ReadFile("testdata/report.json")
	if err != nil {
		t.Fatal(err)
	}
	r := new(Report)
	if err := json.Unmarshal(data, r); err != nil {
		t.Fatal(err)
	}
	return r
}

// fits checks that text fits on a terminal of 80 columns.
func fits(t *testing.T, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

// words returns text with its white space, line breaks included, as single spaces.
func words(text string) string { return strings.Join(strings.Fields(text), " ") }

// timed returns a result with runs that all took ns.
func timed(op, data, limit string, bytes int, ns float64) Result {
	r := Result{Op: op, Data: data, Limit: limit, N: bytes / 8, Bytes: bytes, Verified: true, TimesNS: []float64{ns, ns, ns, ns, ns, ns}}
	r.Summarize()
	return r
}
