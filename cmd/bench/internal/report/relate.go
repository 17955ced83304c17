package report

import (
	"fmt"

	"github.com/gmind-go/compute/internal/units"
)

// tolerance is the factor by which a result may exceed its bound before it is doubtful: on a
// busy machine, two measurements of the same thing differ as much.
const tolerance = 1.15

// boundByMemory is a number of bytes from which on the time of a call is proportional to the
// bytes. For fewer bytes, three streams may be as fast as two.
const boundByMemory = 64 << 20

// Relate sets OfLimit and Doubts of results, which are of one device, size and cache state.
// It compares them with their limits and with each other: an implausible result is an error
// of the measurement.
func Relate(results []Result, d Device) {
	byOp := map[string]*Result{}
	for i := range results {
		byOp[results[i].Op+results[i].Data] = &results[i]
	}
	copied := byOp[Copy+OnDevice]
	up, down := byOp[Upload+OnHost], byOp[Download+OnHost]
	for i := range results {
		r := &results[i]
		r.Doubts = []string{}
		limit := byOp[r.Limit+OnDevice]
		if r.Flop > 0 {
			if limit != nil {
				r.OfLimit = r.GFlops / limit.GFlops
			}
			continue
		}
		if limit != nil {
			r.OfLimit = limit.allows(r.Bytes, limit.MedianNS, d.LaunchNS) / r.MedianNS
		} else if limit := byOp[r.Limit+OnHost]; limit != nil {
			r.OfLimit = limit.allows(r.Bytes, limit.MedianNS, 0) / r.MedianNS
		}
		doubt := func(format string, args ...any) { r.Doubts = append(r.Doubts, fmt.Sprintf(format, args...)) }
		if r.Data == OnDevice && r.Op != Copy && copied != nil {
			least := copied.LowNS
			if copied.Bytes >= boundByMemory || r.Bytes < copied.Bytes {
				least = copied.allows(r.Bytes, copied.LowNS, d.LaunchNS)
			}
			if r.Op == Sum { // reading alone may be twice as fast as reading and writing
				least /= 2
			}
			if r.HighNS*tolerance < least {
				doubt("faster than a copy on the device, which takes %s", units.Duration(least))
			}
		}
		if r.Data == OnHost && r.Limit == Transfer && up != nil && down != nil && r.Bytes >= up.Bytes+down.Bytes {
			if least := max(up.LowNS, down.LowNS); r.HighNS*tolerance < least {
				doubt("faster than the transfer of its data in one direction, which takes %s", units.Duration(least))
			}
		}
		if r.EventNS == 0 {
			continue
		}
		// If launches take a small part of the time, the events should cover most of it.
		launches := r.EventClockNS <= 10*d.LaunchNS
		if r.EventNS > r.EventClockNS*tolerance || !launches && 2*r.EventNS < r.EventClockNS {
			doubt("a call takes %s by the device's events, and %s by the clock", units.Duration(r.EventNS), units.Duration(r.EventClockNS))
		}
	}
}

// allows returns the least time in ns of a call that moves that many bytes as fast as r, which
// took ns: the time of a launch, and a time proportional to the bytes.
func (r *Result) allows(bytes int, ns, launchNS float64) float64 {
	launch := min(launchNS, ns)
	return launch + (ns-launch)*float64(bytes)/float64(r.Bytes)
}
