package doctor

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// A driver is an OpenCL driver that the loader would load.
type driver struct {
	file    string // the .icd file, or the environment variable, that names the library
	content string // of the file; the first line is the library
}

func (d driver) library() string {
	line, _, _ := strings.Cut(d.content, "\n")
	return strings.TrimSpace(line)
}

func (d driver) String() string { return d.file + " (" + d.library() + ")" }

// The environment variables by which loaders find drivers.
const (
	vendorsEnv    = "OCL_ICD_VENDORS"    // a directory of .icd files; for the loader ocl-icd also one such file, or a library
	vendorPathEnv = "OPENCL_VENDOR_PATH" // the directory, where ocl-icd is not given vendorsEnv
	filenamesEnv  = "OCL_ICD_FILENAMES"  // additional libraries, for the loader of Khronos
)

// drivers returns the drivers that the loader would load, and the directory or file where
// it looks for them, "" on systems without .icd files. It leaves out what cannot be read,
// as the loader does.
func drivers() (list []driver, where string) {
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		return nil, ""
	}
	for _, library := range filepath.SplitList(os.Getenv(filenamesEnv)) {
		list = append(list, driver{filenamesEnv, library})
	}
	dir := "/etc/OpenCL/vendors"
	if path := os.Getenv(vendorPathEnv); path != "" {
		dir = path
	}
	where = dir
	if path := os.Getenv(vendorsEnv); path != "" {
		where = path
	}
	add := func(file string) bool {
		content, err := os.ReadFile(file)
		if err != nil || filepath.Ext(file) != ".icd" {
			return false
		}
		list = append(list, driver{file, string(content)})
		return true
	}
	entries, err := os.ReadDir(where)
	switch {
	case err == nil:
		for _, entry := range entries {
			add(filepath.Join(where, entry.Name()))
		}
	case where == dir:
	case filepath.Ext(where) != ".icd":
		list = append(list, driver{vendorsEnv, where})
	case filepath.Base(where) != where || !add(filepath.Join(dir, where)): // a bare name is looked up in the directory first
		add(where)
	}
	return list, where
}
