package shard

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/driver"
)

// Chunks of a Stream, in elements. Each has at least the least of its member, unless fewer
// are left.
const (
	pageElements = 16 << 10  // 64 KiB, where chunks begin, so that pages of the caller stay whole
	leastShared  = 64 << 10  // for a member that works in the memory of the host
	leastSent    = 512 << 10 // for others: each way takes longer than a call over a network
	mostCopied   = 1 << 20   // if the result is copied to where it belongs
)

const (
	leastTime  = 250e-6 // seconds of a chunk at least, so one member does a short stream alone
	mostTime   = 10e-3  // seconds of a chunk at most: long calls are faster, with non-temporal stores
	maxStreams = 2      // calls of Stream that one member works on at a time
)

// A stream is one call of Stream.
type stream struct {
	*device
	ctx     context.Context
	call    *driver.HostCall
	inPlace bool // a result is in the memory of an input
	class   int  // of rates: short streams, where calls cost most of the time, are apart

	mu   sync.Mutex // guards what follows
	todo []span     // what no member has taken, or a failed one has left
	left int        // elements of todo
	busy []int      // elements that each member has taken and not done
	err  error      // why to stop
}

// A span is the elements from one index to another.
type span struct{ from, to int }

func (d *device) Stream(ctx context.Context, c *driver.HostCall) error {
	st := &stream{
		device: d, ctx: ctx, call: c, inPlace: inPlace(c),
		todo: []span{{0, c.N}}, left: c.N, busy: make([]int, len(d.members)),
	}
	if c.N >= 2*leastSent {
		st.class = 1
	}
	// Members that find nothing more to do leave. If others fail then, another round does
	// what they leave.
	for st.err == nil && st.left > 0 {
		members := st.working()
		if len(members) == 0 {
			return d.allFailed()
		}
		var first []func()
		for call := range maxStreams {
			for _, i := range members {
				if call >= d.members[i].streams {
					continue
				}
				if chunk := st.take(i); chunk.to > 0 {
					first = append(first, func() { st.work(i, chunk) })
				}
			}
		}
		var wg sync.WaitGroup
		for k, work := range first {
			if k == len(first)-1 { // all of a short stream
				work()
			} else {
				wg.Go(work)
			}
		}
		wg.Wait()
	}
	return st.err
}

// rate returns the elements per second of one call of Stream on m, or 0 before the first.
func (st *stream) rate(m *member) float64 { return float64(m.rates[st.class].Load()) }

// working returns the members that have not failed: those with an unknown rate, then the
// fastest first.
func (st *stream) working() []int {
	var list []int
	for i, m := range st.members {
		if m.fault.Load() == nil && m.streams > 0 {
			list = append(list, i)
		}
	}
	rate := func(i int) float64 { return cmp.Or(st.rate(st.members[i]), math.Inf(1)) }
	slices.SortStableFunc(list, func(i, j int) int { return cmp.Compare(rate(j), rate(i)) })
	return list
}

// work lets member i compute chunk and then others, until there are none for it.
func (st *stream) work(i int, chunk span) {
	m := st.members[i]
	for ; chunk.to > 0; chunk = st.take(i) {
		start, n := time.Now(), chunk.to-chunk.from
		err := m.note(st.compute(m, chunk))
		st.mu.Lock()
		st.busy[i] -= n
		switch {
		case err == nil:
			rate := float64(n) / max(time.Since(start), 1).Seconds()
			if old := st.rate(m); old > 0 { // what comes and goes counts half
				rate = (old + rate) / 2
			}
			m.rates[st.class].Store(int64(max(rate, 1)))
		case errors.Is(err, compute.ErrDevice) && (st.copies(m) || !st.inPlace):
			st.todo = append(st.todo, chunk)
			st.left += n
		default: // after a fault in place too, since a part of src may be a result
			st.err = cmp.Or(st.err, fmt.Errorf("%s, with the elements from %d to %d: %w", m.name, chunk.from, chunk.to, err))
		}
		st.mu.Unlock()
	}
}

