//go:build opencl && cgo

package gpu

import (
	"time"

	"github.com/gmind-go/compute/kernels"
)

// Peak launches groups of peakGroups times as many as the device has units. Each item computes
// peakChains chains, the CHAINS of peak.cl, of enough links for peakTime.
const (
	peakGroups = 16
	peakChains = 8
	peakTime   = 10 * time.Millisecond
)

// Peak computes chains of fma, and waits for them: see form.Peaker. The first call finds how many
// links take long enough.
func (d *device) Peak() (flop float64, err error) {
	c, err := d.helper("peak", 2, kernels.Peak)
	if err != nil {
		return 0, err
	}
	groups := peakGroups * max(d.found.Units, 1)
	y, err := d.Alloc(groups*c.shape.group, false)
	if err != nil {
		return 0, err
	}
	defer d.Free(y)
	d.mu.Lock()
	defer d.mu.Unlock()
	links := d.peakLinks
	if links == 0 {
		links = 1
		if _, err := d.chains(c, y.(*memory), groups, links); err != nil { // the first launch may compile
			return 0, err
		}
	}
	for {
		began := time.Now()
		items, err := d.chains(c, y.(*memory), groups, links)
		if err != nil {
			return 0, err
		}
		if d.peakLinks == links || time.Since(began) >= peakTime || links >= 1<<24 {
			d.peakLinks = links
			return 2 * peakChains * float64(links) * float64(items*c.shape.width), nil
		}
		links *= 2
	}
}

// chains runs the kernel of Peak, and returns by how many items. The caller has the lock.
func (d *device) chains(c *code, y *memory, groups int, links uint32) (items int, err error) {
	k, err := d.kernels.of(c, &d.codes)
	if err != nil {
		return 0, err
	}
	err = d.enqueueGroups(d.queue, k, powerOfTwo(c.shape.group), func(group int) (int, []any) {
		items = groups * group
		return groups, []any{y.Mem, links}
	})
	if err != nil {
		return 0, err
	}
	return items, d.queue.Wait()
}
