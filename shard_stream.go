package compute

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/gmind-go/compute/internal/check"
)

// Chunks of a Stream, in elements. They begin at multiples of minChunk, so that what
// begins with a page, in the memory of the caller, does so on the members too. No chunk
// has fewer elements than the least of its member, unless no more are left.
const (
	minChunk = 64 << 10
	// minSent is the least for a member with memory of its own. A call on one costs some
	// 10 µs over a bus, and ten times as much over a network, however little its data is:
	// 2 MiB each way take longer. TestShardStreamDistant shows it.
	minSent  = 512 << 10
	maxChunk = 64 << 20
	// maxCopied is maxChunk where the result must be copied to where it belongs.
	maxCopied = 1 << 20
)

// In seconds, so that what it costs to call a member counts for little:
const (
	minTime  = 250e-6 // of a chunk at least, so one member alone does what takes no longer
	fullTime = 2e-3   // what is left for a member is not divided further if it takes less
)

// maxLanes is the most calls of Stream that one member works on at a time.
const maxLanes = 2

func (s *shard) Stream(ctx context.Context, op Op, f Activation, dst, src []float32) error {
	c := s.call("stream")
	s.streams.RLock()
	defer s.streams.RUnlock()
	if s.isClosed() {
		return c.Closed()
	}
	if len(s.working(len(src))) == 0 {
		return s.usable(c)
	}
	if err := c.Stream(ctx, cmp.Or(op.Validate(), f.Validate()), dst, src); err != nil || len(src) == 0 {
		return err
	}
	st := &stream{
		shard: s, call: c, ctx: ctx, op: op, f: f, dst: dst, src: src, inPlace: &dst[0] == &src[0],
		todo: []span{{0, len(src)}}, left: len(src),
	}
	return st.run()
}

// rate is how fast m is in a Stream of n elements, in elements per second of one lane, or
// 0 before the first. Short ones are apart: the cost of a call counts there, or is all.
func (m *member) rate(n int) *float64 {
	if n < 2*minSent {
		return &m.rates[0]
	}
	return &m.rates[1]
}

// working returns the members that have not failed: those of which nothing is known
// yet, then the fastest in a Stream of n elements first.
func (s *shard) working(n int) []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []int
	for i, m := range s.members {
		if m.fault == nil && m.lanes > 0 {
			list = append(list, i)
		}
	}
	slices.SortStableFunc(list, func(i, j int) int {
		a, b := *s.members[i].rate(n), *s.members[j].rate(n)
		if a == 0 || b == 0 {
			return cmp.Compare(a, b)
		}
		return cmp.Compare(b, a)
	})
	return list
}

// A stream is one call of Stream.
type stream struct {
	shard    *shard
	call     check.Call
	ctx      context.Context
	op       Op
	f        Activation
	dst, src []float32
	inPlace  bool

	mu   sync.Mutex // guards what follows
	todo []span     // what no member has taken, or one that failed has left
	left int        // elements of it
	busy []*task    // what members are at work on
	err  error      // why to stop
}

// A span is the elements from one index to another.
type span struct{ from, to int }

// A task is a chunk that a member does.
type task struct {
	member int
	chunk  span
	start  time.Time
}

func (t *task) len() int { return t.chunk.to - t.chunk.from }

// run lets the members work until all is done. Each gets a first task before one gets a
// second, for its other lane. Those that find nothing more to do leave; if then others
// fail, what they leave takes another round.
func (st *stream) run() error {
	for st.err == nil && st.left > 0 {
		members := st.shard.working(len(st.src))
		if len(members) == 0 {
			return st.shard.usable(st.call)
		}
		var first []*task
		for lane := range maxLanes {
			for _, i := range members {
				if lane < st.shard.members[i].lanes {
					if t := st.take(i); t != nil {
						first = append(first, t)
					}
				}
			}
		}
		var wg sync.WaitGroup
		for i, t := range first {
			if i == len(first)-1 {
				st.work(t) // on this goroutine
			} else {
				wg.Go(func() { st.work(t) })
			}
		}
		wg.Wait()
	}
	return st.err
}

// work lets a member do the task t and then others, until there are none for it, or it
// fails.
func (st *stream) work(t *task) {
	s, i := st.shard, t.member
	for ; t != nil; t = st.take(i) {
		err := st.do(i, t.chunk)
		took := time.Since(t.start)
		st.done(t)
		switch {
		case err == nil:
			st.learn(i, t.len(), took)
		case errors.Is(err, ErrDevice):
			s.fail(i, err)
			if st.inPlace && !st.copies(i) { // a part of src may be a result by now
				st.stop(st.fault(err, t))
				return
			}
			st.giveBack(t.chunk)
			return
		default:
			st.stop(st.fault(err, t))
			return
		}
	}
}

// fault returns what the stream reports of err, with which the task t ended.
func (st *stream) fault(err error, t *task) error {
	return st.call.Fail(err, "%d elements, of which %s had those from %d to %d", len(st.src), st.shard.members[t.member].name, t.chunk.from, t.chunk.to)
}

