//go:build unix

package cpu

import (
	"slices"
	"testing"
	"unsafe"
)

// TestGuardPagesOfFolds is TestGuardPages for the kernels of folds.
func TestGuardPagesOfFolds(t *testing.T) {
	r := guardedRooms(t)
	size := len(r[0].all)
	for _, set := range instructionSets() {
		for i, f := range set.folds {
			for n := 1; n <= 5*foldLanes; n++ {
				for _, end := range []bool{false, true} {
					place := func(room, n int) unsafe.Pointer {
						from := 0
						if end {
							from = size - n
						}
						return unsafe.Pointer(&r[room].take(from, slices.Repeat([]float32{foldNone[i]}, n))[0])
					}
					rows := 1 + n%3
					a := &foldArgs{dst: place(0, rows), src: place(1, rows*n), pad: place(2, foldLanes), n: n, rows: rows, stride: n}
					if err := guarded(func() error { f.rows(a); return nil }); err != nil {
						t.Fatalf("%s: the %s of %d rows of %d: %v", set.name, folders[i].name, rows, n, err)
					}
					if n%foldLanes != 0 {
						continue
					}
					a.dst = place(0, n)
					if err := guarded(func() error { f.columns(a); return nil }); err != nil {
						t.Fatalf("%s: the %s of %d columns of %d: %v", set.name, folders[i].name, n, rows, err)
					}
				}
			}
		}
	}
}
