package main

import (
	"encoding/binary"
	"flag"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cmd/bench/internal/command"
	"github.com/gmind-go/compute/internal/units"
)

// TestUsage: an error of the command line or of a file is one line, with exit code 2, before
// anything is measured.
func TestUsage(t *testing.T) {
	good := npyBytes("<f4", "(2,)", binary.LittleEndian, []float32{1, -1})
	in := write(t, good)
	out := filepath.Join(t.TempDir(), "y")
	const sixteen = "a, b, c, d, e, g, h, i, j, k, l, m, n, o, p, q"
	file := func(data []byte) []string { return []string{"-input", write(t, data)} }
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"-nonsense"}, "-nonsense"},
		{[]string{"nonsense"}, `"nonsense"`},
		{[]string{"-backend", "cuda"}, "should be cpu or opencl"},
		{[]string{"-backend", ""}, "should be cpu or opencl"},
		{[]string{"-backend", "cpu", "-device", "any"}, "-backend is cpu"},
		{[]string{"-device", ""}, "-device: should be an index"},
		{[]string{"-op", "sideways"}, `"sideways"`},
		{[]string{"-op", ""}, "should be forward or derivative or backward"},
		{[]string{"-program", ""}, "the text is empty"},
		{[]string{"-program", "f(x) =\nsigmod(x)"}, "line 2, column 1: sigmod is not a function; did you mean sigmoid?"},
		{[]string{"-program", "forward(x) = x"}, "another operation forward; give the program another name"},
		{[]string{"-program", "copy(x) = x"}, "another operation copy"},
		{[]string{"-program", "f(x) = x", "-program", "f(x) = 2*x"}, "another operation f"},
		{[]string{"-program", "func f(u uint32) (v uint32) { v = u; return }"}, "the result v of f is a uint32"},
		{[]string{"-program", "f(" + sixteen + ") = a+b"}, "f has 17 buffers and masks, and a call may have 16; name scalars with -scalars"},
		{[]string{"-program", "f(x, " + sixteen + ") = x", "-scalars", strings.ReplaceAll(sixteen, ", ", "=1,") + "=1,x=1"}, "f has 17 scalars, and a call may have 16"},
		{[]string{"-program", "f(x) = x", "-output", "y.npy", "-input", in, "-backend", "cpu"}, "leave out -program"},
		{[]string{"-program", "f(x) = x", "-scalars", "y=1"}, "-scalars: no program has an argument y"},
		{[]string{"-scalars", "s=1"}, "-scalars: no program has an argument s"},
		{[]string{"-program", "f(x) = x", "-scalars", "x"}, `"x" should be the name of an argument and a value, such as s=0.01`},
		{[]string{"-program", "f(x) = x", "-scalars", "x=1,x=2"}, "x has two values"},
		{[]string{"-program", "f(x) = x", "-scalars", "x=much"}, `it is no float32 (-scalars gives "much" to the argument x of f)`},
		{[]string{"-program", "f(x) = x", "-scalars", "x=1e99"}, "it is more than a float32 holds"},
		{[]string{"-program", "func f(u uint32) (y float32) { y = float32(u); return }", "-scalars", "u=-1"}, `it is no uint32`},
		{[]string{"-program", "func f(b bool) (y float32) { y = where(b, 1, 2); return }", "-scalars", "b=perhaps"}, `it is no bool`},
		{[]string{"-n", "0"}, `"0"`},
		{[]string{"-n", "-5"}, `"-5"`},
		{[]string{"-n", "1e6"}, `"1e6" should be digits alone, or followed by Ki, Mi or Gi`},
		{[]string{"-n", "1Ti"}, `"1Ti" should be digits alone, or followed by Ki, Mi or Gi`},
		{[]string{"-n", "1Ki,"}, `"" is not a number of elements`},
		{[]string{"-n", "99999999999Gi"}, `"99999999999Gi" is too large; the most is ` + units.Elements(maxSize)},
		{[]string{"-n", "9223372036854775807"}, `"9223372036854775807" is too large; the most is ` + units.Elements(maxSize)},
		{[]string{"-n", "9223372036854775808"}, `"9223372036854775808" is too large; the most is ` + units.Elements(maxSize)},
		{[]string{"-n", "16384,4097Gi"}, `"4097Gi" is too large; the most is ` + units.Elements(maxSize)},
		{[]string{"-runs", "0"}, "should be a whole number between 1 and 1000000"},
		{[]string{"-runs", "1000001"}, "should be a whole number between 1 and 1000000"},
		{[]string{"-runs", "few"}, "should be a whole number between 1 and 1000000"},
		{[]string{"-backend", "cpu", "-n", "1024Gi"}, ""}, // more than the memory of the machine, or than an int holds
		{[]string{"-input", in, "-json", in}, "-json names the file of -input"},
		{[]string{"-input", in, "-backend", "cpu", "-output", "-"}, "-output needs a file"},
		{[]string{"-timeout", "0s"}, "-timeout: should be a time above 0"},
		{[]string{"-timeout", "soon"}, `"soon"`},
		{[]string{"devices", "-timeout", "-1s"}, "-timeout: should be a time above 0"},
		{[]string{"devices", "-device", "any"}, "-device (see bench devices -h)"},
		{[]string{"devices", "0"}, `unexpected argument "0"`},
		{[]string{"-f", "sigmod"}, `"sigmod" is not a function; they are all, or leakyrelu, relu`},
		{[]string{"-f", ""}, `"" is not a function`},
		{[]string{"-f", "sigmoid,elu"}, `"elu" has 0 parameters; write elu(alpha)`},
		{[]string{"-f", "sigmoid(1)"}, `"sigmoid(1)" has 1 parameters; write sigmoid`},
		{[]string{"-f", "elu(1.5"}, `"elu(1.5" lacks a )`},
		{[]string{"-f", "elu(much)"}, `the alpha of "elu(much)" is not a number`},
		{[]string{"-f", "elu(1e99)"}, `is more than a float32 holds`},
		{[]string{"-f", "clip(2,1)"}, `give parameters with low <= high`},
		{[]string{"-f", "relu", "-input", in, "-output", out, "-backend", "cpu"}, "leave out -f"},
		{[]string{"-f", "relu", "-op", "sum,matmul"}, "-f names functions, but -op none of their operations"},
		{[]string{"-slope", "NaN"}, "slope not finite"},
		{[]string{"-slope", "Inf"}, "slope not finite"},
		{[]string{"-slope", "steep"}, `"steep" for flag -slope: is not a number, such as 0.01`},
		{[]string{"-slope", "1e99"}, `"1e99" for flag -slope: is more than a float32 holds`},
		{[]string{"-input", "cauchy"}, "cauchy"},
		{[]string{"-input", ""}, ""},
		{[]string{"-cache", "hot"}, `"hot"`},
		{[]string{"-precision", "0"}, `"0"`},
		{[]string{"-precision", "200%"}, `"200%" for flag -precision: should be above 0% and below 100%`},
		{[]string{"-precision", "fine"}, `"fine"`},
		{[]string{"-time", "0s"}, "-time: should be a time above 0"},
		{[]string{"-time", "5"}, "-time: needs a unit, as 5s or 5ms"},
		{[]string{"devices", "-timeout", "2.5"}, "-timeout: needs a unit, as 2.5s"},
		{[]string{"-time", "long"}, `"long"`},
		{[]string{"-json", "-", "-csv", "-"}, "-json and -csv are both -"},
		{[]string{"-plot", "r.gif"}, ".svg or .png"},
		{[]string{"-plot", "-"}, ".svg or .png"},
		{[]string{"-html", out, "-csv", filepath.Dir(out) + "/./y"}, "-html names the file of -csv"},
		{[]string{"compare", "one.json"}, "compare"},
		{[]string{"-json", filepath.Join(t.TempDir(), "no", "such.json")}, "such.json"},
		{[]string{"-output", "y.npy"}, "needs a file as -input"},
		{[]string{"-input", in, "-output", "y.npy"}, "needs -backend"},
		{[]string{"-input", in, "-output", "y.npy", "-backend", "cpu", "-op", "forward,backward"}, "holds one result"},
		{[]string{"-input", in, "-output", "y.npy", "-backend", "cpu", "-op", "sum"}, "sum has none; use -op forward"},
		{[]string{"-input", in, "-output", "y.npy", "-backend", "cpu", "-op", "step"}, "step has none"},
		{[]string{"-input", in, "-output", out, "-json", filepath.Dir(out) + "/./y", "-backend", "cpu"}, "-json names the file"},
		{[]string{"-input", in, "-n", "5"}, "leave out -n"},
		{[]string{"-input", filepath.Join(t.TempDir(), "missing.npy")}, "missing.npy"},
		{[]string{"-input", t.TempDir()}, ""},
		{file(nil), "not a NumPy file"},
		{file([]byte("x,y\n1,2\n")), "not a NumPy file"},
		{file(good[:7]), "not a NumPy file"},
		{file(good[:30]), "cut off, or not a NumPy file"},
		{file(good[:50]), "cut off, or not a NumPy file"},
		{file([]byte("\x93NUMPY\x01\x00\x04\x00abcd")), "not a NumPy file"},
		{file(good[:len(good)-1]), "cut off"},
		{file(append(good[:len(good):len(good)], 0)), "it has 9 bytes of values and should have 8"},
		{file(npyBytes("<f8", "(1,)", binary.LittleEndian, []float32{1, 2})), "not float32"},
		{file(npyBytes("<i4", "(2,)", binary.LittleEndian, []float32{1, 2})), "not float32"},
		{file(npyBytes("<f4", "(0,)", binary.LittleEndian, nil)), "no values"},
		{file(npyBytes("<f4", "(-2, -1)", binary.LittleEndian, []float32{1, 2})), "its shape"},
		{file(npyBytes("<f4", "(4294967296, 4294967296)", binary.LittleEndian, []float32{1, 2})), "in.npy"},
	} {
		stdout, stderr, code := bench(t, test.args...)
		stdout = strings.TrimPrefix(stdout, "devices\n  cpu\n") // some errors are found after the devices are listed
		if code != command.Usage || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, test.want) {
			t.Errorf("bench %q: exit %d, stdout %q, stderr %q; want exit 2 and one line with %q", test.args, code, stdout, stderr, test.want)
		}
		for _, jargon := range []string{"strconv", "parse error", "runtime error"} {
			if strings.Contains(stderr, jargon) {
				t.Errorf("bench %q: %s", test.args, stderr)
			}
		}
	}
	for want, args := range map[string][]string{"-device MATCH": {"-h"}, "dy of backward is x in reverse order": {"-h"}, "bench compare ": {"-h"}, "-timeout T": {"devices", "-h"}, "-threshold": {"compare", "-h"}} {
		stdout, _, code := bench(t, args...)
		if code != 0 || !strings.Contains(stdout, want) || strings.Count(stdout, "\n") > 43 {
			t.Errorf("bench %q: exit %d, %d lines, %s; want a screen with %q", args, code, strings.Count(stdout, "\n"), stdout, want)
		}
		for line := range strings.Lines(stdout) {
			if len(line) > 81 {
				t.Errorf("bench %q: too long for a terminal: %s", args, line)
			}
		}
	}
}

