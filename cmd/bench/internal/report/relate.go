package report

import "fmt"

// tolerance is by how much a figure may exceed its bound before it is doubted: two
// measurements of one thing differ by so much on a machine that has other work too.
const tolerance = 1.15

// boundByMemory is a number of bytes that takes a device so long to copy that half as
// many more must take half as long more. Of few, three streams may be as fast as two.
const boundByMemory = 64 << 20

// Relate compares results, which are those of one device, size and cache state, with
// their limits and with one another: it sets OfLimit and Doubts. A figure that cannot
// be is not a record but a fault of the measurement.
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
		if limit := byOp[r.Limit+OnDevice]; limit != nil {
			r.OfLimit = limit.allows(r.Bytes, limit.MedianNS, d.LaunchNS) / r.MedianNS
		} else if limit := byOp[r.Limit+OnHost]; limit != nil {
			r.OfLimit = limit.allows(r.Bytes, limit.MedianNS, 0) / r.MedianNS
		}
		doubt := func(format string, args ...any) { r.Doubts = append(r.Doubts, fmt.Sprintf(format, args...)) }
		if r.Data == OnDevice && r.Op != Copy && copied != nil {
			least := copied.LowNS
			if copied.Bytes >= boundByMemory {
				least = copied.allows(r.Bytes, copied.LowNS, d.LaunchNS)
			}
			if r.HighNS*tolerance < least {
				doubt("faster than the device copies, for which it takes %s", Duration(least))
			}
		}
		if r.Data == OnHost && r.Limit == Transfer && up != nil && down != nil {
			if least := max(up.LowNS, down.LowNS); r.HighNS*tolerance < least {
				doubt("faster than its data goes to the device or comes back, which takes %s", Duration(least))
			}
		}
		if r.EventNS == 0 {
			continue
		}
		if r.EventNS > r.EventClockNS*tolerance {
			doubt("the device's events count %s for a call, the clock %s", Duration(r.EventNS), Duration(r.EventClockNS))
		}
		// Where launches count for little, both clocks should tell the same.
		if r.EventClockNS > 10*d.LaunchNS && 2*r.EventNS < r.EventClockNS {
			doubt("the device's events count %s for a call, and the clock %s", Duration(r.EventNS), Duration(r.EventClockNS))
		}
	}
}

// allows returns the least time in ns for a call that moves so many bytes, at the speed
// of r, which took ns: a launch, and then the bytes.
func (r *Result) allows(bytes int, ns, launchNS float64) float64 {
	launch := min(launchNS, ns)
	return launch + (ns-launch)*float64(bytes)/float64(r.Bytes)
}
