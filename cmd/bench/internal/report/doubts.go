package report

import "fmt"

// tolerance is by how much a figure may exceed its bound before it is doubted: two
// measurements of one thing differ by so much on a machine that has other work too.
const tolerance = 1.15

// Doubt sets the Doubts of results, which are those of one device, size and cache
// state. A figure that cannot be is not a record but a fault of the measurement.
func Doubt(results []Result, d Device) {
	byOp := map[string]*Result{}
	for i := range results {
		byOp[results[i].Op+results[i].Data] = &results[i]
	}
	copied := byOp[Copy+OnDevice]
	up, down := byOp[Upload+OnHost], byOp[Download+OnHost]
	for i := range results {
		r := &results[i]
		r.Doubts = nil
		doubt := func(format string, args ...any) { r.Doubts = append(r.Doubts, fmt.Sprintf(format, args...)) }
		if r.Data == OnDevice && r.Op != Copy && copied != nil {
			// A launch, and then its bytes at the speed of the copy.
			launch := min(d.LaunchNS, copied.LowNS)
			least := launch + (copied.LowNS-launch)*float64(r.Bytes)/float64(copied.Bytes)
			if r.HighNS*tolerance < least {
				doubt("faster than the device copies as many bytes, which takes %s", Duration(least))
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
		if r.EventNS > r.HighNS*tolerance {
			doubt("the device's events count %s, more than the clock", Duration(r.EventNS))
		}
		// Where launches count for little, both clocks should tell the same.
		if r.LowNS > 10*d.LaunchNS && 2*r.EventNS < r.LowNS-d.LaunchNS {
			doubt("the device's events count %s, less than half of what the clock does", Duration(r.EventNS))
		}
	}
}
