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

// An output is a file that takes all results in one format.
type output struct {
	flag  string // that names the file
	write func(*report.Report, io.Writer) error
	name  string // "" is none, "-" is standard output
}

func newOutputs() []output {
	return []output{
		{flag: "json", write: (*report.Report).WriteJSON},
		{flag: "csv", write: (*report.Report).WriteCSV},
		{flag: "benchfmt", write: (*report.Report).WriteBenchfmt},
		{flag: "html", write: (*report.Report).WriteHTML},
		{flag: "plot"}, // see checkNames
	}
}

// checkNames checks the names of the outputs, and sets the format of the plot.
func checkNames(outputs []output) error {
	used := ""
	for i := range outputs {
		o := &outputs[i]
		if o.flag == "plot" && o.name != "" {
			format := strings.TrimPrefix(filepath.Ext(o.name), ".")
			if format != "svg" && format != "png" {
				return fmt.Errorf("-plot is %q and should be the name of an .svg or .png file", o.name)
			}
			o.write = func(r *report.Report, w io.Writer) error { return r.WritePlot(w, format) }
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

// checkFiles checks, before anything is measured, that all files can be written and that no
// two outputs are the same file. It leaves the files as they are.
func (c *config) checkFiles() error {
	type file struct {
		flag string
		info fs.FileInfo
	}
	var files []file
	if info, err := os.Stat(c.input); err == nil {
		files = append(files, file{"input", info})
	}
	for _, o := range append([]output{{flag: "output", name: c.output}}, c.outputs...) {
		if o.name == "" || o.name == "-" {
			continue
		}
		if info, err := os.Stat(o.name); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
			continue // to open and close a pipe would end its reader
		}
		f, isNew, err := create(o.name)
		if err != nil {
			return err
		}
		info, err := f.Stat()
		f.Close()
		if isNew {
			defer remove(f) // at the end, so that two names of one new file are found
		}
		if err != nil {
			return err
		}
		for _, other := range files {
			// -output may replace its input.
			if o.flag != "output" && os.SameFile(info, other.info) {
				return fmt.Errorf("-%s names the file of -%s", o.flag, other.flag)
			}
		}
		files = append(files, file{o.flag, info})
	}
	return nil
}

// writeOutputs writes r in all formats that are asked for.
func (c *config) writeOutputs(r *report.Report, stdout io.Writer) error {
	var errs []error
	for _, o := range c.outputs {
		if o.name == "" {
			continue
		}
		var data bytes.Buffer
		err := o.write(r, &data)
		switch {
		case err != nil:
			err = fmt.Errorf("-%s: %w", o.flag, err)
		case o.name == "-":
			_, err = stdout.Write(data.Bytes())
		default:
			err = replace(o.name, data.Bytes())
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// create opens the file called name, and makes it if there is none.
func create(name string) (f *os.File, isNew bool, err error) {
	_, err = os.Stat(name)
	isNew = errors.Is(err, fs.ErrNotExist)
	f, err = os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o666)
	return f, isNew, err
}

// remove removes a file, but not a symbolic link to it.
func remove(f *os.File) {
	if name, err := filepath.EvalSymlinks(f.Name()); err == nil {
		os.Remove(name)
	}
}

// replace makes data the contents of the file called name. A new file that cannot be
// written completely is removed.
func replace(name string, data []byte) error {
	f, isNew, err := create(name)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	regular := err == nil && info.Mode().IsRegular() // and no pipe or terminal
	if regular {
		err = f.Truncate(0)
	}
	if err == nil {
		_, err = f.Write(data)
	}
	if err == nil && regular {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err != nil && isNew {
		remove(f)
	}
	return err
}
