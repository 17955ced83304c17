package compute

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"sync"

	"github.com/gmind-go/compute/internal/check"
)

// Shard returns a Backend over several others, its members, that all compute at
// once:
//
//	all, err := gpu.OpenAll()
//	b, err := compute.Shard(all...)
//
// A buffer or mask lies on the members in contiguous parts, which end at multiples of 64
// elements, in proportion to the speed of each member. Shard measures it, on 8 Mi
// elements, which takes some 10 to 100 ms a member, and to send them. Nothing is copied
// from member to member.
//
// A short buffer lies on the one member that is done with it first. Others come in where
// that one takes 32 times as long as a call on nothing of all that are called, and it is
// faster then; or where it cannot hold the buffer. So short buffers fill one member, and
// when it is full Alloc returns ErrOutOfMemory though others have room; ShardWeighted
// divides short buffers too.
//
// Stream gives each member its next chunk when it is done with the last, so there the
// members share the work by how fast they really are; what takes one of them less than a
// quarter of a millisecond is left to that one.
//
// The error of a member names it by its index and its Info().Name. After one, the
// contents of the buffers that the call writes are unspecified, as other members may
// have done their part.
//
// A member that fails makes every later call but those below return ErrDevice. The
// others stay usable on their own, until the Shard is closed. Release, which gives back
// the parts on all members, and Close work. So does Stream: the others do what the
// member leaves, also in the Stream in which it fails, whose result is complete and
// right. Such a Stream returns nil, as long as any member is left, and Info().Skipped
// tells which member has failed, and of what. For it a Stream in place costs one copy
// more: results stay out of the input until they are complete. The CPU backend, which
// cannot fail, works in place; a wrapper of it that fails in a Stream in place makes that
// Stream return ErrDevice.
//
// The members belong to the Shard: Close closes them. They may be used directly too,
// with buffers of their own; those of the Shard are foreign to them, and theirs to it.
// A Shard may be a member of another.
//
// Errors: ErrUnavailable if there is no member; one for a member that is nil or given
// twice, also inside a wrapper; ErrClosed or ErrDevice for a member that is closed or has
// failed; and that of a member whose speed cannot be measured. After an error the members
// belong to the caller, who closes them.
func Shard(members ...Backend) (Backend, error) {
	if err := checkMembers(members); err != nil {
		return nil, err
	}
	layouts, err := measuredLayouts(members)
	if err != nil {
		return nil, err
	}
	return newShard(layouts, members), nil
}

// ShardWeighted is Shard with parts in proportion to weights, one for each member, which
// are finite and above 0, of short buffers too, as far as words of 64 elements go. It
// measures nothing, so the same weights give the same parts every time. Errors: those of
// Shard for its members; ErrLength if there are not as many weights as members; and one
// for a weight that is none.
func ShardWeighted(weights []float64, members ...Backend) (Backend, error) {
	if err := checkMembers(members); err != nil {
		return nil, err
	}
	if len(weights) != len(members) {
		return nil, fmt.Errorf("compute: shard: %d weights for %d members; give one for each: %w", len(weights), len(members), ErrLength)
	}
	for i, w := range weights {
		if !(w > 0) || math.IsInf(w, 0) {
			return nil, fmt.Errorf("compute: shard: the weight of %s is %v; give a finite one above 0", memberName(i, members[i]), w)
		}
	}
	all := make([]bool, len(members))
	for i := range all {
		all[i] = true
	}
	return newShard([]layout{newLayout(weights, all)}, members), nil
}

