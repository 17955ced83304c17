package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cmd/bench/internal/report"
)

// run is the program that measures, on the backends that choose opens, until ctx ends; it
// returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer, choose chooser) int {
	fail := func(code int, err error) int {
		fmt.Fprintf(stderr, "bench: %s\n", oneLine(err))
		return code
	}
	out := &checked{Writer: stdout}
	c, err := parse(args)
	if errors.Is(err, flag.ErrHelp) {
		if fmt.Fprint(out, usage); out.err != nil {
			return fail(exitUsage, out.err)
		}
		return exitOK
	}
	if err != nil {
		return fail(exitUsage, fmt.Errorf("%w (see bench -h)", err))
	}
	in, err := c.load()
	if err != nil {
		return fail(exitUsage, err)
	}
	npy, err := c.openOutputs(stdout)
	if err != nil {
		return fail(exitUsage, err)
	}
	var table io.Writer = out
	bars := showsBars(stdout)
	for _, o := range c.outputs {
		if o.name == "-" { // standard output is for that alone
			table, bars = stderr, showsBars(stderr)
		}
	}
	if in.npy != nil && len(in.npy.values) == 0 { // of which there is nothing to measure
		if err := c.writeEmpty(in.npy, npy); err != nil {
			return fail(exitUsage, err)
		}
		return exitOK
	}

	start := time.Now()
	shown := status{w: stderr}
	shown.show("listing the OpenCL devices")
	found, avoid := findDevices(c)
	shown.show("")
	problem := listDevices(table, found)
	shown.show("opening the devices")
	targets, reason, err := choose(c, avoid)
	shown.show("")
	unused := func(code int, err error) int { // before anything is measured
		for _, t := range targets {
			if !t.member { // a Shard closes those
				t.Close()
			}
		}
		c.abandonOutputs(npy)
		return fail(code, err)
	}
	if err != nil {
		return unused(exitUnusable, err)
	}
	measured := slices.DeleteFunc(slices.Clone(targets), func(t target) bool { return t.limits })
	if c.output != "" && len(measured) > 1 {
		return unused(exitUsage, fmt.Errorf("-output holds one result, but there are %d devices; name one with -device", len(measured)))
	}
	r := &report.Report{
		Schema: report.Version, Time: start.UTC().Truncate(time.Second), Command: append([]string{"bench"}, args...),
		Environment: environment(), Activation: compute.LeakyReLU(c.slope).String(), Slope: c.slope,
		Input: c.input, Precision: c.precision,
	}
	m := &meter{c: c, in: in, report: r, table: report.Table{W: table, Bars: bars}}
	if problem != nil { // which listDevices has printed
		r.Notes = append(r.Notes, "not listed: "+oneLine(problem))
	}
	if reason != nil && (problem == nil || oneLine(reason) != oneLine(problem)) {
		m.note("not measured: %s", oneLine(reason))
	}
	if out.err != nil {
		return unused(exitUsage, out.err)
	}
	shown.show("making the values of the operands")
	tooLarge, err := in.generate(ctx, &m.c)
	shown.show("")
	if err != nil {
		return unused(exitUsage, err)
	}
	if tooLarge != nil {
		m.note("not measured: larger sizes: %s", oneLine(tooLarge))
	}
	fmt.Fprintf(table, "\n%s\n", report.Wrap(fmt.Sprintf("%s, %s values; each until the median is known to ±%.3g\u00a0%%, for %v, or %s",
		r.Activation, c.input, 100*c.precision, c.time, report.Plural(c.runs, "run")), ""))
	m.bar = newProgress(stderr, m.steps(targets))
	var failures []error
	for _, t := range targets {
		err := m.measure(ctx, t)
		if t.member {
			compute.Trim(t.Backend) // so that the Shard finds its memory free
		} else {
			err = errors.Join(err, t.Close())
		}
		if err != nil {
			failures = append(failures, err)
			m.note("not measured whole: %s", oneLine(err))
		}
	}
	m.bar.clear()
	if r.Interrupted = ctx.Err() != nil; r.Interrupted {
		r.Notes = append(r.Notes, "interrupted: what comes after that is missing")
	}
	r.Answers = r.Ask()
	r.WriteSummary(table)

	// The first of these that happened is the exit code.
	code := exitOK
	end := func(as int, err error) {
		fail(as, err)
		if code == exitOK {
			code = as
		}
	}
	for _, wrong := range m.wrong {
		end(exitWrong, fmt.Errorf("wrong result: %s", wrong))
	}
	for _, err := range failures {
		end(exitUnusable, err)
	}
	if err := m.write(npy); err != nil {
		end(exitUsage, err)
	}
	switch {
	case r.Interrupted && len(r.Results) == 0:
		end(exitInterrupted, errors.New("interrupted: nothing was measured"))
	case r.Interrupted:
		end(exitInterrupted, errors.New("interrupted: this is what was measured until then"))
	}
	if out.err != nil {
		end(exitUsage, out.err)
	}
	return code
}

// writeEmpty writes the file of -output for an input without values, and leaves all other
// files as they were. No device takes part.
func (c *config) writeEmpty(f *npyFile, npy *outputFile) error {
	c.abandonOutputs(nil)
	if npy == nil {
		return fmt.Errorf("%s: it has no values to measure", c.input)
	}
	data, err := f.withValues(nil)
	if err != nil {
		return err
	}
	return npy.replace(data)
}
