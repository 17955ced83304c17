package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"gonum.org/v1/gonum/stat"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cmd/bench/internal/report"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/turns"
	"github.com/gmind-go/compute/internal/values"
)

func opNames() []string {
	var names []string
	for _, fm := range form.Plain() {
		names = append(names, fm.String())
	}
	return names
}

// A measurement is a call to be timed, and how to check its result.
type measurement struct {
	op, data string              // as in report.Result
	limit    string              // the operation that this one is compared with, or ""
	bits     int                 // that must be moved, per element; 0 if flop is the measure
	flop     func(n int) float64 // operations on floating-point numbers in a call on n elements; nil if bits are the measure
	prepare  func(*set) error    // makes what call needs; nil if that is nothing
	call     func(*set) error
	launch   func(*set) error // call without waiting; nil if it is not a single kernel
	check
}

// measurements returns the measurements for b: the limits, c.ops, and c.programs.
func measurements(b compute.Backend, c *config) []measurement {
	info := b.Info()
	list := limits(b)
	f := compute.LeakyReLU(c.slope)
	for _, fm := range form.Plain() {
		name := fm.String()
		if !slices.Contains(c.ops, name) {
			continue
		}
		result := fm.Results()[0]
		launch := func(s *set) error {
			dst := s.dst().Buffer
			return fm.Run(b, f, form.Args{X: s.x().Buffer, DY: s.dy().Buffer, Y: dst, D: dst, DX: dst})
		}
		right := oneResult{right: func(s *set, i int) bool {
			return result.Agrees(f, s.dst().host[i], s.dy().host[i], s.x().host[i], info.FlushesSubnormals)
		}}
		m := measurement{op: name, limit: report.Copy, bits: fm.Bits(), check: right.onDevice()}
		list = append(list, onDevice(b, m, launch))
		if info.Backend == "cpu" {
			continue // buffers are in the host's memory
		}
		m.data, m.limit, m.check = report.OnHost, report.Transfer, right
		m.call = func(s *set) error {
			x, dy, dst := s.x(), s.dy(), s.dst()
			return errors.Join(x.Write(x.host), dy.Write(dy.host), launch(s), dst.Read(dst.host))
		}
		if op, streams := fm.Op(); streams {
			m.limit = streamLimit(info)
			m.call = func(s *set) error { return b.Stream(context.Background(), op, f, s.dst().host, s.x().host) }
		}
		list = append(list, m)
	}
	list = append(list, linearMeasurements(b, c.ops)...)
	for i := range c.programs {
		list = append(list, programMeasurements(b, &c.programs[i], i)...)
	}
	return list
}

// streamLimit returns the limit of a call that goes from slice to slice.
func streamLimit(info compute.Info) string {
	switch {
	case info.Backend == "shard":
		return "" // it splits the work in another way than buffers
	case info.SharedMemory:
		return report.Copy // it works on the slices where they are
	}
	return report.Transfer
}

// programMeasurements returns the measurements of p for b. The prepared call is the one with
// the index in a set.
func programMeasurements(b compute.Backend, p *program, index int) []measurement {
	info := b.Info()
	m := measurement{op: p.name, limit: report.Copy, bits: p.kernel.Bits(), prepare: func(s *set) error {
		call, err := b.Prepare(p.Program, p.onDevice(s)...)
		s.calls = append(s.calls, call)
		return err
	}}
	m.check = &programCheck{program: p, backend: b, onDevice: true, flushes: info.FlushesSubnormals}
	list := []measurement{onDevice(b, m, func(s *set) error { return s.calls[index].Run() })}
	if info.Backend == "cpu" {
		return list
	}
	m.data, m.limit, m.prepare = report.OnHost, streamLimit(info), nil
	if k := p.operands(); m.limit == report.Transfer && (k.args == 0 || k.results == 0) {
		m.limit = "" // it goes one way
	}
	m.call = func(s *set) error { return b.RunSlices(context.Background(), p.Program, p.onHost(s)...) }
	m.check = &programCheck{program: p, backend: b, flushes: info.FlushesSubnormals}
	return append(list, m)
}

