package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// A panel is what one diagram shows: GB/s over the size, of one device, with the data
// in one place and the caches in one state. Each has a scale of its own, since these
// are orders of magnitude apart.
type panel struct {
	device, data, cache string

	curves     []curve
	roofs      []curve         // what the others are compared with
	limits     map[string]bool // the operations that curves are compared with
	caches     Caches          // zero where the device is not a CPU
	minN, maxN int             // of all panels of the report
}

// A curve is one operation: its results by ascending size, all of one data and cache.
type curve struct {
	op      string
	results []Result
}

// panels sorts the results that can be drawn: devices in the order measured, data on
// the device first, cold caches first.
func (r *Report) panels() []panel {
	var list []panel
	minN, maxN := math.MaxInt, 0
	for _, res := range r.Results {
		if !drawable(res) {
			continue
		}
		minN, maxN = min(minN, res.N), max(maxN, res.N)
		same := func(p panel) bool {
			return p.device == res.Device && p.data == res.Data && p.cache == res.Cache
		}
		if !slices.ContainsFunc(list, same) {
			list = append(list, panel{device: res.Device, data: res.Data, cache: res.Cache})
		}
	}
	device := func(p panel) int {
		return slices.IndexFunc(r.Results, func(res Result) bool { return res.Device == p.device })
	}
	slices.SortStableFunc(list, func(a, b panel) int {
		return cmp.Or(
			cmp.Compare(device(a), device(b)),
			cmp.Compare(a.data, b.data), // device, host
			cmp.Compare(a.cache, b.cache),
		)
	})
	for i := range list {
		p := &list[i]
		p.minN, p.maxN = minN, maxN
		for _, d := range r.Devices {
			if d.Name == p.device && d.Kind == "cpu" {
				p.caches = r.Environment.Caches
			}
		}
		p.fill(r.Results)
	}
	return list
}

// fill sorts the results of the panel into curves and roofs. A roof is a limit that a
// percentage of the panel refers to, also one measured from buffer to buffer where the
// data of the panel is on the host; or else a copy or transfer.
func (p *panel) fill(results []Result) {
	p.limits = map[string]bool{}
	for _, res := range results {
		if p.holds(res) && res.Limit != "" {
			p.limits[res.Limit] = true
		}
	}
	for _, res := range results {
		elsewhere := drawable(res) && p.device == res.Device && p.cache == res.Cache && p.data != res.Data
		switch {
		case p.holds(res) && (p.limits[res.Op] || res.Op == Copy || res.Op == Transfer):
			p.roofs = add(p.roofs, res)
		case p.holds(res):
			p.curves = add(p.curves, res)
		case elsewhere && p.limits[res.Op] && res.Limit == "":
			p.roofs = add(p.roofs, res)
		}
	}
	for _, c := range slices.Concat(p.curves, p.roofs) {
		slices.SortStableFunc(c.results, func(a, b Result) int { return cmp.Compare(a.N, b.N) })
	}
	// Operations first, then what is a limit of its own, such as an upload.
	slices.SortStableFunc(p.curves, func(a, b curve) int {
		return cmp.Compare(after(a), after(b))
	})
}

// after orders curves: 1 for what is a limit, and 0 for an operation.
func after(c curve) int {
	if isLimit(c.op) {
		return 1
	}
	return 0
}

func (p *panel) holds(res Result) bool {
	return drawable(res) && p.device == res.Device && p.data == res.Data && p.cache == res.Cache
}

// drawable tells whether a result has a place in a diagram.
func drawable(r Result) bool {
	return r.N > 0 && r.GBps > 0 && !math.IsInf(r.GBps, 0)
}

func add(curves []curve, res Result) []curve {
	i := slices.IndexFunc(curves, func(c curve) bool { return c.op == res.Op })
	if i < 0 {
		return append(curves, curve{res.Op, []Result{res}})
	}
	curves[i].results = append(curves[i].results, res)
	return curves
}

// maxGBps returns the largest of the panel.
func (p *panel) maxGBps() float64 {
	top := 0.0
	for _, c := range slices.Concat(p.roofs, p.curves) {
		for _, res := range c.results {
			top = max(top, res.GBps)
		}
	}
	return top
}

// hasDoubts tells whether one of the results is not to be believed.
func (p *panel) hasDoubts() bool {
	for _, c := range slices.Concat(p.roofs, p.curves) {
		if slices.ContainsFunc(c.results, doubtful) {
			return true
		}
	}
	return false
}

func doubtful(r Result) bool { return len(r.Doubts) > 0 || !r.Verified }

// place tells in words where the data is, and what the caches hold of it.
func (p *panel) place() string { return dataWords(p.data) + ", " + cacheWords(p.cache) }

func dataWords(data string) string {
	switch data {
	case OnDevice:
		return "data on the device"
	case OnHost:
		return "data on the host, both ways included"
	}
	return "data: " + data
}

func cacheWords(cache string) string {
	switch cache {
	case Cold:
		return "cold caches"
	case Warm:
		return "warm caches"
	}
	return "caches: " + cache
}

// description tells in words what the diagram shows, for those who cannot see it.
func (p *panel) description() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Line chart of %s, %s: GB/s over the number of elements.", p.device, p.place())
	for _, c := range slices.Concat(p.roofs, p.curves) {
		first, last := c.results[0], c.results[len(c.results)-1]
		fmt.Fprintf(&b, " %s: %s at %s", c.op, rate(first.GBps), Count(first.N))
		if len(c.results) > 1 {
			fmt.Fprintf(&b, ", %s at %s", rate(last.GBps), Count(last.N))
		}
		b.WriteString(".")
	}
	return b.String()
}

// rate returns GB/s with three digits, or two decimals.
func rate(gbps float64) string {
	switch {
	case gbps >= 100:
		return fmt.Sprintf("%.0f", gbps)
	case gbps >= 10:
		return fmt.Sprintf("%.1f", gbps)
	}
	return fmt.Sprintf("%.2f", gbps)
}
