//go:build opencl && cgo

package gpu

import (
	"math/bits"

	"github.com/gmind-go/compute/gpu/internal/opencl"
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

// helper returns the code of a kernel that computes no program, and needs no check. source has
// the kernel of that name, with so many arguments.
func (d *device) helper(name string, args int, source string) (*code, error) {
	if c := d.codes.find(name); c != nil {
		return c, nil
	}
	c := &code{key: name, name: name, args: args, shape: d.shape, source: d.defines(d.shape) + source}
	var err error
	if c.program, err = d.context.Build(c.source, d.options()); err != nil {
		return nil, compileError(err)
	}
	d.codes.keep(c)
	return c, nil
}

// enqueueGroups launches k, which nothing else may use meanwhile, in work-groups of group items, a
// power of two, or of fewer if the device takes no more. plan returns how many groups of so many
// items there are, and the arguments; no groups if they have too few items.
func (d *device) enqueueGroups(q *opencl.Queue, k *opencl.Kernel, group int, plan func(group int) (groups int, args []any)) error {
	return d.withMemory(func() error {
		for {
			group = min(group, powerOfTwo(k.MaxGroup()))
			groups, args := plan(group)
			if groups == 0 {
				return errSmallGroup
			}
			err := q.Launch(k, groups*group, group, args...)
			if !opencl.IsGroupTooLarge(err) || !k.HalveGroup(group) {
				return err
			}
		}
	})
}

// powerOfTwo returns the greatest power of two that is no more than n, at least 1.
func powerOfTwo(n int) int { return 1 << (bits.Len(uint(n)) - 1) }

// ceil returns n/by, rounded up.
func ceil(n, by int) int { return (n-1)/by + 1 }
