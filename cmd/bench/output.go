package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
)

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
