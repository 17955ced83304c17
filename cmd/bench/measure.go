package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
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
	op, data string // as in report.Result
	limit    string // the operation that this one is compared with, or ""
	bytes    int    // that must be moved, per element
	call     func(*set) error
	launch   func(*set) error // call without waiting; nil if it is not a single kernel

	// right reports whether element i of the result is right, once it is in s.hostDst. write
	// and read move the result from and to there; nil if it is there.
	right       func(s *set, i int) bool
	write, read func(*set) error
}

// spoil makes the result wrong.
func (m measurement) spoil(s *set) error {
	for i := range s.hostDst {
		s.hostDst[i] = 1234.5678 // not a result of any input
	}
	if m.write == nil {
		return nil
	}
	return m.write(s)
}

// difference describes the first wrong element of the result, or returns "".
func (m measurement) difference(s *set) (string, error) {
	if m.read != nil {
		if err := m.read(s); err != nil {
			return "", err
		}
	}
	return firstDifference(s, m.right), nil
}

// measurements returns the measurements for b: the limits, and c.ops.
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
			return fm.Run(b, f, form.Args{X: s.x, DY: s.dy, Y: s.dst, D: s.dst, DX: s.dst})
		}
		m := measurement{op: name, limit: report.Copy, bytes: fm.Bits() / 8, right: func(s *set, i int) bool {
			return result.Agrees(f, s.hostDst[i], s.hostDY[i], s.hostX[i], info.FlushesSubnormals)
		}}
		list = append(list, onDevice(b, m, launch))
		if info.Backend == "cpu" {
			continue // buffers are in the host's memory
		}
		m.data, m.limit = report.OnHost, report.Transfer
		m.call = func(s *set) error {
			return errors.Join(s.x.Write(s.hostX), s.dy.Write(s.hostDY), launch(s), s.dst.Read(s.hostDst))
		}
		if op, streams := fm.Op(); streams {
			m.call = func(s *set) error { return b.Stream(context.Background(), op, f, s.hostDst, s.hostX) }
			switch {
			case info.Backend == "shard":
				m.limit = "" // Stream splits the work in another way than buffers
			case info.SharedMemory:
				m.limit = report.Copy // Stream works on the slices where they are
			}
		}
		list = append(list, m)
	}
	return list
}

// limits returns the copies that operations are compared with.
func limits(b compute.Backend) []measurement {
	copied := func(s *set, i int) bool { return values.Identical(s.hostDst[i], s.hostX[i]) }
	var list []measurement
	if copier, ok := compute.As[form.Copier](b); ok {
		m := measurement{op: report.Copy, bytes: 8, right: copied}
		list = append(list, onDevice(b, m, func(s *set) error { return copier.Copy(s.dst, s.x) }))
	}
	if b.Info().Backend == "cpu" {
		return list
	}
	up := func(s *set) error { return s.x.Write(s.hostX) }
	down := func(s *set) error { return s.x.Read(s.hostDst) }
	spoilX := func(s *set) error { return s.x.Write(s.hostDst) }
	return append(list,
		measurement{
			op: report.Upload, data: report.OnHost, bytes: 4, right: copied, write: spoilX, read: down,
			call: func(s *set) error { return errors.Join(up(s), b.Sync()) },
		},
		measurement{op: report.Download, data: report.OnHost, bytes: 4, right: copied, call: down},
		measurement{
			op: report.Transfer, data: report.OnHost, bytes: 8, right: copied, write: spoilX,
			call: func(s *set) error { return errors.Join(up(s), down(s)) },
		},
	)
}

// onDevice returns m for a launch on buffers, with the result in s.dst.
func onDevice(b compute.Backend, m measurement, launch func(*set) error) measurement {
	m.data, m.launch = report.OnDevice, launch
	m.call = func(s *set) error {
		if err := launch(s); err != nil {
			return err
		}
		return b.Sync()
	}
	m.write = func(s *set) error { return s.dst.Write(s.hostDst) }
	m.read = func(s *set) error { return s.dst.Read(s.hostDst) }
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
		timers = append(timers, &timer{measurement: m, sets: s})
	}
	err = timeAll(ctx, c, timers, progress)
	for _, t := range timers {
		if len(t.NS) == 0 {
			continue // interrupted before
		}
		r := report.Result{
			Op: t.op, Data: t.data, Limit: t.limit, Cache: state, N: n, Bytes: t.bytes * n, Calls: t.Calls,
			Verified: t.checked > 0 && t.wrong == "", TimesNS: t.NS,
		}
		r.Summarize()
		if profiler, ok := compute.As[form.Profiler](b); ok && t.launch != nil && err == nil && ctx.Err() == nil {
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

// firstDifference describes the first element of s.hostDst that is not right, or returns
// "". It uses all cores.
func firstDifference(s *set, right func(s *set, i int) bool) string {
	got := s.hostDst
	workers := runtime.GOMAXPROCS(0)
	share := (len(got) + workers - 1) / workers
	first := make([]int, workers) // of each share, or -1
	var wg sync.WaitGroup
	for w := range workers {
		first[w] = -1
		wg.Go(func() {
			for i := w * share; i < min((w+1)*share, len(got)); i++ {
				if !right(s, i) {
					first[w] = i
					return
				}
			}
		})
	}
	wg.Wait()
	for _, i := range first {
		if i >= 0 {
			return fmt.Sprintf("element %d of %d is %v (0x%08x)", i, len(got), got[i], math.Float32bits(got[i]))
		}
	}
	return ""
}
