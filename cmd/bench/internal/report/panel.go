package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/gmind-go/compute/internal/units"
)

// A place is where the data of a measurement is, and what the caches hold of it.
type place struct{ data, cache string }

func (r Result) place() place { return place{r.Data, r.Cache} }

// places are all places, in the order in which results are shown.
var places = []place{{OnDevice, Cold}, {OnDevice, Warm}, {OnHost, Cold}, {OnHost, Warm}}

func (p place) String() string {
	data := "data on the device"
	if p.data == OnHost {
		data = "data on the host, transfers included"
	}
	return data + ", " + p.cache + " caches"
}

// A panel is one diagram: GB/s by size, of one device and place. Each panel has its own
// scale, since they differ by orders of magnitude.
type panel struct {
	device string
	place  place

	curves     []curve         // of operations, then of limits that nothing is compared with
	roofs      []curve         // of the limits that curves are compared with
	limits     map[string]bool // the operations of roofs that curves name as their limit
	caches     Caches          // zero if the device is not a CPU
	minN, maxN int             // of all panels of the report
}

// A curve is the results of one operation of a panel, by ascending size.
type curve struct {
	op      string
	results []Result
}

// panels returns the panels of all results that can be drawn, by device in the order
// measured, then by place.
func (r *Report) panels() []panel {
	results := slices.DeleteFunc(slices.Clone(r.Results), func(res Result) bool { return !drawable(res) })
	var devices []string
	minN, maxN := math.MaxInt, 0
	for _, res := range results {
		if !slices.Contains(devices, res.Device) {
			devices = append(devices, res.Device)
		}
		minN, maxN = min(minN, res.N), max(maxN, res.N)
	}
	slices.SortStableFunc(results, func(a, b Result) int { return cmp.Compare(a.N, b.N) })
	var list []panel
	for _, device := range devices {
		for _, at := range places {
			p := panel{device: device, place: at, minN: minN, maxN: maxN}
			if r.device(device).Kind == "cpu" {
				p.caches = r.Environment.Caches
			}
			if p.fill(results) {
				list = append(list, p)
			}
		}
	}
	return list
}

// fill divides results among the curves and roofs, and reports whether there are any of the
// place. A limit is a roof if a curve is compared with it, also if it is measured on buffers
// and the panel is of data on the host. Otherwise copy and transfer are roofs.
func (p *panel) fill(results []Result) (any bool) {
	results = slices.DeleteFunc(slices.Clone(results), func(res Result) bool {
		return res.Device != p.device || res.Cache != p.place.cache
	})
	p.limits = map[string]bool{}
	for _, res := range results {
		if res.place() == p.place {
			any = true
			if res.Limit != "" {
				p.limits[res.Limit] = true
			}
		}
	}
	for _, res := range results {
		own := res.place() == p.place
		switch {
		case p.limits[res.Op] && res.Limit == "", own && (res.Op == Copy || res.Op == Transfer):
			p.roofs = add(p.roofs, res)
		case own:
			p.curves = add(p.curves, res)
		}
	}
	slices.SortStableFunc(p.curves, func(a, b curve) int {
		return cmp.Compare(slices.Index(limits, a.op), slices.Index(limits, b.op)) // -1 for an operation
	})
	return any
}

func add(curves []curve, res Result) []curve {
	i := slices.IndexFunc(curves, func(c curve) bool { return c.op == res.Op })
	if i < 0 {
		return append(curves, curve{res.Op, []Result{res}})
	}
	curves[i].results = append(curves[i].results, res)
	return curves
}

// results returns the results of all roofs and curves.
func (p *panel) results() (list []Result) {
	for _, c := range slices.Concat(p.roofs, p.curves) {
		list = append(list, c.results...)
	}
	return list
}

// drawable reports whether a result has a point in a diagram.
func drawable(r Result) bool { return r.N > 0 && r.GBps > 0 && !math.IsInf(r.GBps, 0) }

// ofLimit returns the range of the fractions of the limit in c, for the legend, without
// doubtful ones; "" if there are none. It names the limit if the panel has several.
func (p *panel) ofLimit(c curve) string {
	of := ""
	if len(p.limits) > 1 {
		of = " of " + c.results[0].Limit
	}
	low, high := math.Inf(1), 0.0
	for _, res := range c.results {
		if res.OfLimit > 0 && !doubtful(res) {
			low, high = min(low, 100*res.OfLimit), max(high, 100*res.OfLimit)
		}
	}
	switch {
	case high == 0:
		return ""
	case math.Round(low) == math.Round(high):
		return fmt.Sprintf(" %.0f %%%s", low, of)
	}
	return fmt.Sprintf(" %.0f–%.0f %%%s", low, high, of)
}

// description describes the diagram in words, for readers who cannot see it.
func (p *panel) description() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Line chart of %s, %v: GB/s by number of elements.", p.device, p.place)
	for _, c := range slices.Concat(p.roofs, p.curves) {
		first, last := c.results[0], c.results[len(c.results)-1]
		fmt.Fprintf(&b, " %s: %s at %s", c.op, units.Digits(first.GBps), units.Count(first.N))
		if len(c.results) > 1 {
			fmt.Fprintf(&b, ", %s at %s", units.Digits(last.GBps), units.Count(last.N))
		}
		b.WriteString(".")
	}
	return b.String()
}
