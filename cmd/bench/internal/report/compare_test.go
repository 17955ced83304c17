package report

import (
	"slices"
	"strings"
	"testing"
)

const (
	runs      = 31
	threshold = 0.05
)

// compare compares comparable reports.
func compare(t *testing.T, old, new *Report, relative bool) *Comparison {
	t.Helper()
	c, err := Compare(old, new, threshold, relative)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// expect checks that the results chosen by which have the verdict, and are regressions or
// not, and that all others are within the noise.
func expect(t *testing.T, c *Comparison, which func(Result) bool, verdict string, regression bool) {
	t.Helper()
	for _, d := range c.Deltas {
		want, wantRegression := Same, false
		if which(d.New) {
			want, wantRegression = verdict, regression
		}
		if d.Verdict != want || d.Regression != wantRegression || (d.P <= Alpha) != (want != Same) {
			t.Errorf("%s: %q, regression %v, p %v, ratio %v; want %q, %v",
				d.New.title(), d.Verdict, d.Regression, d.P, d.Ratio, want, wantRegression)
		}
	}
}

func none(Result) bool { return false }

// TestCompare: slower and faster measurements are found, and no others.
func TestCompare(t *testing.T) {
	for _, test := range []struct {
		name       string
		noise      float64
		factor     float64
		verdict    string
		regression bool
	}{
		{"as fast", 0.1, 1, Same, false},
		{"slower by 10 %", 0.03, 1.1, Slower, true},
		{"slower by 3 %, in huge noise", 2, 1.03, Same, false},
		{"slower by 3 %", 0.01, 1.03, Slower, false},
		{"faster by 10 %", 0.03, 1 / 1.1, Faster, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			old, new := measured(1, test.noise, runs), slowed(measured(2, test.noise, runs), test.factor, isForward)
			c := compare(t, old, new, false)
			if len(c.Deltas) != len(old.Results) || c.OldOnly != nil || c.NewOnly != nil || c.Notes != nil {
				t.Errorf("%d compared, %d and %d only in one, notes %q", len(c.Deltas), len(c.OldOnly), len(c.NewOnly), c.Notes)
			}
			expect(t, c, isForward, test.verdict, test.regression)
			for i, d := range c.Deltas {
				if o, n := old.Results[i], new.Results[i]; d.Old.title() != o.title() || d.New.title() != n.title() ||
					d.OldValue != o.MedianNS || d.NewValue != n.MedianNS || d.Ratio != n.MedianNS/o.MedianNS {
					t.Errorf("%s: %+v", n.title(), d)
				}
			}
			if found := c.Regressions(); len(found) > 0 != test.regression {
				t.Errorf("%d regressions", len(found))
			}
		})
	}
}

func TestCompareWithItself(t *testing.T) {
	r := measured(1, 0.1, runs)
	for _, relative := range []bool{false, true} {
		c := compare(t, r, r, relative)
		expect(t, c, none, "", false)
		for _, d := range c.Deltas {
			if d.Ratio != 1 || d.P != 1 {
				t.Errorf("%s: ratio %v, p %v", d.New.title(), d.Ratio, d.P)
			}
		}
	}
}

// TestRegressions: the worst regression is first, and the threshold is that of the call.
func TestRegressions(t *testing.T) {
	old, new := measured(1, 0.01, runs), measured(2, 0.01, runs)
	slowed(new, 1.2, isForward)
	slowed(new, 1.5, func(res Result) bool { return isForward(res) && res.Device == testGPU && res.Data == OnDevice })
	c := compare(t, old, new, false)
	found := c.Regressions()
	if len(found) != 6 || found[0].New.Device != testGPU || found[5].Ratio > found[0].Ratio {
		t.Errorf("found %+v", found)
	}
	c, err := Compare(old, new, 0.5, false)
	if err != nil || len(c.Regressions()) != 2 {
		t.Errorf("more than 50 %%: %v, %+v; want 2", err, c.Regressions())
	}
}

// TestRelative: a machine that is half as fast is not a regression. A slower kernel is one,
// by its fraction of the limit.
func TestRelative(t *testing.T) {
	old, new := measured(1, 0.03, runs), slowed(measured(1, 0.03, runs), 2, all)
	expect(t, compare(t, old, new, false), all, Slower, true)
	expect(t, compare(t, old, new, true), none, "", false)

	c := compare(t, old, slowed(new, 1.1, isForward), true)
	expect(t, c, isForward, Slower, true)
	left := 0
	for _, d := range c.Deltas {
		if d.Old.OfLimit != d.OldValue || d.New.OfLimit != d.NewValue || d.NewValue == 0 {
			t.Errorf("%s: %v and %v of the limit, want %v and %v", d.New.title(), d.OldValue, d.NewValue, d.Old.OfLimit, d.New.OfLimit)
		}
		if ratio := d.OldValue / d.NewValue; d.Ratio < ratio*0.999 || d.Ratio > ratio*1.001 {
			t.Errorf("%s: ratio %v, want %v", d.New.title(), d.Ratio, ratio)
		}
		left++
	}
	if want := 10; left != want || len(c.Notes) != 1 || c.Notes[0] != "left out, without a limit in both reports: copy, transfer" || c.OldOnly != nil {
		t.Errorf("%d compared, want %d; notes %q, only in the old %q", left, want, c.Notes, c.OldOnly)
	}

	doubtful := measured(1, 0.03, runs)
	doubtful.Results[0].Doubts = []string{"of the limit"}
	warm := doubtful.Results[8] // the copy of the other size
	warm.Cache, warm.Doubts = Warm, []string{"of another limit"}
	doubtful.Results = append([]Result{warm}, doubtful.Results...)
	for _, d := range compare(t, old, doubtful, true).Deltas {
		if want := d.New.Device == testCPU && d.New.N == 1000; d.Doubtful != want {
			t.Errorf("%s: doubtful is %v", d.New.title(), d.Doubtful)
		}
	}

	limits := measured(1, 0.03, runs)
	limits.Results = limits.Results[:1]
	if _, err := Compare(old, limits, threshold, true); err == nil || !strings.Contains(err.Error(), "with its limit") {
		t.Errorf("limits alone: %v", err)
	}
}

