//go:build unix

package cpu

import (
	"fmt"
	"runtime/debug"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/gmind-go/compute"
)

// guardedRooms returns rooms of one page each, between two pages that may not be
// touched.
func guardedRooms(t *testing.T) *rooms {
	t.Helper()
	page := unix.Getpagesize()
	r := new(rooms)
	for p := range r {
		mapping, err := unix.Mmap(-1, 0, 3*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Munmap(mapping) })
		for _, guard := range [][]byte{mapping[:page], mapping[2*page:]} {
			if err := unix.Mprotect(guard, unix.PROT_NONE); err != nil {
				t.Fatal(err)
			}
		}
		r[p].all = unsafe.Slice((*float32)(unsafe.Pointer(&mapping[page])), page/4)
	}
	return r
}

// TestGuardPages: no kernel reads or writes an element before or behind its slices,
// where the process ends if it does.
func TestGuardPages(t *testing.T) {
	r := guardedRooms(t)
	room := len(r[0].all)
	sides := map[string]func(p place, n int) int{
		"that begin after a page": func(place, int) int { return 0 },
		"that end at a page":      func(_ place, n int) int { return room - n },
	}
	for _, row := range rows() {
		t.Run(row.name, func(t *testing.T) {
			for n := range longest + 1 {
				e := newExample(n)
				ops := operations(row.kernels[compute.KindLeakyReLU], e)
				if row.past != nil && n%pastBlock == 0 {
					ops = append(ops, pastOperations(row, e)...)
				}
				for _, op := range ops {
					for _, over := range append(op.over, inDst) {
						for side, lo := range sides {
							if err := r.tryGuarded(op, e, over, lo); err != nil {
								t.Fatalf("slices of %d elements %s that may not be touched: %v", n, side, err)
							}
						}
					}
				}
			}
		})
	}
}

// tryGuarded is try that returns an error in place of ending the process.
func (r *rooms) tryGuarded(op operation, e *example, over place, lo func(p place, n int) int) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("%s %v touched such a page: %v", op.name, over, fault)
		}
	}()
	return r.try(op, e, over, lo)
}
