package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// An icd is a driver that the OpenCL loader would load.
type icd struct {
	file    string // that names the library, or the environment variable that does
	content string // of the file: its first line is the library
}

// library returns the name of the driver's library.
func (d icd) library() string {
	line, _, _ := strings.Cut(d.content, "\n")
	return strings.TrimSpace(line)
}

// The environment variables by which loaders find drivers: a directory of .icd
// files, or for the loader ocl-icd also one such file, or a library; what ocl-icd
// has for the directory besides; and libraries to add, for the loader of Khronos.
const (
	vendorsEnv    = "OCL_ICD_VENDORS"
	vendorPathEnv = "OPENCL_VENDOR_PATH"
	filenamesEnv  = "OCL_ICD_FILENAMES"
)

// drivers returns the drivers that the loader would load, and where it looks for
// them, "" on systems that do without .icd files. What cannot be read here is not
// loaded either.
func drivers() (list []icd, where string) {
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		return nil, ""
	}
	for _, library := range filepath.SplitList(os.Getenv(filenamesEnv)) {
		list = append(list, icd{filenamesEnv, library})
	}
	dir := "/etc/OpenCL/vendors"
	if path := os.Getenv(vendorPathEnv); path != "" {
		dir = path
	}
	where = dir
	if path := os.Getenv(vendorsEnv); path != "" {
		where = path
	}
	entries, err := os.ReadDir(where)
	switch {
	case err == nil:
		for _, entry := range entries {
			list = appendFile(list, filepath.Join(where, entry.Name()))
		}
	case where == dir:
	case filepath.Ext(where) != ".icd":
		list = append(list, icd{vendorsEnv, where})
	default: // a name alone is looked for in the directory first
		n := len(list)
		if filepath.Base(where) == where {
			list = appendFile(list, filepath.Join(dir, where))
		}
		if len(list) == n {
			list = appendFile(list, where)
		}
	}
	return list, where
}

// appendFile appends the driver that file names, if it is an .icd file.
func appendFile(list []icd, file string) []icd {
	if filepath.Ext(file) != ".icd" {
		return list
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return list
	}
	return append(list, icd{file, string(content)})
}
