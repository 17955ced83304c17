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
// members; parts end at multiples of 64 elements. A short buffer is kept on the member that
// processes it fastest. It is split only if that member would need at least 32 times the
// overhead of a call to all members (and splitting is faster), or if it does not fit. So
// short buffers fill one member, and when it is full, Alloc returns ErrOutOfMemory although
// others have room; Weighted splits short buffers too.
//
// Stream gives each member its next chunk when it has completed the last, so the work
// follows the observed speed of the members. What takes one member less than a quarter of
// a millisecond is not divided.
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
	"fmt"
	"math"
	"reflect"
	"slices"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/check"
	"github.com/gmind-go/compute/internal/driver"
)

// New returns a backend that computes on all members. It measures their speed, on up to
// 8 Mi elements: that takes 10 to 100 ms for each member, plus the time to send the data.
//
// The members belong to the result, and its Close closes them. They can be used directly
// too, with buffers of their own: those of the result are foreign to them, and theirs to
// it. The result can be a member of another.
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
		return nil, err
	}
	return driver.New(d), nil
}

// Weighted is like New, but splits all buffers in proportion to weights, one for each
// member, which are finite and above 0. It measures nothing: the same weights always give
// the same parts. Errors: those of New; ErrLength if there are not as many weights as
// members; and one for a weight that is not finite or not above 0.
func Weighted(weights []float64, members ...compute.Backend) (compute.Backend, error) {
	if len(weights) != len(members) && len(members) > 0 {
		return nil, fmt.Errorf("compute: shard: %d weights for %d members; give one for each: %w", len(weights), len(members), compute.ErrLength)
	}
	d, err := newDevice(weights, members)
	if err != nil {
		return nil, err
	}
	for i, w := range weights {
		if !(w > 0) || math.IsInf(w, 0) {
			return nil, fmt.Errorf("compute: shard: the weight of %s is %v; give a finite one above 0", d.members[i].name, w)
		}
	}
	return driver.New(d), nil
}

// validate returns why members cannot be the members of one Shard, or nil.
func validate(members []compute.Backend) error {
	if len(members) == 0 {
		return fmt.Errorf("compute: shard: no member is given; try those of gpu.OpenAll: %w", compute.ErrUnavailable)
	}
	inside := make([]compute.Backend, len(members)) // of wrappers
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
		none, err := b.Alloc(0) // fails only if the backend cannot be used
		if err == nil {
			err = none.Release()
		}
		if err != nil {
			return fmt.Errorf("compute: shard: %s cannot be used: %w", memberName(i, b.Info()), err)
		}
	}
	return nil
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

// memberName returns how errors name the member at index i.
func memberName(i int, info compute.Info) string { return fmt.Sprintf("member %d (%s)", i, info.Name) }