// checkMembers refuses what cannot be the members of one Shard.
func checkMembers(members []Backend) error {
	if len(members) == 0 {
		return fmt.Errorf("compute: shard: no member is given; try those of gpu.OpenAll: %w", ErrUnavailable)
	}
	inside := make([]Backend, len(members)) // of wrappers
	for i, b := range members {
		if check.IsNil(b) {
			return fmt.Errorf("compute: shard: member %d is nil", i)
		}
		if inside[i] = innermost(b); inside[i] == nil {
			return fmt.Errorf("compute: shard: member %d is a %T without a Backend inside; set the one that it embeds", i, b)
		}
		for j, other := range inside[:i] {
			if reflect.ValueOf(other).Comparable() && other == inside[i] {
				return fmt.Errorf("compute: shard: members %d and %d are the same backend, %s; give each once", j, i, b.Info().Name)
			}
		}
	}
	for i, b := range members {
		none, err := b.Alloc(0) // which needs nothing but a backend that can be used
		if err == nil {
			err = none.Release()
		}
		if err != nil {
			return fmt.Errorf("compute: shard: %s cannot be used: %w", memberName(i, b), err)
		}
	}
	return nil
}

// memberName is what errors call the member b at index i.
func memberName(i int, b Backend) string { return fmt.Sprintf("member %d (%s)", i, b.Info().Name) }

// shard is the Backend that Shard returns.
type shard struct {
	name    string
	members []*member
	layouts []layout // the last is on all members

	streams sync.RWMutex // held for reading by calls of Stream, which Close waits for
	scratch sync.Pool    // of *[]float32, for Stream

	// order is held by all other calls, until each member has been called: so the
	// calls take effect in the same order on all of them.
	order sync.Mutex

	mu        sync.Mutex // guards what follows, for moments
	closed    bool
	live      int // buffers and masks
	liveBytes int64
}

// A member is one of the backends of a shard.
type member struct {
	Backend
	name     string // for errors
	enqueues bool   // calls on buffers only enqueue, but those that transfer
	host     bool   // it computes on all cores of the host, and has no device to fail
	lanes    int    // calls of Stream at a time
	least    int    // elements of a call of Stream, if there are so many

	called bool // since the last Sync; guarded by the order of the shard

	// Guarded by the mu of the shard:
	rates [2]float64 // see rate
	fault error      // the first ErrDevice
}

func newShard(layouts []layout, members []Backend) *shard {
	s := &shard{members: make([]*member, len(members)), layouts: layouts}
	names, hosts := make([]string, len(members)), 0
	for i, b := range members {
		info := b.Info()
		names[i] = info.Name
		m := &member{Backend: b, name: memberName(i, b), enqueues: info.Backend == "opencl", host: isHost(b), lanes: 1, least: minChunk}
		if !info.SharedMemory { // one transfers while the other computes
			m.lanes, m.least = maxLanes, minSent
		}
		if m.host {
			if hosts++; hosts > 1 { // the first has all cores
				m.lanes = 0
			}
		}
		s.members[i] = m
	}
	s.name = "shard (" + strings.Join(names, " + ") + ")"
	return s
}

// isHost reports whether b is the backend of package cpu, or wraps it.
func isHost(b Backend) bool {
	_, ok := As[interface{ Host() }](b)
	return ok
}

