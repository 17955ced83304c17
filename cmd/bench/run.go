package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cmd/bench/internal/command"
	"github.com/gmind-go/compute/cmd/bench/internal/doctor"
	"github.com/gmind-go/compute/cmd/bench/internal/report"
)

// run is the command "bench" without a subcommand. It measures the targets that open opens,
// until ctx ends, and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer, open opener) int {
	c := newConfig()
	return command.Command{
		Name: "bench", Usage: usage, Flags: c.flags, Check: c.check,
		Run: func(out *command.Writer, fail func(int, error)) {
			c.run(ctx, args, out, stdout, stderr, open, fail)
		},
	}.Main(args, stdout, stderr)
}

func (c *config) run(ctx context.Context, args []string, out *command.Writer, stdout, stderr io.Writer, open opener, fail func(int, error)) {
	in, err := c.load()
	if err == nil {
		err = c.checkFiles()
	}
	if err != nil {
		fail(command.Usage, err)
		return
	}
	if in.npy != nil && len(in.npy.values) == 0 { // there is nothing to measure
		if err := c.writeEmpty(in.npy); err != nil {
			fail(command.Usage, err)
		}
		return
	}
	var table io.Writer = out
	bars := showsBars(stdout)
	if slices.ContainsFunc(c.outputs, func(o output) bool { return o.name == "-" }) { // standard output has that alone
		table, bars = stderr, showsBars(stderr)
	}

	start := time.Now()
	shown := status{w: stderr}
	shown.show("listing the OpenCL devices")
	found, avoid := findDevices(c)
	shown.show("")
	problem := listDevices(table, found)
	shown.show("opening the devices")
	targets, reason, err := open(c, avoid)
	shown.show("")
	defer func() {
		for _, t := range targets { // those that are not closed yet
			t.Close()
		}
	}()
	if err != nil {
		fail(command.Unusable, err)
		return
	}
	measured := slices.DeleteFunc(slices.Clone(targets), func(t target) bool { return t.limits })
	if c.output != "" && len(measured) > 1 {
		fail(command.Usage, fmt.Errorf("-output holds one result, but there are %d devices; name one with -device", len(measured)))
		return
	}
	r := &report.Report{
		Schema: report.Version, Time: start.UTC().Truncate(time.Second), Command: append([]string{"bench"}, args...),
		Environment: doctor.Environment(), Input: c.input, Precision: c.precision,
	}
	r.Operations = slices.DeleteFunc(slices.Clone(c.ops), func(op string) bool { return slices.Contains(opNames(), op) })
	if len(c.ops) > len(r.Operations) {
		r.Activation, r.Slope = compute.LeakyReLU(c.slope).String(), c.slope
	}
	for _, p := range c.programs {
		r.Programs = append(r.Programs, p.report())
	}
	m := &meter{c: c, in: in, report: r, table: report.Table{W: table, Bars: bars, Programs: r.Programs}}
	if problem != "" { // listDevices has printed it
		r.Notes = append(r.Notes, "not listed: "+problem)
	}
	if reason != nil && command.OneLine(reason) != problem {
		m.note("not measured: %s", command.OneLine(reason))
	}
	if out.Err != nil {
		return
	}
	shown.show("generating the input")
	tooLarge, err := in.generate(ctx, c)
	shown.show("")
	if err != nil {
		fail(command.Usage, err)
		return
	}
	if tooLarge != nil {
		m.note("not measured: larger sizes: %s", command.OneLine(tooLarge))
	}
	fmt.Fprintf(table, "\n%s\n", report.Wrap(fmt.Sprintf("%s, %s values; each until the median is known to ±%.3g\u00a0%%, for %v, or %s",
		r.Subject(), c.input, 100*c.precision, c.time, report.Plural(c.runs, "run")), ""))
	m.bar = newProgress(stderr, m.steps(targets))
	var failures []error
	for _, t := range targets {
		err := m.measure(ctx, t)
		if t.member {
			compute.Trim(t.Backend) // the Shard may need its memory
		} else {
			err = errors.Join(err, t.Close())
		}
		if err != nil {
			failures = append(failures, err)
			m.note("not measured completely: %s", command.OneLine(err))
		}
	}
	m.bar.clear()
	if r.Interrupted = ctx.Err() != nil; r.Interrupted {
		r.Notes = append(r.Notes, "interrupted: what comes after that is missing")
	}
	r.Answers = r.Ask()
	r.WriteSummary(table)

	for _, wrong := range m.wrong {
		fail(command.Wrong, fmt.Errorf("wrong result: %s", wrong))
	}
	for _, err := range failures {
		fail(command.Unusable, err)
	}
	if err := m.write(stdout); err != nil {
		fail(command.Usage, err)
	}
	switch {
	case r.Interrupted && len(r.Results) == 0:
		fail(command.Interrupted, errors.New("interrupted: nothing was measured"))
	case r.Interrupted:
		fail(command.Interrupted, errors.New("interrupted: this is what was measured until then"))
	}
}

// writeEmpty writes the file of -output for an input without values.
func (c *config) writeEmpty(f *npyFile) error {
	if c.output == "" {
		return fmt.Errorf("%s: it has no values to measure", c.input)
	}
	data, err := f.withValues(nil)
	if err != nil {
		return err
	}
	return replace(c.output, data)
}