// take returns the next chunk for member i, or an empty one if there is none that it should
// do.
func (st *stream) take(i int) (chunk span) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.err == nil && st.left > 0 {
		st.err = driver.Ended(st.ctx)
	}
	if st.err != nil || st.members[i].fault.Load() != nil {
		return span{}
	}
	n := st.size(i)
	if n == 0 {
		return span{}
	}
	last := &st.todo[len(st.todo)-1]
	chunk = span{last.from, min(last.from+n, last.to)}
	if last.from = chunk.to; last.from == last.to {
		st.todo = st.todo[:len(st.todo)-1]
	}
	st.left -= chunk.to - chunk.from
	st.busy[i] += chunk.to - chunk.from
	return chunk
}

// size returns the number of elements that member i should do next, or 0 if another would
// be done with all that is left before. mu is held.
//
// Each member has a share of the stream in proportion to its rate, in the same number of
// chunks, so that all are done at the same time unless a rate changes.
func (st *stream) size(i int) int {
	m, most := st.members[i], st.left
	if st.copies(m) {
		most = min(most, mostCopied)
	}
	own := st.rate(m)
	if own == 0 {
		return min(m.least, most)
	}
	all, soonest := 0.0, math.Inf(1)
	working := st.working()
	for _, j := range working {
		rate, streams := cmp.Or(st.rate(st.members[j]), own), float64(st.members[j].streams)
		all += rate * streams
		soonest = min(soonest, (float64(st.left)+float64(st.busy[j])/streams)/rate)
	}
	each := float64(st.call.N) / all
	each = max(each/math.Ceil(each/mostTime), leastTime) // seconds of a chunk
	if len(working) == 1 {
		each = float64(st.left) / own
	}
	n := min(max(int(math.Ceil(each*own/pageElements))*pageElements, m.least), most)
	if float64(n)/own > soonest {
		return 0
	}
	return n
}

// copies reports whether m computes into other memory than dst, as it must in place: if it
// fails, others need the input.
func (st *stream) copies(m *member) bool { return st.inPlace && !m.cpu }

// inPlace reports whether a result of c is in the memory of an input.
func inPlace(c *driver.HostCall) bool {
	for i, o := range c.Operands {
		for _, r := range c.Operands[:min(i, len(c.Kernel.Results))] {
			if i >= len(c.Kernel.Results) && o.Memory.Is(r.Memory) {
				return true
			}
		}
	}
	return false
}

// compute lets m compute chunk. If m copies, its input is as before after an error.
func (st *stream) compute(m *member, chunk span) error {
	var results []driver.Host
	for i := range st.call.Kernel.Results {
		results = append(results, cut(st.call.Operands[i].Memory, chunk))
	}
	if !st.copies(m) {
		return st.stream(m, chunk, results)
	}
	copies := make([]driver.Host, len(results))
	var scratch []*[]float32
	for i, r := range results {
		if r.Words != nil {
			copies[i].Words = make([]uint64, len(r.Words))
			continue
		}
		kept, ok := st.scratch.Get().(*[]float32)
		if !ok || len(*kept) < len(r.Floats) {
			kept = new([]float32)
			*kept = make([]float32, len(r.Floats))
		}
		scratch = append(scratch, kept)
		copies[i].Floats = (*kept)[:len(r.Floats)]
	}
	if err := st.stream(m, chunk, copies); err != nil {
		return err // without Put: a device that is lost may still write to the copies
	}
	for i, r := range results {
		copy(r.Floats, copies[i].Floats)
		copy(r.Words, copies[i].Words)
	}
	for _, kept := range scratch {
		st.scratch.Put(kept)
	}
	return nil
}

// stream lets m compute chunk into results.
func (st *stream) stream(m *member, chunk span, results []driver.Host) error {
	code := st.call.Code.(*code)
	f, ok := code.of(st.call.Params)
	op, streamed := code.form.Op()
	if !ok || !streamed {
		return m.RunSlices(st.ctx, code.program, st.slices(chunk, results)...)
	}
	src := cut(st.call.Operands[1].Memory, chunk)
	return m.Stream(st.ctx, op, f, results[0].Floats, src.Floats)
}
