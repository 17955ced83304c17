package report

import (
	"fmt"
	"slices"
	"strings"
)

// scaling tells the speed of the Shard d as a part of the sum of those of its members,
// each measured alone, for every operation and size measured on all of them.
func (r *Report) scaling(d Device) []statement {
	list := []statement{{Text: fmt.Sprintf("Its speed, as a part of the sum of the speeds of its %d members, each measured alone. "+
		"Members that share nothing can reach 100\u00a0%%. Those on the same cores, memory or link each had it to themselves: "+
		"two that share all of it reach 50\u00a0%%, which is the speed of one. Short buffers lie on one member, and reach its part.", len(d.Members))}}
	for _, data := range []string{OnDevice, OnHost} {
		for _, cache := range []string{Cold, Warm} {
			s := statement{Text: fmt.Sprintf("%s, %s:", title(dataWords(data)), cacheWords(cache))}
			var names []string
			parts := map[string][]string{} // by operation
			for _, res := range r.Results {
				if res.Device != d.Name || res.Data != data || res.Cache != cache {
					continue
				}
				part, ok := r.ofMembers(res, d.Members)
				if !ok {
					continue
				}
				if parts[res.Op] == nil {
					names = append(names, res.Op)
				}
				parts[res.Op] = append(parts[res.Op], unbroken(percent(part)+" at "+Count(res.N)))
			}
			for _, op := range names {
				s.Items = append(s.Items, op+": "+strings.Join(parts[op], ", "))
			}
			if len(names) > 0 {
				list = append(list, s)
			}
		}
	}
	if len(list) == 1 {
		return []statement{{Text: "Not known: nothing was measured both on it and on all of its members."}}
	}
	return list
}

// ofMembers returns the speed of res as a part of the sum of those of members, if it and
// the same of each of them were measured, and are to be believed.
func (r *Report) ofMembers(res Result, members []string) (part float64, ok bool) {
	var sum float64
	for _, name := range members {
		i := slices.IndexFunc(r.Results, func(of Result) bool {
			return of.Device == name && of.Op == res.Op && of.Data == res.Data && of.Cache == res.Cache && of.N == res.N
		})
		if i < 0 || !drawable(r.Results[i]) || doubtful(r.Results[i]) {
			return 0, false
		}
		sum += r.Results[i].GBps
	}
	return res.GBps / sum, sum > 0 && drawable(res) && !doubtful(res)
}