// TestDevices: which devices are the same.
func TestDevices(t *testing.T) {
	rename := func(r *Report, from, to string) *Report {
		for i := range r.Devices {
			if r.Devices[i].Name == from {
				r.Devices[i].Name = to
			}
		}
		for i := range r.Results {
			if r.Results[i].Device == from {
				r.Results[i].Device = to
			}
		}
		return r
	}
	old := measured(1, 0.03, runs)
	c := compare(t, old, rename(measured(1, 0.03, runs), testCPU, "cpu avx2"), false)
	if len(c.Deltas) != len(old.Results) || c.OldOnly != nil || c.NewOnly != nil || len(c.Notes) != 1 ||
		c.Notes[0] != "cpu avx512 of the old report is compared with cpu avx2 of the new, each the one device of its backend" {
		t.Errorf("%d compared, notes %q", len(c.Deltas), c.Notes)
	}
	for _, d := range c.Deltas {
		if d.Old.Op != d.New.Op || d.Old.N != d.New.N || (d.Old.Device == testCPU) != (d.New.Device == "cpu avx2") {
			t.Errorf("%s is compared with %s", d.Old.title(), d.New.title())
		}
	}

	two := rename(measured(1, 0.03, runs), testGPU, "opencl E")
	two.Devices = append(two.Devices, Device{Name: "opencl F", Backend: "opencl"})
	c = compare(t, old, two, false)
	if len(c.Deltas) != 6 || len(c.OldOnly) != 10 || len(c.NewOnly) != 10 || c.Notes != nil {
		t.Errorf("two devices: %d compared, %q, %q, notes %q", len(c.Deltas), c.OldOnly, c.NewOnly, c.Notes)
	}
	if c := compare(t, two, old, false); len(c.Deltas) != 6 || len(c.OldOnly) != 10 || len(c.NewOnly) != 10 {
		t.Errorf("two devices before: %d compared, %q, %q", len(c.Deltas), c.OldOnly, c.NewOnly)
	}
	if c.OldOnly[0] != "copy 1000 device cold ("+testGPU+")" || c.NewOnly[9] != "forward 1Mi host cold (opencl E)" {
		t.Errorf("in one report only: %q, %q", c.OldOnly, c.NewOnly)
	}
}

// TestMeasurements: measurements that differ in any property are not compared.
func TestMeasurements(t *testing.T) {
	for i, change := range []func(*Result){
		func(r *Result) { r.Op = "derivative" },
		func(r *Result) { r.Data = OnHost },
		func(r *Result) { r.Cache = Warm },
		func(r *Result) { r.N++ },
		func(r *Result) { r.Device = testGPU },
	} {
		old, new := measured(1, 0.1, runs), measured(1, 0.1, runs)
		old.Results, new.Results = old.Results[:2], new.Results[:2]
		change(&new.Results[1])
		c := compare(t, old, new, false)
		if len(c.Deltas) != 1 || len(c.OldOnly) != 1 || len(c.NewOnly) != 1 {
			t.Errorf("change %d: %d compared, %q, %q", i, len(c.Deltas), c.OldOnly, c.NewOnly)
		}
	}
	twice := measured(1, 0.1, runs)
	twice.Results = append(twice.Results, slowed(measured(1, 0.1, runs), 2, all).Results...)
	expect(t, compare(t, twice, twice, false), none, "", false)
	if c := compare(t, twice, measured(1, 0.1, runs), false); len(c.Deltas) != 16 || c.OldOnly != nil || len(c.Regressions()) > 0 {
		t.Errorf("measured twice: %d compared, %q", len(c.Deltas), c.OldOnly)
	}
}

