package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"slices"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cmd/bench/internal/command"
	"github.com/gmind-go/compute/cmd/bench/internal/report"
	"github.com/gmind-go/compute/internal/units"
)

// A meter measures targets one after the other, and prints and keeps the results.
type meter struct {
	c      *config
	in     *input
	report *report.Report
	table  report.Table
	bar    progress

	members []string // the names of the devices measured that are members of a Shard
	wrong   []string // descriptions of wrong results
	output  []byte   // the contents of the file of -output
}

// note prints why something is not measured, and keeps it.
func (m *meter) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	m.report.Notes = append(m.report.Notes, text)
	m.bar.clear()
	fmt.Fprintln(m.table.W, report.Wrap(text, "  "))
}

// write writes all files, unless there are no results. It writes the file of -output only
// if all results are right.
func (m *meter) write(stdout io.Writer) error {
	if len(m.report.Results) == 0 {
		return nil
	}
	err := m.c.writeOutputs(m.report, stdout)
	if m.output == nil || len(m.wrong) > 0 {
		return err
	}
	return errors.Join(err, replace(m.c.output, m.output))
}

// list returns the measurements for t.
func (m *meter) list(t target) []measurement {
	if t.limits {
		return limits(t.Backend)
	}
	return measurements(t.Backend, m.c)
}

// steps returns the number of measurements for targets.
func (m *meter) steps(targets []target) int {
	steps := 0
	for _, t := range targets {
		for _, n := range m.c.sizes {
			steps += len(m.list(t)) * len(m.states(n, deviceCache(t)))
		}
	}
	return steps
}

// states returns the cache states in which n elements are measured, for a last-level cache
// of that many bytes. Operands that do not fit are always cold. Small ones, of which too
// many sets would have to rotate, are always warm.
func (m *meter) states(n, cache int) []string {
	switch {
	case n > cache/12:
		return []string{report.Cold}
	case setsFor(n, cache) == maxSets:
		return []string{report.Warm}
	}
	return m.c.caches
}

// measure measures t at every size, until ctx ends.
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
			compute.Trim(t.Backend) // the check of available memory is for one size
			debug.FreeOSMemory()
			if errors.Is(err, compute.ErrOutOfMemory) && !m.c.sizesAsked {
				m.note("%s: %s not measured: %s", d.Name, units.Elements(n), command.OneLine(err))
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
	m.bar.describe(d.Name, units.Count(n)+", "+state)
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

// describe returns the description of t for the report, with a name that is unique there.
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
		return slices.Contains(m.members, d.Name) || // of one that could not be measured, too
			slices.ContainsFunc(m.report.Devices, func(other report.Device) bool { return other.Name == d.Name })
	}
	for i := 2; taken(); i++ {
		d.Name = fmt.Sprintf("%s #%d", info.Name, i)
	}
	return d
}
