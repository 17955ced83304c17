package cpu

import (
	"testing"
	"unsafe"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/values"
)

// TestJob compares jobs with non-temporal stores with the reference, at every place in a
// cache line. Forms with a mask or two results have their results in buffers, which are
// aligned.
func TestJob(t *testing.T) {
	r := heapRooms(t)
	for _, set := range instructionSets() {
		if set.nonTemporal == nil {
			continue // neon and generic
		}
		t.Run(set.name, func(t *testing.T) {
			for n := range longest + 1 {
				e := newExample(n)
				plain, nonTemporal := trials(set.plain, e.f), trials(set.nonTemporal, e.f)
				for i, trial := range plain {
					k, alone := trial.run, nonTemporal[i].run
					c := codeOf(set, trial.form)
					if trial.form == form.Copy {
						c = Options{}.device(set).copyCode
					}
					c.plain, c.nonTemporal = k, alone
					trial.run = func(a *args) {
						j := newJob(c, alone, a, nil, testCost)
						j.run(&frame{args: *a}, 0, a.n)
					}
					for offset := range 16 {
						lo := at(offset, n)
						if len(trial.form.Results()) > 1 || trial.form.Masked() {
							lo = aligned(lo)
						}
						if err := r.try(trial, e, form.Place{}, lo); err != nil {
							t.Fatal(err)
						}
					}
				}
			}
		})
	}
}

// TestShareMask: cores that share a job do not write to the same word of its mask, wherever
// its shares begin.
func TestShareMask(t *testing.T) {
	if blockSize%64 != 0 {
		t.Fatalf("shares of whole %d elements cut words", blockSize)
	}
	for _, n := range []int{3 * testChunk, 2*testChunk + 1, 3*testChunk + 65, 300001} {
		x, y := values.Normal(n, 5), make([]float32, n)
		for shares := 2; shares <= 7; shares++ {
			var p pool
			got := make([]uint64, form.MaskWords(n))
			c := codeOf(generic, form.ForwardMask)
			ptr := [4]unsafe.Pointer{unsafe.Pointer(&y[0]), unsafe.Pointer(&got[0]), unsafe.Pointer(&x[0])}
			j := newJob(c, nil, &args{n: n, ptr: ptr}, nil, testCost)
			f := new(frame)
			j.run(f, 0, j.chunk)
			p.mu.Lock()
			p.share(&j, j.chunk, shares, f)
			p.mu.Unlock()
			p.stop()
			for i, want := range form.Words(compute.LeakyReLU(0.01), x) {
				if got[i] != want {
					t.Fatalf("word %d of %d elements in %d shares is %#x and should be %#x", i, n, shares, got[i], want)
				}
			}
		}
	}
}