// take returns a task for member i, or nil if there is none that it should do.
func (st *stream) take(i int) *task {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.err != nil || st.left == 0 {
		return nil
	}
	if st.shard.isClosed() {
		st.err = st.call.Closed()
	} else {
		st.err = st.call.Wrap(check.Ended(st.ctx))
	}
	if st.err != nil {
		return nil
	}
	now := time.Now()
	n := st.chunk(i, now)
	if n == 0 {
		return nil
	}
	last := &st.todo[len(st.todo)-1]
	t := &task{i, span{last.from, min(last.from+n, last.to)}, now}
	if last.from = t.chunk.to; last.from == last.to {
		st.todo = st.todo[:len(st.todo)-1]
	}
	st.left -= t.len()
	st.busy = append(st.busy, t)
	return t
}

// done tells that nobody is at work on t any more.
func (st *stream) done(t *task) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.busy = slices.DeleteFunc(st.busy, func(other *task) bool { return other == t })
}

// open returns how many elements of what member i is at work on are not done, by the
// speed of one lane, in elements per second.
func (st *stream) open(i int, rate float64, now time.Time) float64 {
	sum := 0.0
	for _, t := range st.busy {
		if t.member == i {
			sum += max(0, float64(t.len())-rate*now.Sub(t.start).Seconds())
		}
	}
	return sum
}

// giveBack leaves chunk to others.
func (st *stream) giveBack(chunk span) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.todo = append(st.todo, chunk)
	st.left += chunk.to - chunk.from
}

// stop makes the stream end with err, or with what it had to end with before.
func (st *stream) stop(err error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.err = cmp.Or(st.err, err)
}

// copies tells whether member i computes into other memory than dst, as it must in
// place: if it fails, what others are to compute from would be gone.
func (st *stream) copies(i int) bool { return st.inPlace && !st.shard.members[i].host }

// do lets member i compute chunk. After an error its input is as before, except in place
// on a member that does not copy.
func (st *stream) do(i int, chunk span) error {
	m, dst, src := st.shard.members[i], st.dst[chunk.from:chunk.to], st.src[chunk.from:chunk.to]
	if !st.copies(i) {
		return m.Stream(st.ctx, st.op, st.f, dst, src)
	}
	result, ok := st.shard.scratch.Get().(*[]float32)
	if !ok || len(*result) < len(src) {
		result = new([]float32)
		*result = make([]float32, len(src))
	}
	if err := m.Stream(st.ctx, st.op, st.f, (*result)[:len(src)], src); err != nil {
		return err
	}
	copy(dst, *result)
	st.shard.scratch.Put(result) // not after an error: a device that is lost may write to it yet
	return nil
}

// learn remembers that a lane of member i took so long for n elements.
func (st *stream) learn(i, n int, took time.Duration) {
	s := st.shard
	s.mu.Lock()
	defer s.mu.Unlock()
	rate, now := s.members[i].rate(len(st.src)), float64(n)/max(took, 1).Seconds()
	if *rate > 0 { // what comes and goes counts half
		now = (*rate + now) / 2
	}
	*rate = now
}

// chunk returns how many elements member i should do next; it is 0 if another member is
// done with all that are left before, or if this one has failed. The lock is held.
//
// It is the guided self-scheduling of Polychronopoulos and Kuck ("Guided
// self-scheduling: a practical scheduling scheme for parallel supercomputers", 1987),
// which gives each of p processors that comes 1/p of what is left, with the processor's
// part of the speed of all for 1/p, and half of that, as speeds change.
func (st *stream) chunk(i int, now time.Time) int {
	s := st.shard
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.members[i]
	if m.fault != nil {
		return 0
	}
	own := *m.rate(len(st.src))
	var all float64        // the speed of all lanes
	open := 0.0            // elements that members are at work on
	soonest := math.Inf(1) // seconds until another is done with what is left
	alone := true
	for j, o := range s.members {
		if o.fault != nil || o.lanes == 0 {
			continue
		}
		rate := *o.rate(len(st.src))
		busy := st.open(j, rate, now)
		if j != i {
			soonest, alone = min(soonest, (float64(st.left)+busy/float64(o.lanes))/rate), false
		}
		if rate == 0 { // not known yet
			rate = own
		}
		all += rate * float64(o.lanes)
		open += busy
	}
	most := maxChunk
	if st.copies(i) {
		most = maxCopied
	}
	switch {
	case alone:
		return min(st.left, most)
	case own == 0:
		return m.least
	}
	part := own / all
	n := float64(st.left) * part / 2
	if full := fullTime * own; n < full { // all that it should do of what is not done
		n = min(full, (float64(st.left)+open)*part)
	}
	n = min(max(n, minTime*own), float64(st.left)) // which an int holds
	chunk := min(max(int(math.Ceil(n/minChunk))*minChunk, m.least), most)
	if float64(min(chunk, st.left))/own > soonest { // never of the fastest
		return 0
	}
	return chunk
}
