//go:build opencl && cgo

package gpu

import (
	"github.com/gmind-go/compute/internal/driver"
	"github.com/gmind-go/compute/kernels"
)

// gatherPiece is PIECE of gather.cl: how many elements of a row so many work-items copy.
const gatherPiece = 4096

// Gather implements driver.Device.
func (d *device) Gather(dst, src, index driver.Memory, width, rows, n int) error {
	c, err := d.helper("gather", 11, kernels.Gather)
	if err != nil {
		return err
	}
	pieces := ceil(width, gatherPiece)
	var args []any
	for _, m := range []driver.Memory{dst, src, index} {
		args = append(args, m.(*memory).Mem)
	}
	for _, m := range []driver.Memory{dst, src, index} {
		args = append(args, c.shape.count(m.(*memory).from))
	}
	for _, v := range []int{n, width, rows, pieces} {
		args = append(args, c.shape.count(v))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	k, err := d.kernels.of(c, &d.codes)
	if err != nil {
		return err
	}
	err = d.enqueueGroups(d.queue, k, powerOfTwo(min(c.shape.group, 64)), func(group int) (groups int, _ []any) {
		items := min(powerOfTwo(2*width-1), group) // no fewer than elements, if there are few
		return ceil(n*pieces, group/items), append(args, uint32(items))
	})
	if err != nil {
		return err
	}
	return d.queue.Flush()
}
