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
	npy.unmake()
	for _, o := range c.outputs {
		o.file.unmake()
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

// An outputFile is tried before anything is measured, so that a wrong name costs no time.
// A file that exists is left open, and keeps its contents until there is something to put
// in their place. One that does not exist is made only then, so that a process that is
// killed leaves no empty file.
type outputFile struct {
	io.Writer
	file *os.File // nil for standard output
	name string   // of a file that did not exist, else ""
}

// openOutput opens the file called name. "-" is stdout; "" gives nil.
func openOutput(name string, stdout io.Writer) (*outputFile, error) {
	switch name {
	case "":
		return nil, nil
	case "-":
		return &outputFile{Writer: stdout}, nil
	}
	o := &outputFile{}
	if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
		name = linked(name)
		o.name = name
	}
	var err error
	if o.file, err = os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o666); err != nil {
		return nil, err
	}
	o.Writer = o.file
	return o, nil
}

// linked returns the name that name, which may be a symbolic link to a file that does not
// exist, leads to.
func linked(name string) string {
	for range 40 { // as many as Linux follows
		link, err := os.Readlink(name)
		if err != nil {
			break
		}
		if !filepath.IsAbs(link) {
			link = filepath.Join(filepath.Dir(name), link)
		}
		name = link
	}
	return name
}

// unmake removes the file if it did not exist before.
func (o *outputFile) unmake() {
	if o == nil || o.name == "" || o.file == nil {
		return
	}
	o.file.Close()
	os.Remove(o.name)
	o.file = nil
}

// replace makes data all that the file holds, and closes it.
func (o *outputFile) replace(data []byte) (err error) {
	switch {
	case o == nil:
		return nil
	case o.name != "":
		if o.file, err = os.OpenFile(o.name, os.O_WRONLY|os.O_CREATE, 0o666); err != nil {
			return err
		}
		o.Writer = o.file
	case o.file == nil:
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
	if err != nil && o.name != "" {
		o.unmake() // rather than leave a part of it
		return err
	}
	return errors.Join(err, o.file.Close())
}

// is reports whether the file is the one called name.
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

// abandon closes the file and leaves it as it was.
func (o *outputFile) abandon() {
	if o == nil || o.file == nil {
		return
	}
	if o.name != "" {
		o.unmake()
		return
	}
	o.file.Close()
}
