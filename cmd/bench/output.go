package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gmind-go/compute/cmd/bench/internal/report"
)

// An output is a form in which all results can be had, by a flag that names a file.
type output struct {
	flag  string
	write func(*report.Report, io.Writer) error
	name  string // "" if not asked for, "-" for standard output
	file  *outputFile
}

func newOutputs() []output {
	return []output{
		{flag: "json", write: (*report.Report).WriteJSON},
		{flag: "csv", write: (*report.Report).WriteCSV},
		{flag: "benchfmt", write: (*report.Report).WriteBenchfmt},
		{flag: "html", write: (*report.Report).WriteHTML},
		{flag: "plot"}, // whose name tells the format: see checkOutputs
	}
}

// checkOutputs tells what cannot be meant by the names of outputs, and chooses the format
// of the plot.
func checkOutputs(outputs []output) error {
	used := ""
	for i := range outputs {
		o := &outputs[i]
		if o.flag == "plot" && o.name != "" {
			format := strings.TrimPrefix(filepath.Ext(o.name), ".")
			if format != "svg" && format != "png" {
				return fmt.Errorf("-plot is %q and should be the name of an .svg or .png file", o.name)
			}
			o.write = func(r *report.Report, w io.Writer) error { return r.WritePlot(w, format, report.Light) }
		}
		switch {
		case o.name != "-":
		case used != "":
			return fmt.Errorf("-%s and -%s are both - for standard output, which takes one", used, o.flag)
		default:
			used = o.flag
		}
	}
	return nil
}

// openOutputs opens the files of all outputs that are asked for, and that of -output.
func (c *config) openOutputs(stdout io.Writer) (npy *outputFile, err error) {
	defer func() {
		if err != nil {
			c.abandonOutputs(npy)
			npy = nil
		}
	}()
	if npy, err = openOutput(c.output, nil); err != nil {
		return nil, err
	}
	for i := range c.outputs {
		o := &c.outputs[i]
		if o.file, err = openOutput(o.name, stdout); err != nil {
			return npy, err
		}
		names := []string{"input", c.input, "output", c.output}
		for _, before := range c.outputs[:i] {
			names = append(names, before.flag, before.name)
		}
		for k := 0; k < len(names); k += 2 {
			if o.file.is(names[k+1]) {
				return npy, fmt.Errorf("-%s names the file of -%s", o.flag, names[k])
			}
		}
	}
	return npy, nil
}

// abandonOutputs leaves all files as they were.
func (c *config) abandonOutputs(npy *outputFile) {
	npy.abandon()
	for _, o := range c.outputs {
		o.file.abandon()
	}
}

// writeOutputs writes r in all forms that are asked for.
func (c *config) writeOutputs(r *report.Report) error {
	var errs []error
	for _, o := range c.outputs {
		if o.file == nil {
			continue
		}
		var data bytes.Buffer
		if err := o.write(r, &data); err != nil {
			errs = append(errs, fmt.Errorf("-%s: %w", o.flag, err))
			o.file.abandon()
			continue
		}
		errs = append(errs, o.file.replace(data.Bytes()))
	}
	return errors.Join(errs...)
}

// An outputFile is opened before anything is measured, so that a wrong name costs
// no time, and keeps what it held until there is something to put in its place.
type outputFile struct {
	io.Writer
	file *os.File // nil for standard output
	made bool     // by this run
}

// openOutput opens the file called name. "-" is stdout; "" gives nil.
func openOutput(name string, stdout io.Writer) (*outputFile, error) {
	switch name {
	case "":
		return nil, nil
	case "-":
		return &outputFile{Writer: stdout}, nil
	}
	_, err := os.Stat(name)
	made := errors.Is(err, fs.ErrNotExist)
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	return &outputFile{f, f, made}, nil
}

// replace makes data all that the file holds, and closes it.
func (o *outputFile) replace(data []byte) error {
	if o == nil {
		return nil
	}
	if o.file == nil {
		_, err := o.Write(data)
		return err
	}
	info, err := o.file.Stat()
	regular := err == nil && info.Mode().IsRegular() // no pipe or terminal
	if regular {
		err = o.file.Truncate(0)
	}
	if err == nil {
		_, err = o.Write(data)
	}
	if err == nil && regular {
		err = o.file.Sync()
	}
	return errors.Join(err, o.file.Close())
}

// is tells whether the file is the one called name.
func (o *outputFile) is(name string) bool {
	if o == nil || o.file == nil {
		return false
	}
	mine, err := o.file.Stat()
	if err != nil || !mine.Mode().IsRegular() {
		return false
	}
	other, err := os.Stat(name)
	return err == nil && os.SameFile(mine, other)
}

// abandon closes the file as it was, or removes it if it was not there.
func (o *outputFile) abandon() {
	if o == nil || o.file == nil {
		return
	}
	o.file.Close()
	if o.made {
		os.Remove(o.file.Name())
	}
}
