package main

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gmind-go/compute/cmd/bench/internal/command"
	rpt "github.com/gmind-go/compute/cmd/bench/internal/report"
)

// writeReport writes a report with a copy, and a forward that takes factor times as long. It
// returns the name of the file.
func writeReport(t *testing.T, seed uint64, factor float64) string {
	t.Helper()
	r := rpt.Report{
		Schema: rpt.Version, Activation: "LeakyReLU", Slope: 0.01, Input: "normal", Environment: rpt.Environment{Commit: "abc+"},
		Devices: []rpt.Device{{Name: "cpu avx2", Backend: "cpu"}},
		Results: []rpt.Result{{Op: rpt.Copy}, {Op: "forward", Limit: rpt.Copy}},
	}
	random := rand.New(rand.NewPCG(seed, 0))
	for i := range r.Results {
		res := &r.Results[i]
		res.Device, res.Data, res.Cache, res.N, res.Bytes, res.Verified = "cpu avx2", rpt.OnDevice, rpt.Warm, 1024, 8192, true
		for range 31 {
			ns := 100 + random.Float64()
			if res.Op == "forward" {
				ns *= factor
			}
			res.TimesNS = append(res.TimesNS, ns)
		}
		res.MedianNS = slices.Sorted(slices.Values(res.TimesNS))[15]
		res.OfLimit = r.Results[0].MedianNS / res.MedianNS
	}
	r.Results[0].OfLimit = 0
	var text bytes.Buffer
	if err := r.WriteJSON(&text); err != nil {
		t.Fatal(err)
	}
	return write(t, text.Bytes())
}

// TestCompareCommand: every exit code.
func TestCompareCommand(t *testing.T) {
	old, same, slow, little := writeReport(t, 1, 1), writeReport(t, 2, 1), writeReport(t, 3, 1.1), writeReport(t, 4, 1.03)
	garbage, missing := write(t, []byte("garbage")), filepath.Join(t.TempDir(), "missing.json")
	data, err := os.ReadFile(old)
	if err != nil {
		t.Fatal(err)
	}
	newer := write(t, bytes.Replace(data, []byte(`"schema": 1`), []byte(`"schema": 99`), 1))
	other := write(t, bytes.Replace(data, []byte(`"slope": 0.01`), []byte(`"slope": 0.5`), 1))
	for _, test := range []struct {
		args           []string
		code           int
		stdout, stderr string
	}{
		{[]string{old, old}, command.OK, "0 of 2 measurements slower by more than 5 %\n", ""},
		{[]string{old, same}, command.OK, "old: " + old + ", 0001-01-01 00:00 UTC, commit abc+\nnew: " + same + ",", ""},
		{[]string{old, slow}, command.Wrong, "1 of 2 measurements slower by more than 5 %; worst: forward 1Ki device warm (cpu avx2), +", ""},
		{[]string{slow, old}, command.OK, "  faster\n", ""},
		{[]string{old, little}, command.OK, "  slower\n", ""},
		{[]string{"-threshold", "0.02", old, little}, command.Wrong, "  slower!\n! slower by more than 2 %\n", ""},
		{[]string{"-threshold", "20 %", old, slow}, command.OK, "slower by more than 20 %\n", ""},
		{[]string{"-relative", old, slow}, command.Wrong, "1 of 1 measurement slower", ""},
		{[]string{"-h"}, command.OK, compareUsage, ""},
		{nil, command.Usage, "", "and not 0 (see bench compare -h)"},
		{[]string{old}, command.Usage, "", "and not 1"},
		{[]string{old, same, "-relative"}, command.Usage, "", "and not 3"},
		{[]string{"-threshold", "5", old, same}, command.Usage, "", "-threshold: should be a fraction such as 5% or 0.05"},
		{[]string{"-threshold", "-1%", old, same}, command.Usage, "", "-threshold"},
		{[]string{"-threshold", "NaN", old, same}, command.Usage, "", "-threshold"},
		{[]string{"-threshold", "inf%", old, same}, command.Usage, "", "-threshold"},
		{[]string{"-threshold", "%", old, same}, command.Usage, "", "-threshold"},
		{[]string{"-speed", old, same}, command.Usage, "", "-speed (see bench compare -h)"},
		{[]string{garbage, old}, command.Usage, "", garbage + ": not JSON"},
		{[]string{old, garbage}, command.Usage, "", garbage + ": not JSON"},
		{[]string{old, missing}, command.Usage, "", missing},
		{[]string{newer, old}, command.Usage, "", newer + ": written by a newer bench (schema 99"},
		{[]string{old, other}, command.Usage, "", old + " and " + other + " cannot be compared: the old report has slope 0.01"},
	} {
		var out, errs bytes.Buffer
		code := compare(test.args, &out, &errs)
		stdout, stderr := out.String(), errs.String()
		if code != test.code || !strings.Contains(stdout, test.stdout) && !strings.Contains(words(stdout), test.stdout) || !strings.Contains(stderr, test.stderr) {
			t.Errorf("bench compare %q: exit %d, stdout %s, stderr %s; want %d, %q, %q", test.args, code, stdout, stderr, test.code, test.stdout, test.stderr)
		}
		if bad := test.code == command.Usage; bad != (stdout == "") || bad != (strings.Count(stderr, "\n") == 1) {
			t.Errorf("bench compare %q: stdout %s, stderr %s; want one of them, an error in one line", test.args, stdout, stderr)
		}
	}
	if stdout, stderr, code := bench(t, "compare", old, slow); code != command.Wrong || !strings.Contains(stdout, "slower!") {
		t.Errorf("as a program: exit %d, %s%s", code, stdout, stderr)
	}
}
