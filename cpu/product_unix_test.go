//go:build unix

package cpu

import (
	"math/rand/v2"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// TestGuardPagesOfProducts is TestGuardPages for products.
func TestGuardPagesOfProducts(t *testing.T) {
	page := unix.Getpagesize()
	size := len(canaries) * 4 / page * page
	r := new(rooms)
	for i := range 3 {
		mapping, err := unix.Mmap(-1, 0, size+2*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Munmap(mapping) })
		for _, guard := range [][]byte{mapping[:page], mapping[page+size:]} {
			if err := unix.Mprotect(guard, unix.PROT_NONE); err != nil {
				t.Fatal(err)
			}
		}
		r[i].all = unsafe.Slice((*float32)(unsafe.Pointer(&mapping[page])), size/4)
	}
	source := rand.New(rand.NewPCG(3, 4))
	for range sampled(200) {
		trial := newProductTrial(source)
		tasks := 1 + source.IntN(6)
		for _, set := range instructionSets() {
			place := func(room *room, n int) int { return source.IntN(2) * (len(room.all) - n) }
			if err := guarded(func() error { return trial.try(&set.patches, tasks, r, place) }); err != nil {
				t.Fatalf("%s, operands beside pages that may not be accessed: %v", set.name, err)
			}
		}
	}
}