// TestFunctionsAndSums: with -f, the operations that are of no function are measured too.
func TestFunctionsAndSums(t *testing.T) {
	c := newConfig()
	c.functions, c.ops = []compute.Activation{compute.ReLU(), compute.ELU(1)}, []string{"forward", sumOp, matMulOp}
	if err := c.check(nil); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(c.ops, []string{sumOp, matMulOp}) || len(c.programs) != 2 || c.programs[1].name != "elu(1) forward" {
		t.Errorf("the operations are %q, and %d programs", c.ops, len(c.programs))
	}
}

// TestUsageIsComplete: -h prints every flag, and no other.
func TestUsageIsComplete(t *testing.T) {
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	newConfig().flags(fs)
	printed := map[string]bool{}
	for _, match := range regexp.MustCompile(`(?m)^  -.*FILE|^  -[a-z]+`).FindAllString(usage, -1) {
		for _, name := range regexp.MustCompile(`-[a-z]+`).FindAllString(match, -1) {
			printed[name[1:]] = true
		}
	}
	fs.VisitAll(func(f *flag.Flag) {
		if !printed[f.Name] {
			t.Errorf("-h does not print -%s", f.Name)
		}
		delete(printed, f.Name)
	})
	if len(printed) > 0 {
		t.Errorf("-h prints flags that do not exist: %v", printed)
	}
}
