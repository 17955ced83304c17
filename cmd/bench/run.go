package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cmd/bench/internal/report"
)

// run is the program that measures, on the backends that choose opens; it returns
// the exit code.
func run(args []string, stdout, stderr io.Writer, choose chooser) int {
	fail := func(code int, err error) int {
		fmt.Fprintf(stderr, "bench: %s\n", oneLine(err))
		return code
	}
	c, err := parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, usage)
		return exitOK
	}
	if err != nil {
		return fail(exitUsage, fmt.Errorf("%w (see bench -h)", err))
	}
	in, err := c.load()
	if err != nil {
		return fail(exitUsage, err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // the second ends the program at once
	npy, err := c.openOutputs(stdout)
	if err != nil {
		return fail(exitUsage, err)
	}

	table := stdout
	for _, o := range c.outputs {
		if o.name == "-" {
			table = stderr // standard output is for that alone
		}
	}
	start := time.Now()
	found, avoid := findDevices(c)
	problem := listDevices(table, found)
	targets, reason, err := choose(c, avoid)
	if err != nil {
		c.abandonOutputs(npy)
		return fail(exitUnusable, err)
	}
	measured := slices.DeleteFunc(slices.Clone(targets), func(t target) bool { return t.limits })
	if c.output != "" && len(measured) > 1 {
		for _, t := range targets {
			t.Close()
		}
		c.abandonOutputs(npy)
		return fail(exitUsage, fmt.Errorf("-output holds one result, but there are %d devices; name one with -device", len(measured)))
	}
	tooLarge, err := in.generate(&c)
	if err != nil {
		c.abandonOutputs(npy)
		return fail(exitUsage, err)
	}

	r := &report.Report{
		Schema: report.Version, Time: start.UTC().Truncate(time.Second), Command: append([]string{"bench"}, args...),
		Environment: environment(), Activation: compute.LeakyReLU(c.slope).String(), Slope: c.slope,
		Input: c.input, Precision: c.precision,
	}
	m := &meter{c: c, in: in, report: r, table: report.Table{W: table, Bars: showsBars(table)}}
	if problem != nil { // which listDevices has printed
		r.Notes = append(r.Notes, "not listed: "+oneLine(problem))
	}
	if reason != nil && (problem == nil || oneLine(reason) != oneLine(problem)) {
		m.note("not measured: %s", oneLine(reason))
	}
	if tooLarge != nil {
		m.note("not measured: larger sizes: %s", oneLine(tooLarge))
	}
	fmt.Fprintf(table, "\n%s, %s values; each until the median is known to ±%.3g %%, for %v, or %d runs\n", r.Activation, c.input, 100*c.precision, c.time, c.runs)
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
	if r.Interrupted {
		end(exitInterrupted, errors.New("interrupted: this is what was measured until then"))
	}
	return code
}