// Info describes the members as one device: Memory and PooledBytes are their sums, where
// the memory of the host counts once for all CPU backends; Kind is theirs or "other"; and
// each takes its part of MaxAlloc, as far as theirs are known. Buffers are counted that
// the shard has made. Skipped reports members that have failed, too.
func (s *shard) Info() Info {
	info := Info{Name: s.name, Backend: "shard", SharedMemory: true}
	var skipped []error
	host := false
	for i, m := range s.members {
		of := m.Info()
		if !m.host || !host {
			info.Memory += of.Memory
		}
		host = host || m.host
		info.PooledBytes += of.PooledBytes
		info.SharedMemory = info.SharedMemory && of.SharedMemory
		info.FlushesSubnormals = info.FlushesSubnormals || of.FlushesSubnormals
		if i == 0 {
			info.Kind = of.Kind
		} else if of.Kind != info.Kind {
			info.Kind = "other"
		}
		if fits := s.layouts[len(s.layouts)-1].maxAlloc(i, of.MaxAlloc); of.MaxAlloc > 0 && (info.MaxAlloc == 0 || fits < info.MaxAlloc) {
			info.MaxAlloc = fits
		}
		skipped = append(skipped, of.Skipped)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.members {
		if m.fault != nil {
			skipped = append(skipped, fmt.Errorf("%s failed: %w", m.name, m.fault))
		}
	}
	info.Skipped = errors.Join(skipped...)
	info.LiveBuffers, info.LiveBytes = s.live, s.liveBytes
	return info
}

// Trim is found by the function Trim.
func (s *shard) Trim() {
	for _, m := range s.members {
		Trim(m.Backend)
	}
}

func (s *shard) Sync() error {
	c := s.call("sync")
	s.order.Lock()
	defer s.order.Unlock()
	if err := s.usable(c); err != nil {
		return err
	}
	var called []int // to wait for others would take its time
	for i, m := range s.members {
		if m.called {
			called = append(called, i)
		}
	}
	err := s.each(c, 0, called, true, func(i int) error { return s.members[i].Sync() })
	if err == nil {
		for _, m := range s.members {
			m.called = false
		}
	}
	return err
}

// Close closes the members.
func (s *shard) Close() error {
	s.mu.Lock()
	before := s.closed
	s.closed = true // Stream stops
	s.mu.Unlock()
	s.order.Lock()
	defer s.order.Unlock()
	s.streams.Lock()
	defer s.streams.Unlock()
	if before {
		return nil
	}
	errs := make([]error, len(s.members))
	for i, m := range s.members {
		errs[i] = m.Close()
	}
	s.mu.Lock()
	s.live, s.liveBytes = 0, 0
	s.mu.Unlock()
	return s.result(s.call("close"), 0, errs)
}

func (s *shard) call(op string) check.Call { return check.Call{Op: op, Device: s.name} }

func (s *shard) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// usable refuses a call on a shard that is closed, or of which a member has failed.
func (s *shard) usable(c check.Call) error {
	if s.isClosed() {
		return c.Closed()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.members {
		if m.fault != nil {
			return c.Fail(ErrDevice, "%s cannot be used since it failed (%v); Release the buffers and Shard the other members, or Close", m.name, m.fault)
		}
	}
	return nil
}

// each runs do for the members on, all at once, and returns what the call c on n
// elements (0 for none) says of their errors. With waits, do may wait for the device;
// else members that only enqueue are called first, which nothing then holds up. Those
// that compute on all cores of the host take turns.
func (s *shard) each(c check.Call, n int, on []int, waits bool, do func(i int) error) error {
	errs := make([]error, len(s.members))
	var wg sync.WaitGroup
	var hosts []int
	for _, i := range on {
		m := s.members[i]
		m.called = true
		switch {
		case m.host:
			hosts = append(hosts, i)
		case m.enqueues && !waits || len(on) == 1:
			errs[i] = do(i)
		default:
			wg.Go(func() { errs[i] = do(i) })
		}
	}
	for _, i := range hosts {
		errs[i] = do(i)
	}
	wg.Wait()
	return s.result(c, n, errs)
}

// result returns what the call c, on n elements (0 for none), says of the errors of the
// members: the first, or the first fault. Faults are remembered.
func (s *shard) result(c check.Call, n int, errs []error) error {
	worst := -1
	for i, err := range errs {
		isFault := errors.Is(err, ErrDevice)
		if isFault {
			s.fail(i, err)
		}
		if err != nil && (worst < 0 || isFault && !errors.Is(errs[worst], ErrDevice)) {
			worst = i
		}
	}
	switch {
	case worst < 0:
		return nil
	case n > 0:
		l := s.layout(n)
		from, to := l.part(n, worst)
		if len(s.layouts) > 1 && errors.Is(errs[worst], ErrOutOfMemory) && len(l.holders(n)) < len(s.members) {
			return c.Fail(errs[worst], "%d elements, of which %s has %d; ShardWeighted has short buffers on other members too", n, s.members[worst].name, to-from)
		}
		return c.Fail(errs[worst], "%d elements, of which %s has %d", n, s.members[worst].name, to-from)
	}
	return c.Fail(errs[worst], "%s", s.members[worst].name)
}

// fail remembers that member i has failed with err.
func (s *shard) fail(i int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.members[i].fault == nil {
		s.members[i].fault = err
	}
}
