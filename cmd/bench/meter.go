package main

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cmd/bench/internal/report"
)

// A meter measures targets one after the other, prints what it finds, and keeps it.
type meter struct {
	c      config
	in     *input
	report *report.Report
	table  report.Table
	bar    progress
	// members are the names of the devices of which a Shard is measured next.
	members []string
	wrong   []string // results, in words
	output  []byte   // contents of the file of -output
}

// note prints why something is not measured, and keeps it.
func (m *meter) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	m.report.Notes = append(m.report.Notes, text)
	m.bar.clear()
	fmt.Fprintln(m.table.W, report.Wrap(text, "  "))
}

// write writes all files: of results, unless there are none, and npy, unless a result is
// wrong or was not computed.
func (m *meter) write(npy *outputFile) error {
	if len(m.report.Results) == 0 {
		m.c.abandonOutputs(npy)
		return nil
	}
	err := m.c.writeOutputs(m.report)
	if m.output == nil || len(m.wrong) > 0 {
		npy.abandon()
		return err
	}
	return errors.Join(err, npy.replace(m.output))
}

// list returns the measurements that are made on t.
func (m *meter) list(t target) []measurement {
	if t.limits {
		return limits(t.Backend)
	}
	return measurements(t.Backend, m.c)
}

// steps returns how many measurements are made on targets.
func (m *meter) steps(targets []target) int {
	steps := 0
	for _, t := range targets {
		for _, n := range m.c.sizes {
			steps += len(m.list(t)) * len(m.states(n, deviceCache(t)))
		}
	}
	return steps
}

// states returns the cache states in which n elements are measured where the last cache
// has so many bytes: what does not fit is cold, and what is so small that too many would
// have to take turns is warm.
func (m *meter) states(n, cache int) []string {
	switch {
	case n > cache/12:
		return []string{report.Cold}
	case setsFor(n, cache) == maxSets:
		return []string{report.Warm}
	}
	return m.c.caches
}

// measure measures t at every size. At the end of ctx it has what was measured until
// then.
func (m *meter) measure(ctx context.Context, t target) error {
	d := m.describe(t)
	if t.member {
		m.members = append(m.members, d.Name)
	}
	if ctx.Err() != nil {
		return nil
	}
	var err error
	if d.LaunchNS, err = measureLaunch(ctx, t.Backend, m.c, m.in); err != nil {
		return err
	}
	m.report.Devices = append(m.report.Devices, d)
	m.bar.clear()
	m.table.Device(d)
	for _, n := range m.c.sizes {
		for _, state := range m.states(n, deviceCache(t)) {
			err := m.size(ctx, t, d, n, state)
			compute.Trim(t.Backend) // need counts the memory of one size
			debug.FreeOSMemory()
			if errors.Is(err, compute.ErrOutOfMemory) && !m.c.sizesAsked {
				m.note("%s: %s not measured: %s", d.Name, report.Elements(n), oneLine(err))
				continue
			}
			if err != nil {
				return err
			}
		}
	}
	if m.c.output == "" || t.limits || ctx.Err() != nil {
		return nil
	}
	m.output, err = computeOutput(t, m.c, m.in)
	return err
}

// size measures t, which is the device d, at one size.
func (m *meter) size(ctx context.Context, t target, d report.Device, n int, state string) error {
	if ctx.Err() != nil {
		return nil
	}
	m.bar.what(fmt.Sprintf("%s, %s, %s", shortened(d.Name), report.Count(n), state))
	results, wrong, err := measureSize(ctx, t.Backend, m.c, m.in, m.list(t), n, state, m.bar.step)
	m.wrong = append(m.wrong, wrong...)
	for i := range results {
		results[i].Device = d.Name
	}
	report.Relate(results, d)
	m.report.Results = append(m.report.Results, results...)
	m.bar.clear()
	m.table.Rows(results)
	return err
}

// describe returns what the report says of t, by a name that is unique in it.
func (m *meter) describe(t target) report.Device {
	info := t.Info()
	d := report.Device{
		Name: info.Name, Backend: info.Backend, Kind: info.Kind, Vendor: info.Vendor, Platform: info.Platform, Driver: info.Driver,
		Memory: info.Memory, MaxAlloc: info.MaxAlloc, SharedMemory: info.SharedMemory, FlushesSubnormals: info.FlushesSubnormals,
	}
	if d.Backend == "shard" {
		d.Members = m.members
	}
	taken := func() bool {
		return slices.Contains(m.members, d.Name) || // also of one that could not be measured
			slices.ContainsFunc(m.report.Devices, func(other report.Device) bool { return other.Name == d.Name })
	}
	for i := 2; taken(); i++ {
		d.Name = fmt.Sprintf("%s #%d", info.Name, i)
	}
	return d
}