// limits returns the copies that operations are compared with.
func limits(b compute.Backend) []measurement {
	copied := oneResult{right: func(s *set, i int) bool { return values.Identical(s.dst().host[i], s.x().host[i]) }}
	m := measurement{op: report.Copy, bits: 64, check: copied.onDevice()}
	list := []measurement{onDevice(b, m, func(s *set) error { return b.Copy(s.dst().Buffer, s.x().Buffer) })}
	if b.Info().Backend == "cpu" {
		return list
	}
	up := func(s *set) error { return s.x().Write(s.x().host) }
	down := func(s *set) error { return s.x().Read(s.dst().host) }
	spoilX := func(s *set) error { return s.x().Write(s.dst().host) }
	return append(list,
		measurement{
			op: report.Upload, data: report.OnHost, bits: 32, check: oneResult{copied.right, spoilX, down},
			call: func(s *set) error { return errors.Join(up(s), b.Sync()) },
		},
		measurement{op: report.Download, data: report.OnHost, bits: 32, check: copied, call: down},
		measurement{
			op: report.Transfer, data: report.OnHost, bits: 64, check: oneResult{copied.right, spoilX, nil},
			call: func(s *set) error { return errors.Join(up(s), down(s)) },
		},
	)
}

// onDevice returns m for a launch on buffers.
func onDevice(b compute.Backend, m measurement, launch func(*set) error) measurement {
	m.data, m.launch = report.OnDevice, launch
	m.call = func(s *set) error {
		if err := launch(s); err != nil {
			return err
		}
		return b.Sync()
	}
	return m
}

// measureSize makes the measurements on sets of n elements in the cache state, until ctx
// ends. The results lack Device, OfLimit and Doubts. wrong describes those that are wrong.
func measureSize(ctx context.Context, b compute.Backend, c *config, in *input, list []measurement, n int, state string, progress func()) (results []report.Result, wrong []string, err error) {
	s, state, err := newSets(b, in, n, state)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, s.release()) }()
	var timers []*timer
	for _, m := range list {
		if err := s.prepare(m); err != nil {
			return nil, nil, err
		}
		timers = append(timers, &timer{measurement: m, sets: s})
	}
	err = timeAll(ctx, c, timers, progress)
	for _, t := range timers {
		if len(t.NS) == 0 {
			continue // interrupted before
		}
		r := report.Result{
			Op: t.op, Data: t.data, Limit: t.limit, Cache: state, N: n, Bytes: int(int64(t.bits) * int64(n) / 8), Calls: t.Calls,
			Verified: t.checked > 0 && t.wrong == "", TimesNS: t.NS,
		}
		if t.flop != nil {
			r.Flop = t.flop(n)
		}
		r.Summarize()
		if profiler, ok := compute.As[form.Profiler](b); ok && t.launch != nil && t.flop == nil && t.op != sumOp && err == nil && ctx.Err() == nil {
			r.EventNS, r.EventClockNS, err = t.profile(b, profiler)
		}
		if t.wrong != "" {
			wrong = append(wrong, fmt.Sprintf("%s on %s, data on the %s: %s", t.op, b.Info().Name, t.data, t.wrong))
		}
		results = append(results, r)
	}
	return results, wrong, err
}

const (
	profiledTimes = 5
	profiledCalls = 20
)

// profile returns the mean time of one call by the events of the device, and that of the
// same calls by the clock of the host, in ns; or zeros if the device has no events. Each is
// the median of several times.
func (t *timer) profile(b compute.Backend, p form.Profiler) (events, clock float64, err error) {
	var byEvents, byClock []float64
	for range profiledTimes {
		var failed error
		var took time.Duration
		ns, err := p.Profile(func() error {
			if failed = t.call(t.sets.take()); failed != nil { // the first call on a queue may take longer
				return failed
			}
			start := time.Now()
			for range profiledCalls {
				if failed = t.launch(t.sets.take()); failed != nil {
					return failed
				}
			}
			failed = b.Sync()
			took = time.Since(start)
			return failed
		})
		if failed != nil || errors.Is(err, compute.ErrDevice) {
			return 0, 0, err
		}
		if err != nil || len(ns) != 1+profiledCalls {
			return 0, 0, nil
		}
		byEvents = append(byEvents, stat.Mean(ns[1:], nil))
		byClock = append(byClock, float64(took.Nanoseconds())/profiledCalls)
	}
	events, _, _ = turns.Summarize(byEvents)
	clock, _, _ = turns.Summarize(byClock)
	return events, clock, nil
}

// measureLaunch returns the median time in ns of a copy of one element and Sync.
func measureLaunch(ctx context.Context, b compute.Backend, c *config, in *input) (float64, error) {
	list := limits(b)
	if len(list) == 0 || list[0].op != report.Copy {
		return 0, nil
	}
	quick := *c
	quick.time, quick.runs = min(c.time, 100*time.Millisecond), min(c.runs, 100)
	results, _, err := measureSize(ctx, b, &quick, in, list[:1], 1, report.Warm, func() {})
	if err != nil || len(results) == 0 {
		return 0, err
	}
	return results[0].MedianNS, nil
}
