// Package shard combines several backends, its members, into one that computes on all of
// them at once:
//
//	all, err := gpu.OpenAll()
//	b, err := shard.New(all...)
//
// It pays for members with memory of their own, such as several GPUs. Members that share
// one memory, or the same cores, are no faster together than one.
//
// A long buffer or mask is split into contiguous parts, in proportion to the speed of the
// members; parts end at multiples of 64 elements, or of 4096 from 1 Mi elements on. A short buffer is kept on the member that
// processes it fastest. It is split only if that member would need at least 32 times the
// overhead of a call to all members (and splitting is faster), or if it does not fit. So
// short buffers fill one member, and when it is full, Alloc returns ErrOutOfMemory although
// others have room; Weighted splits short buffers too.
//
// A call computes a part on each member, without moving anything, if its operands have the same
// parts: buffers of equal length have them. Otherwise what is missing on a member is copied to it
// for the call, through the host, and results are copied back:
//
//   - a view (compute.Buffer's View) has the parts of its buffer that it touches, so it seldom
//     coincides with other buffers; operands that all lie on one member coincide;
//   - what a call repeats, by compute.Row or Col, goes to each member that does not have all of it,
//     so it should be short;
//   - Reduce computes whole rows, or whole chunks of a sum, where they are. A row, or a chunk in a
//     view, that crosses the end of a part goes to one member. With All and Cols the host combines
//     what members return: one value for each chunk of 4096 elements, or 4096 rows;
//   - Gather lets each member gather the rows that it has, and moves only these;
//   - MatMul computes the rows of the product where they are, and sends b, and what is missing of a,
//     to each member; or all on the member that has the most of the operands, if that moves less and
//     the work is not worth more. What does not lie there is copied to it, so it must have room.
//
// MatMul needs a member that is Linear (compute.Linear); the others leave their work to it. Without
// any, the host computes a product, slowly. A wrapper with buffers of its own also needs a MatMul
// of its own.
//
// Stream and RunSlices give each member its next chunk when it has completed the last, so the
// work follows the observed speed of the members. Work that one member does in less than
// 0.25 ms is not divided.
//
// The error of a member names it by its index and its Info().Name. After an error, the
// contents of the buffers that the call writes are unspecified: other members may have
// written their parts.
//
// When a member fails, every later call except Stream, Release and Close returns ErrDevice.
// The other members remain usable on their own until the Shard is closed. A Stream
// continues, even the one in which the member fails: the others compute what it left, and
// the result is complete and right. Stream returns nil as long as one member is left, and
// Info().Skipped names the members that failed, with the reasons. Therefore a Stream in
// place keeps results apart from the input until they are complete, which takes one more
// copy. The CPU backend (Info().Backend is "cpu") cannot fail and works in place. If a
// wrapper of it fails there, Stream returns ErrDevice; a wrapper that can fail should have
// another Info().Backend.
package shard

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/check"
	"github.com/gmind-go/compute/internal/driver"
)

// New returns a backend that computes on all members. It measures their speed, on up to
// 8 Mi elements: that takes 10 to 100 ms for each member, plus the time to send the data.
//
// The members belong to the result, and its Close closes them. They can be used directly
// too, with buffers of their own; buffers cannot be exchanged between them and the result.
// The result can itself be a member.
//
// Errors: ErrUnavailable if there is no member; ErrClosed or ErrDevice if a member is
// closed or has failed; the error of a member whose speed cannot be measured; and one if a
// member is nil or given twice, even inside a wrapper. After an error the members belong
// to the caller, who closes them.
func New(members ...compute.Backend) (compute.Backend, error) {
	d, err := newDevice(slices.Repeat([]float64{1}, len(members)), members)
	if err != nil {
		return nil, err
	}
	if err := d.measure(); err != nil {
		remedy := "; shard.Weighted needs no measurement"
		if errors.Is(err, compute.ErrDevice) || errors.Is(err, compute.ErrClosed) { // it would fail too
			remedy = ""
		}
		return nil, fmt.Errorf("compute: shard: cannot measure the speed of %w%s", err, remedy)
	}
	return driver.New(d), nil
}

// Weighted is like New, but splits all buffers in proportion to weights, one for each
// member, which are finite and above 0. It measures nothing: the same weights always give
// the same parts. Errors: those of New; ErrLength if there are not as many weights as
// members; and one for a weight that is not finite or not above 0.
func Weighted(weights []float64, members ...compute.Backend) (compute.Backend, error) {
	d, err := newDevice(weights, members)
	if err != nil {
		return nil, err
	}
	return driver.New(d), nil
}

// newDevice returns a device that splits buffers in proportion to weights.
func newDevice(weights []float64, members []compute.Backend) (*device, error) {
	if len(members) == 0 {
		return nil, fmt.Errorf("compute: shard: no member is given; try those of gpu.OpenAll: %w", compute.ErrUnavailable)
	}
	if len(weights) != len(members) {
		return nil, fmt.Errorf("compute: shard: %d weights for %d members; give one for each: %w", len(weights), len(members), compute.ErrLength)
	}
	d := &device{}
	var names []string
	var paces []pace
	most := slices.Max(weights) // by which the others are divided, so that their sum is finite
	for i, b := range members {
		m, err := newMember(i, members)
		if err != nil {
			return nil, fmt.Errorf("compute: shard: %w", err)
		}
		if w := weights[i]; !(w > 0) || math.IsInf(w, 0) {
			return nil, fmt.Errorf("compute: shard: the weight of %s is %v; give a finite one above 0", m.name, w)
		}
		if m.cpu && slices.ContainsFunc(d.members, func(m *member) bool { return m.cpu }) {
			m.streams = 0
		}
		d.members = append(d.members, m)
		info := b.Info()
		names = append(names, info.Name)
		paces = append(paces, pace{speed: weights[i] / most, limit: info.MaxAlloc})
	}
	d.name = "shard (" + strings.Join(names, " + ") + ")"
	d.layout = newLayout(paces, 0)
	return d, nil
}

// newMember returns the member at index i of members.
func newMember(i int, members []compute.Backend) (*member, error) {
	b := members[i]
	if check.IsNil(b) {
		return nil, fmt.Errorf("member %d is nil", i)
	}
	inside := innermost(b)
	if inside == nil {
		return nil, fmt.Errorf("member %d is a %T without a Backend inside; set the one that it embeds", i, b)
	}
	info := b.Info()
	for j, other := range members[:i] {
		if reflect.ValueOf(inside).Comparable() && inside == innermost(other) {
			return nil, fmt.Errorf("members %d and %d are the same backend, %s; give each once", j, i, info.Name)
		}
	}
	m := &member{Backend: b, name: fmt.Sprintf("member %d (%s)", i, info.Name), cpu: info.Backend == "cpu", streams: 1, least: leastShared}
	m.linear, _ = compute.As[compute.Linear](b)
	if !info.SharedMemory { // one call computes while another transfers
		m.streams, m.least = maxStreams, leastSent
	}
	none, err := b.Alloc(0) // fails only if b cannot be used
	if err == nil {
		err = none.Release()
	}
	if err != nil {
		return nil, fmt.Errorf("%s cannot be used: %w", m.name, err)
	}
	return m, nil
}

// innermost returns the last backend in the chain of wrappers that begins with b, or nil
// if the last wrapper is empty.
func innermost(b compute.Backend) compute.Backend {
	inner, wraps := compute.Unwrap(b)
	if !wraps {
		return b
	}
	return innermost(inner)
}
