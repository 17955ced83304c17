package report

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/floats"
)

// A Comparison compares the measurements that are in both of two reports.
type Comparison struct {
	Threshold float64  // a regression is slower by more than this fraction of the old time
	Relative  bool     // fractions of the limit are compared, instead of times
	Deltas    []Delta  // in the order of the new report
	OldOnly   []string // measurements that are in one report only
	NewOnly   []string
	Notes     []string // why the reports are hard to compare, and what is left out
}

// A Delta is one measurement in both reports.
type Delta struct {
	Old, New           Result
	OldValue, NewValue float64 // the median in ns; if Relative, OfLimit
	Ratio              float64 // new by old time; above 1 is slower
	P                  float64 // the p-value of the difference, corrected for the number of Deltas
	Verdict            string  // Slower, Faster or Same
	Regression         bool    // slower by more than the threshold
	Doubtful           bool    // a result compared is doubtful
}

// The verdicts of a Delta.
const (
	Slower = "slower"
	Faster = "faster"
	Same   = "~" // within the noise
)

// Alpha is the probability that a comparison finds any difference where there is none, if
// runs are independent.
const Alpha = 0.01

// Compare compares the measurements that are in both reports: whether their times differ by
// more than noise (by the Mann-Whitney U test at level Alpha, with Holm's correction), and
// the medians. Measurements are the same if device, operation, data, cache and size are; the
// first counts if a report has several. A device with another name is the same if both
// reports have only one device of its backend.
//
// The speed of a machine changes from hour to hour. If relative is true, times are divided
// by those of their limit in the same report (OfLimit); P does not cover the noise of the
// limit.
//
// It is an error if the slopes, the inputs or programs with one name differ, or if no
// measurement is in both reports.
func Compare(old, new *Report, threshold float64, relative bool) (*Comparison, error) {
	if old.Activation != "" && new.Activation != "" && old.Slope != new.Slope || old.Input != new.Input {
		return nil, fmt.Errorf("the old report has slope %v and input %q, the new one slope %v and input %q; measure both with the same",
			old.Slope, old.Input, new.Slope, new.Input)
	}
	for _, p := range new.Programs {
		i := slices.IndexFunc(old.Programs, func(was Program) bool { return was.Name == p.Name })
		if i >= 0 && old.Programs[i] != p {
			return nil, fmt.Errorf("the program %s is %v in the old report and %v in the new one; measure both with the same, or give one another name",
				p.Name, old.Programs[i], p)
		}
	}
	c := &Comparison{Threshold: threshold, Relative: relative}
	names := c.matchDevices(old, new)
	c.noteDifferences(old, new)
	c.noteQuality("old", old)
	c.noteQuality("new", new)

	var withoutLimit []string
	compared := map[key]bool{}
	for _, res := range new.Results {
		k := res.key()
		k.device = cmp.Or(names[k.device], k.device)
		was := old.find(k)
		switch {
		case was == nil:
			c.NewOnly = append(c.NewOnly, res.title())
		case compared[k]: // already
		case relative && (was.OfLimit <= 0 || res.OfLimit <= 0):
			withoutLimit = append(withoutLimit, res.Op)
		default:
			d := Delta{
				Old: *was, New: res, OldValue: was.MedianNS, NewValue: res.MedianNS, Ratio: res.MedianNS / was.MedianNS,
				P: pValue(was.TimesNS, res.TimesNS), Doubtful: doubtful(*was) || doubtful(res),
			}
			if relative {
				d.OldValue, d.NewValue, d.Ratio = was.OfLimit, res.OfLimit, was.OfLimit/res.OfLimit
				d.P = pValue(was.relativeTimes(), res.relativeTimes())
				d.Doubtful = d.Doubtful || doubtful(old.limitOf(*was)) || doubtful(new.limitOf(res))
			}
			c.Deltas = append(c.Deltas, d)
		}
		compared[k] = true
	}
	for _, res := range old.Results {
		if !compared[res.key()] {
			c.OldOnly = append(c.OldOnly, res.title())
		}
	}
	if withoutLimit != nil {
		slices.Sort(withoutLimit)
		c.note("left out, without a limit in both reports: %s", strings.Join(slices.Compact(withoutLimit), ", "))
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

// judge corrects the p-values, and sets the verdicts.
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
		c.note("%d of %s %s too few runs to distinguish a difference from noise", few, Plural(len(c.Deltas), "measurement"), verb)
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

// noteLimits notes that limits changed. They are copies, so then the machine changed.
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
	c.note("the machine changed: its limits, such as the copy, differ by more than the noise in %d of %s (at most: %s, %s); compare with -relative",
		len(changed), Plural(limits, "measurement"), worst.New.title(), worst.change())
}

// Regressions returns the measurements that are slower by more than the threshold, the worst
// first.
func (c *Comparison) Regressions() []Delta {
	found := slices.DeleteFunc(slices.Clone(c.Deltas), func(d Delta) bool { return !d.Regression })
	slices.SortStableFunc(found, func(a, b Delta) int { return cmp.Compare(b.Ratio, a.Ratio) })
	return found
}

// limitOf returns the limit of res, or a zero Result.
func (r *Report) limitOf(res Result) Result {
	for _, l := range r.Results {
		if l.Op == res.Limit && l.Device == res.Device && l.N == res.N && l.Cache == res.Cache {
			return l
		}
	}
	return Result{}
}

// relativeTimes returns the times of r as multiples of the time of its limit.
func (r Result) relativeTimes() []float64 {
	times := slices.Clone(r.TimesNS)
	floats.Scale(1/(r.MedianNS*r.OfLimit), times)
	return times
}

func (c *Comparison) note(format string, args ...any) {
	c.Notes = append(c.Notes, fmt.Sprintf(format, args...))
}

// noteIfDifferent notes that the reports differ in what.
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
	return slices.DeleteFunc(slices.Clone(r.Devices), func(d Device) bool { return d.Backend != backend })
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

// noteQuality notes that a report is incomplete or has doubtful results.
func (c *Comparison) noteQuality(which string, r *Report) {
	if r.Interrupted {
		c.note("the %s report was interrupted", which)
	}
	bad := slices.DeleteFunc(slices.Clone(r.Results), func(res Result) bool { return !doubtful(res) })
	if len(bad) > 0 {
		c.note("in the %s report %s doubtful; the first: %s: %s",
			which, ofResults(len(bad), len(r.Results)), bad[0].title(), strings.Join(bad[0].remarks(), "; "))
	}
}
