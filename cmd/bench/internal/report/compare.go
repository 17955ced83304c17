package report

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// A Comparison is of the measurements that are in two reports.
type Comparison struct {
	Threshold float64  // how much slower is a regression, as a part of the old time
	Relative  bool     // times are compared as parts of their limit's
	Deltas    []Delta  // in the order of the new report
	OldOnly   []string // measurements that are in one report alone
	NewOnly   []string
	Notes     []string // what makes the reports hard to compare, and what is left out
}

// A Delta is one measurement, made twice.
type Delta struct {
	Old, New           Result
	OldValue, NewValue float64 // the median in ns; if relative, OfLimit
	Ratio              float64 // of the times, or of their parts of the limit's: new by old, above 1 is slower
	P                  float64 // of so great a difference by chance, corrected for the number of Deltas
	Verdict            string  // Slower, Faster or Same
	Regression         bool    // slower by more than the threshold
	Doubtful           bool    // one of the results compared is not verified or has doubts
}

// The verdicts of a Delta.
const (
	Slower = "slower"
	Faster = "faster"
	Same   = "~" // within the noise
)

// Alpha is about the probability that a comparison of reports finds any difference
// that is not there, if runs are independent.
const Alpha = 0.01

// Compare compares every measurement that is in both reports: whether its times
// differ by more than noise (Mann-Whitney U test at level Alpha, with the correction of
// Holm), and by how much their medians do. A measurement is one of the
// same device, operation, data, cache and size, the first if it is made twice in a
// report. A device that has another name in the other report is taken for the same if
// both reports have just one of its backend.
//
// Runs on one machine differ from hour to hour. With relative, times are divided by
// the time of their limit in the same report (OfLimit), whose own noise P does not know.
//
// Reports with different slopes or inputs, or with nothing to compare, are an error.
func Compare(old, new *Report, threshold float64, relative bool) (*Comparison, error) {
	if old.Slope != new.Slope || old.Input != new.Input {
		return nil, fmt.Errorf("the old report has slope %v and input %q, the new one slope %v and input %q; measure both with the same",
			old.Slope, old.Input, new.Slope, new.Input)
	}
	c := &Comparison{Threshold: threshold, Relative: relative}
	names := c.matchDevices(old, new)
	c.noteDifferences(old, new)
	c.noteQuality("old", old)
	c.noteQuality("new", new)

	before := map[measurement]Result{}
	for _, res := range old.Results {
		if _, twice := before[res.measurement()]; !twice {
			before[res.measurement()] = res
		}
	}
	var withoutLimit []string
	compared := map[measurement]bool{}
	for _, res := range new.Results {
		m := res.measurement()
		if name, ok := names[m.device]; ok {
			m.device = name
		}
		was, ok := before[m]
		if !ok {
			c.NewOnly = append(c.NewOnly, res.title())
			continue
		}
		if compared[m] {
			continue
		}
		compared[m] = true
		d := Delta{Old: was, New: res, OldValue: was.MedianNS, NewValue: res.MedianNS, Ratio: res.MedianNS / was.MedianNS}
		d.Doubtful = doubted(was, res)
		oldTimes, newTimes := was.TimesNS, res.TimesNS
		if relative {
			if was.OfLimit <= 0 || res.OfLimit <= 0 {
				if !slices.Contains(withoutLimit, res.Op) {
					withoutLimit = append(withoutLimit, res.Op)
				}
				continue
			}
			d.Doubtful = d.Doubtful || doubted(old.limitOf(was), new.limitOf(res))
			d.OldValue, d.NewValue, d.Ratio = was.OfLimit, res.OfLimit, was.OfLimit/res.OfLimit
			oldTimes, newTimes = was.relativeTimes(), res.relativeTimes()
		}
		d.P = pValue(oldTimes, newTimes)
		c.Deltas = append(c.Deltas, d)
	}
	for _, res := range old.Results {
		if !compared[res.measurement()] {
			c.OldOnly = append(c.OldOnly, res.title())
		}
	}
	if withoutLimit != nil {
		c.note("left out, without a limit in both reports: %s", strings.Join(withoutLimit, ", "))
	}
	switch {
	case len(c.Deltas) == 0 && relative:
		return nil, errors.New("no measurement is in both reports with its limit")
	case len(c.Deltas) == 0:
		return nil, errors.New("no measurement is in both reports")
	}
	c.judge()
	return c, nil
}

// judge gives the verdicts, from the probabilities of each test alone.
func (c *Comparison) judge() {
	var p []float64
	few := 0
	for _, d := range c.Deltas {
		p = append(p, d.P)
		if leastP(d.Old.Runs(), d.New.Runs())*float64(len(c.Deltas)) > Alpha {
			few++
		}
	}
	if few > 0 {
		verb := "have"
		if few == 1 {
			verb = "has"
		}
		c.note("%d of %s %s too few runs to tell a difference from noise", few, Plural(len(c.Deltas), "measurement"), verb)
	}
	for i, p := range holm(p) {
		d := &c.Deltas[i]
		d.P = p
		d.Verdict = Same
		switch {
		case p > Alpha:
		case d.Ratio > 1:
			d.Verdict = Slower
			d.Regression = d.Ratio > 1+c.Threshold
		case d.Ratio < 1:
			d.Verdict = Faster
		}
	}
	c.noteLimits()
}

