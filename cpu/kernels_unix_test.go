//go:build unix

package cpu

import (
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/gmind-go/compute/internal/form"
	program "github.com/gmind-go/compute/internal/kernel"
)

// guardedRooms returns rooms of one page each, between two pages that may not be
// accessed.
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

// TestGuardPages: no kernel reads or writes an element before or behind its operands; the
// process would fault.
func TestGuardPages(t *testing.T) {
	r := guardedRooms(t)
	size := len(r[0].all)
	layouts := map[string]layout{
		"that begin after a page": func(form.Operand, int) int { return 0 },
		"that end at a page":      func(_ form.Operand, n int) int { return size - n },
	}
	for _, set := range instructionSets() {
		t.Run(set.name, func(t *testing.T) {
			for n := range longest + 1 {
				e := newExample(n)
				list := trials(set.plain, e.f)
				if n%blockSize == 0 {
					list = append(list, trials(set.nonTemporal, e.f)...)
				}
				for _, trial := range list {
					for _, over := range trial.form.Places() {
						for where, lo := range layouts {
							if err := r.tryGuarded(trial, e, over, lo); err != nil {
								t.Fatalf("operands %s that may not be accessed: %v", where, err)
							}
						}
					}
				}
			}
		})
	}
}

// TestGuardPagesOfPlans is TestGuardPages for plans of random programs.
func TestGuardPagesOfPlans(t *testing.T) {
	all := guardedRooms(t)
	size := len(all[0].all)
	for _, set := range instructionSets() {
		t.Run(set.name, func(t *testing.T) {
			d := Options{}.device(set)
			defer d.Close()
			tried := 0
			for seed := uint64(0); tried < sampled(200); seed++ {
				r := rand.New(rand.NewPCG(seed, 2))
				k := randomKernel(r, 1+r.IntN(20))
				if len(k.Inputs)+len(k.Results) > len(all) {
					continue
				}
				tried++
				c, err := d.Compile(k)
				if err != nil {
					t.Fatal(err)
				}
				for _, n := range []int{1, 2 + r.IntN(61), 63, 64, 65, 130, size / 2, size - 1, size} {
					m, used := newTrialMaker(r), 0
					m.index = func(n int) uint64 { return uint64(r.IntN(size - n + 1)) } // for columns
					m.row = func(int) int { return 1 + r.IntN(size) }
					m.room = func(_ program.Address, floats int) *room {
						g := &room{all: all[used].all, lo: r.IntN(2) * (size - floats)}
						g.hi = g.lo + floats
						used++
						return g
					}
					trial := m.make(k, n)
					if err := guarded(func() error { return trial.try(d, c) }); err != nil {
						t.Fatalf("seed %d, %v: %v", seed, trial, err)
					}
				}
			}
		})
	}
}

// TestGuardPagesOfPrimitives is TestGuardPages for the kernels of operations, and of what moves
// values.
func TestGuardPagesOfPrimitives(t *testing.T) {
	r := guardedRooms(t)
	size := len(r[0].all)
	arrangements := map[string]arrangement{
		"that begin after a page": func(int, int, int) int { return 0 },
		"that end at a page":      func(_, _, floats int) int { return size - floats },
	}
	for _, set := range instructionSets() {
		t.Run(set.name, func(t *testing.T) {
			for _, s := range append(primitiveSubjects(set), moveSubjects(set)...) {
				for where, place := range arrangements {
					for c := range 2 * longest / blockSize {
						if err := guarded(func() error { return s.call(r, c, place) }); err != nil {
							t.Fatalf("%s, operands %s that may not be accessed: %v", s.name, where, err)
						}
					}
				}
			}
		})
	}
}

// tryGuarded is try that returns an error for a fault.
func (r *rooms) tryGuarded(t trial, e *example, over form.Place, lo layout) error {
	if err := guarded(func() error { return r.try(t, e, over, lo) }); err != nil {
		return fmt.Errorf("%v, %v, of %d elements: %v", t.form, over, e.n, err)
	}
	return nil
}

// guarded returns the error of f, or of a fault in it.
func guarded(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("%v", fault)
		}
	}()
	return f()
}
