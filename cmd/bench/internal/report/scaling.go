package report

import (
	"fmt"
	"strings"

	"github.com/gmind-go/compute/internal/units"
)

// scaling returns the speed of the Shard d as a fraction of the sum of the speeds of its
// members, each measured alone.
func (r *Report) scaling(d Device) []statement {
	list := []statement{{Text: fmt.Sprintf("Its speed, as a fraction of the sum of the speeds of its %d members, each measured alone. "+
		"Members that share nothing can reach 100\u00a0%%. Members that share cores, memory or a link had it to themselves when measured alone: "+
		"two that share all of it reach 50\u00a0%%, the speed of one. A short buffer is on one member, and reaches the fraction of that one.", len(d.Members))}}
	for _, at := range places {
		s := statement{Text: title(at.String()) + ":"}
		for _, op := range append(r.ops(), limits...) {
			var fractions []string
			for _, res := range r.Results {
				if res.Device == d.Name && res.Op == op && res.place() == at {
					if fraction, ok := r.ofMembers(res, d.Members); ok {
						fractions = append(fractions, unbroken(percent(fraction)+" at "+units.Count(res.N)))
					}
				}
			}
			if fractions != nil {
				s.Items = append(s.Items, op+": "+strings.Join(fractions, ", "))
			}
		}
		if s.Items != nil {
			list = append(list, s)
		}
	}
	if len(list) == 1 {
		return []statement{{Text: "Not known: nothing was measured both on it and on all of its members."}}
	}
	return list
}

// ofMembers returns the speed of res as a fraction of the sum of those of members. ok is
// false if one of them was not measured, or is doubtful.
func (r *Report) ofMembers(res Result, members []string) (fraction float64, ok bool) {
	usable := func(res Result) bool { return res.hasSpeed() && !doubtful(res) }
	var sum float64
	for _, name := range members {
		k := res.key()
		k.device = name
		member := r.find(k)
		if member == nil || !usable(*member) {
			return 0, false
		}
		v, _ := member.speed()
		sum += v
	}
	v, _ := res.speed()
	return v / sum, sum > 0 && usable(res)
}
