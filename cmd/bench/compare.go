package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"

	"github.com/gmind-go/compute/cmd/bench/internal/command"
	"github.com/gmind-go/compute/cmd/bench/internal/report"
)

const compareUsage = `Usage: bench compare [-threshold T] [-relative] OLD.json NEW.json

Compares two reports of bench -json. For every measurement in both, prints the
median times, their ratio, and whether the samples differ by more than noise
(the Mann-Whitney U test at 0.01, with Holm's correction for the number of
measurements; p is the corrected value). "~" means within the noise.

  -threshold T   a regression is slower than this, beyond the noise (5%)
  -relative      compare fractions of the limit, such as the copy, that each
                 report measured, instead of times: the speed of a machine
                 changes from hour to hour, and differs between machines

  bench -json old.json                             before a change, and after it
  bench -json new.json
  bench compare -threshold 10% old.json new.json

Exit code: 0 no regression; 1 a measurement is slower by more than the
threshold; 2 wrong usage or file, or reports that cannot be compared.
`

// compare is the command "bench compare". It returns the exit code.
func compare(args []string, stdout, stderr io.Writer) int {
	threshold, relative := 0.05, false
	var names []string
	return command.Command{
		Name: "bench compare", Usage: compareUsage,
		Flags: func(fs *flag.FlagSet) {
			fs.Func("threshold", "", func(s string) (err error) { threshold, err = parseFraction(s); return err })
			fs.BoolVar(&relative, "relative", false, "")
		},
		Check: func(args []string) error {
			if names = args; len(names) != 2 {
				return fmt.Errorf("two files should follow the flags, OLD.json and NEW.json, and not %d", len(names))
			}
			return nil
		},
		Run: func(out *command.Writer, fail func(int, error)) {
			text, regression, err := compareFiles(names[0], names[1], threshold, relative)
			if err != nil {
				fail(command.Usage, err)
			} else if _, err := out.Write(text); err == nil && regression {
				fail(command.Wrong, nil)
			}
		},
	}.Main(args, stdout, stderr)
}

// compareFiles returns what the command prints, and reports whether there is a regression.
func compareFiles(oldName, newName string, threshold float64, relative bool) (_ []byte, regression bool, err error) {
	old, err := report.ReadJSON(oldName)
	if err != nil {
		return nil, false, err
	}
	new, err := report.ReadJSON(newName)
	if err != nil {
		return nil, false, err
	}
	c, err := report.Compare(old, new, threshold, relative)
	if err != nil {
		return nil, false, fmt.Errorf("%s and %s cannot be compared: %w", oldName, newName, err)
	}
	var text bytes.Buffer // writing to it cannot fail
	head := func(which, name string, r *report.Report) {
		fmt.Fprintf(&text, "%s: %s, %s", which, name, r.Time.UTC().Format("2006-01-02 15:04 UTC"))
		if r.Environment.Commit != "" {
			fmt.Fprintf(&text, ", commit %s", r.Environment.Commit)
		}
		fmt.Fprintln(&text)
	}
	head("old", oldName, old)
	head("new", newName, new)
	fmt.Fprintln(&text)
	c.WriteText(&text)
	return text.Bytes(), len(c.Regressions()) > 0, nil
}
