package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/gmind-go/compute/cmd/bench/internal/report"
)

const compareUsage = `Usage: bench compare [-threshold T] [-relative] OLD.json NEW.json

Compares two reports of bench -json: for every measurement that is in both, the
median times, their ratio, and whether the runs differ by more than noise (the
Mann-Whitney U test at 0.01, corrected by Holm for the number of
measurements; p is the corrected one). "~" is within the noise.

  -threshold T   how much slower, beyond the noise, is a regression (5%)
  -relative      compare not times but parts of the limit that each report
                 measured, such as the copy of the same size: a machine differs
                 from hour to hour, and so do two machines

  bench -json old.json                             before a change, and after it
  bench -json new.json
  bench compare -threshold 10% old.json new.json

Exit code: 0 no regression; 1 a measurement is slower by more than the
threshold; 2 wrong usage or file, or reports that cannot be compared.
`

const exitSlower = 1 // as exitWrong, of another command

// compareCommand is the program as "bench compare"; it returns the exit code.
func compareCommand(args []string, stdout, stderr io.Writer) int {
	fail := func(err error) int {
		fmt.Fprintf(stderr, "bench: %s\n", oneLine(err))
		return exitUsage
	}
	threshold, relative, names, err := parseCompare(args)
	if errors.Is(err, flag.ErrHelp) {
		if _, err := fmt.Fprint(stdout, compareUsage); err != nil {
			return fail(err)
		}
		return exitOK
	}
	if err != nil {
		return fail(fmt.Errorf("%w (see bench compare -h)", err))
	}
	var reports [2]*report.Report
	for i, name := range names {
		if reports[i], err = report.ReadJSON(name); err != nil {
			return fail(err)
		}
	}
	c, err := report.Compare(reports[0], reports[1], threshold, relative)
	if err != nil {
		return fail(fmt.Errorf("%s and %s cannot be compared: %w", names[0], names[1], err))
	}
	var text bytes.Buffer
	for i, which := range []string{"old", "new"} {
		fmt.Fprintf(&text, "%s: %s, %s", which, names[i], reports[i].Time.UTC().Format("2006-01-02 15:04 UTC"))
		if commit := reports[i].Environment.Commit; commit != "" {
			fmt.Fprintf(&text, ", commit %s", commit)
		}
		fmt.Fprintln(&text)
	}
	fmt.Fprintln(&text)
	if err := c.WriteText(&text); err != nil {
		return fail(err)
	}
	if _, err := stdout.Write(text.Bytes()); err != nil {
		return fail(err)
	}
	if len(c.Regressions()) > 0 {
		return exitSlower
	}
	return exitOK
}

func parseCompare(args []string) (threshold float64, relative bool, names [2]string, err error) {
	threshold = 0.05
	fs := flag.NewFlagSet("bench compare", flag.ContinueOnError)
	fs.SetOutput(io.Discard) // the caller prints the error
	fs.Func("threshold", "", func(s string) (err error) { threshold, err = parseThreshold(s); return err })
	fs.BoolVar(&relative, "relative", false, "")
	if err := fs.Parse(args); err != nil {
		return 0, false, names, err
	}
	if fs.NArg() != len(names) {
		return 0, false, names, fmt.Errorf("two files should follow the flags, OLD.json and NEW.json, and not %d", fs.NArg())
	}
	copy(names[:], fs.Args())
	return threshold, relative, names, nil
}

// parseThreshold returns a part of a whole, given as 5% or 0.05.
func parseThreshold(text string) (float64, error) {
	number, isPercent := strings.CutSuffix(text, "%")
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if isPercent {
		v /= 100
	}
	// 5 is likely to mean 5%.
	if err != nil || !(v >= 0) || math.IsInf(v, 0) || !isPercent && v >= 1 {
		return 0, errors.New("should be a part such as 5% or 0.05")
	}
	return v, nil
}