func TestNotComparable(t *testing.T) {
	programs := []Program{{"mse", "mse(p, t) = p - t", ""}, {"silu", "silu(x) = 2 * x", "s=1"}}
	old := measured(1, 0.1, runs)
	old.Programs = programs
	for want, change := range map[string]func(*Report){
		`slope 0.01 and input "normal", the new one slope 0.25 and input "normal"`: func(r *Report) { r.Slope = 0.25 },
		`slope 0.01 and input "normal", the new one slope 0.01 and input "x.npy"`:  func(r *Report) { r.Input = "x.npy" },
		"the program silu is silu(x) = 2 * x, s=1 in the old report and silu(x) = 2 * x, s=2 in the new one": func(r *Report) {
			r.Programs[1].Scalars = "s=2"
		},
		"is silu(x) = 2 * x, s=1 in the old report and silu(x) = 3 * x, s=1 in the new one": func(r *Report) {
			r.Programs[1].Text = "silu(x) = 3 * x"
		},
		"no measurement is in both": func(r *Report) {
			for i := range r.Results {
				r.Results[i].N += 7
			}
		},
	} {
		new := measured(1, 0.1, runs)
		new.Programs = slices.Clone(programs)
		change(new)
		if _, err := Compare(old, new, threshold, false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestComparablePrograms: programs that are in one report only, and a slope that nothing in
// one of the reports has, are no obstacle.
func TestComparablePrograms(t *testing.T) {
	old, new := measured(1, 0.1, runs), measured(1, 0.1, runs)
	old.Programs = []Program{{"mse", "mse(p, t) = p - t", ""}, {"both", "both(x) = x", ""}}
	new.Programs = []Program{{"both", "both(x) = x", ""}, {"silu", "silu(x) = 2 * x", ""}}
	new.Activation, new.Slope = "", 0
	if c := compare(t, old, new, false); len(c.Deltas) != 16 {
		t.Errorf("%d compared", len(c.Deltas))
	}
}

// TestNotes: there is a note for everything that makes reports hard to compare.
func TestNotes(t *testing.T) {
	for want, change := range map[string]func(*Report){
		"CPU differs: A CPU in the old report, B in the new":                         func(r *Report) { r.Environment.CPU = "B" },
		"number of cores differs: 2 in the old report, 3 in the new":                 func(r *Report) { r.Environment.Cores = 3 },
		"system differs: linux/amd64 in the old report, linux/arm64 in the new":      func(r *Report) { r.Environment.Arch = "arm64" },
		"Go differs: go1.26.0 in the old report, go1.25.0 in the new":                func(r *Report) { r.Environment.Go = "go1.25.0" },
		"environment differs: GODEBUG=x in the old report, GODEBUG=x A=b in the new": func(r *Report) { r.Environment.Settings = []string{"GODEBUG=x", "A=b"} },
		"precision differs: 0.02 in the old report, 0.05 in the new":                 func(r *Report) { r.Precision = 0.05 },
		"driver of " + testGPU + " differs: 2 in the old report, 3 in the new":       func(r *Report) { r.Devices[1].Driver = "3" },
		"the new report was interrupted":                                             func(r *Report) { r.Interrupted = true },
		"in the new report 1 of 16 results is doubtful; the first: forward 1000 device cold (cpu avx512): not verified; clocks": func(r *Report) {
			r.Results[1].Verified, r.Results[1].Doubts = false, []string{"clocks"}
		},
		"16 of 16 measurements have too few runs to distinguish a difference from noise": func(r *Report) {
			for i := range r.Results {
				r.Results[i].TimesNS = r.Results[i].TimesNS[:2]
			}
		},
	} {
		old, new := measured(1, 0.1, runs), measured(1, 0.1, runs)
		change(new)
		if c := compare(t, old, new, false); len(c.Notes) != 1 || c.Notes[0] != want {
			t.Errorf("notes %q, want %q", c.Notes, want)
		}
		if c := compare(t, new, old, false); len(c.Notes) != 1 || c.Notes[0] == want && !strings.Contains(want, "few") {
			t.Errorf("the other way round: notes %q", c.Notes)
		}
	}
}

// TestLimitsChanged: there is a note if copies differ, but not if only operations do, or if
// fractions of the limit are compared.
func TestLimitsChanged(t *testing.T) {
	old := measured(1, 0.01, runs)
	noted := func(c *Comparison) bool {
		return len(c.Notes) > 0 && strings.HasPrefix(c.Notes[len(c.Notes)-1], "the machine changed: ")
	}
	isCopy := func(res Result) bool { return res.Op == Copy && res.N == 1000 }
	for _, factor := range []float64{3, 0.25} {
		c := compare(t, old, slowed(measured(1, 0.01, runs), factor, isCopy), false)
		want := "differ by more than the noise in 2 of 6 measurements (at most: copy 1000 device cold (cpu avx512), "
		if !noted(c) || !strings.Contains(c.Notes[0], want) || !strings.HasSuffix(c.Notes[0], "compare with -relative") {
			t.Errorf("%v times as slow: notes %q", factor, c.Notes)
		}
	}
	if c := compare(t, old, slowed(measured(1, 0.01, runs), 3, isForward), false); noted(c) {
		t.Errorf("operations alone: notes %q", c.Notes)
	}
	if c := compare(t, old, slowed(measured(1, 0.01, runs), 3, all), true); noted(c) {
		t.Errorf("fractions of the limit: notes %q", c.Notes)
	}
}