// noteLimits notes that the limits, which are copies, changed too: the machine did then,
// rather than the kernels.
func (c *Comparison) noteLimits() {
	limits, changed := 0, []Delta{}
	for _, d := range c.Deltas {
		if isLimit(d.New.Op) {
			limits++
			if d.Verdict != Same {
				changed = append(changed, d)
			}
		}
	}
	if len(changed) == 0 {
		return
	}
	worst := slices.MaxFunc(changed, func(a, b Delta) int {
		return cmp.Compare(math.Abs(math.Log(a.Ratio)), math.Abs(math.Log(b.Ratio)))
	})
	c.note("the machine changed: the limits, which are copies, differ by more than the noise in %d of %s (at most: %s, %s); compare with -relative",
		len(changed), Plural(limits, "measurement"), worst.New.title(), worst.change())
}

// Regressions returns the measurements slower by more than the threshold, the worst
// first.
func (c *Comparison) Regressions() []Delta {
	var found []Delta
	for _, d := range c.Deltas {
		if d.Regression {
			found = append(found, d)
		}
	}
	slices.SortStableFunc(found, func(a, b Delta) int { return cmp.Compare(b.Ratio, a.Ratio) })
	return found
}

// A measurement is what is the same when a Result is measured again.
type measurement struct {
	device, op, data, cache string
	n                       int
}

func (r Result) measurement() measurement {
	return measurement{r.Device, r.Op, r.Data, r.Cache, r.N}
}

// title returns the measurement in words.
func (r Result) title() string {
	return fmt.Sprintf("%s %s %s %s (%s)", r.Op, Count(r.N), r.Data, r.Cache, r.Device)
}

// limitOf returns the limit of res, or no Result if there is none.
func (r *Report) limitOf(res Result) Result {
	for _, l := range r.Results {
		if res.Limit != "" && l.Op == res.Limit && l.Device == res.Device && l.N == res.N && l.Cache == res.Cache {
			return l
		}
	}
	return Result{}
}

// relativeTimes returns the times of r as parts of the time of its limit.
func (r Result) relativeTimes() []float64 {
	parts := make([]float64, len(r.TimesNS))
	for i, ns := range r.TimesNS {
		parts[i] = ns / r.MedianNS / r.OfLimit
	}
	return parts
}

func doubted(a, b Result) bool { return len(a.remarks())+len(b.remarks()) > 0 }

func (c *Comparison) note(format string, args ...any) {
	c.Notes = append(c.Notes, fmt.Sprintf(format, args...))
}

// noteIfDifferent notes that the reports differ in something.
func (c *Comparison) noteIfDifferent(what string, old, new any) {
	if old != new {
		c.note("%s differs: %v in the old report, %v in the new", what, old, new)
	}
}

// matchDevices returns the old name of every device that is in both reports.
func (c *Comparison) matchDevices(old, new *Report) map[string]string {
	names := map[string]string{}
	for _, d := range new.Devices {
		was := old.device(d.Name)
		if was.Name == "" {
			sameOld, sameNew := old.devicesOf(d.Backend), new.devicesOf(d.Backend)
			if len(sameOld) != 1 || len(sameNew) != 1 {
				continue
			}
			was = sameOld[0]
			c.note("%s of the old report is compared with %s of the new, each the one device of its backend", was.Name, d.Name)
		}
		names[d.Name] = was.Name
		c.noteIfDifferent("driver of "+d.Name, was.Driver, d.Driver)
	}
	return names
}

func (r *Report) devicesOf(backend string) []Device {
	var found []Device
	for _, d := range r.Devices {
		if d.Backend == backend {
			found = append(found, d)
		}
	}
	return found
}

func (c *Comparison) noteDifferences(old, new *Report) {
	a, b := old.Environment, new.Environment
	c.noteIfDifferent("CPU", a.CPU, b.CPU)
	c.noteIfDifferent("number of cores", a.Cores, b.Cores)
	c.noteIfDifferent("system", a.OS+"/"+a.Arch, b.OS+"/"+b.Arch)
	c.noteIfDifferent("Go", a.Go, b.Go)
	c.noteIfDifferent("environment", strings.Join(a.Settings, " "), strings.Join(b.Settings, " "))
	c.noteIfDifferent("precision", old.Precision, new.Precision)
}

func (c *Comparison) noteQuality(which string, r *Report) {
	if r.Interrupted {
		c.note("the %s report was interrupted", which)
	}
	var bad []Result
	for _, res := range r.Results {
		if len(res.remarks()) > 0 {
			bad = append(bad, res)
		}
	}
	if len(bad) > 0 {
		c.note("in the %s report %s doubtful; the first: %s: %s",
			which, ofResults(len(bad), len(r.Results)), bad[0].title(), strings.Join(bad[0].remarks(), "; "))
	}
}
