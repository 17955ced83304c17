package doctor

import (
	"bufio"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/klauspost/cpuid/v2"

	"github.com/gmind-go/compute/cmd/bench/internal/report"
	"github.com/gmind-go/compute/gpu"
	"github.com/gmind-go/compute/internal/host"
)

// Environment describes the machine and this program.
func Environment() report.Environment {
	cpu := cpuid.CPU
	e := report.Environment{
		Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH,
		CPU: cpu.BrandName, Cores: runtime.GOMAXPROCS(0),
		Caches: report.Caches{L1: max(cpu.Cache.L1D, 0), L2: max(cpu.Cache.L2, 0), L3: max(cpu.Cache.L3, 0)},
		Memory: host.Memory(),
		Commit: commit(), OpenCL: gpu.Built, Loader: loadedLoader(),
	}
	list, _ := drivers()
	for _, d := range list {
		e.Drivers = append(e.Drivers, d.String())
	}
	for _, name := range settings {
		if value, ok := os.LookupEnv(name); ok {
			e.Settings = append(e.Settings, name+"="+value)
		}
	}
	return e
}

// settings are the environment variables that change what is measured.
var settings = []string{
	gpu.DeviceEnv, gpu.StreamMemoryEnv, "GODEBUG", "GOMAXPROCS",
	vendorsEnv, vendorPathEnv, filenamesEnv, "POCL_DEVICES", "POCL_MAX_PTHREAD_COUNT", "CUDA_VISIBLE_DEVICES",
}

// commit returns the commit that the program was built from, with a + if the source was
// modified, or "" if it is not known.
func commit() string {
	revision, changed := "", ""
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = "+"
		}
	}
	if revision == "" {
		return ""
	}
	return revision + changed
}

// loadedLoader returns the file of the OpenCL loader that this process has loaded, or
// "" if there is none or the system does not report it.
func loadedLoader() string {
	f, err := os.Open("/proc/self/maps")
	if err != nil {
		return ""
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) >= 6 && strings.HasPrefix(filepath.Base(fields[5]), "libOpenCL.so") {
			return fields[5]
		}
	}
	return ""
}

// loaderFiles returns the files of OpenCL loaders in the usual places.
func loaderFiles() []string {
	patterns := []string{
		"/usr/lib/*/libOpenCL.so*", "/usr/lib64/libOpenCL.so*", "/usr/lib/libOpenCL.so*", "/usr/local/lib*/libOpenCL.so*",
		"/opt/*/lib*/libOpenCL.so*", "/usr/local/cuda*/lib64/libOpenCL.so*",
	}
	switch runtime.GOOS {
	case "windows":
		patterns = []string{filepath.Join(os.Getenv("SystemRoot"), "System32", "OpenCL.dll")}
	case "darwin":
		patterns = []string{"/System/Library/Frameworks/OpenCL.framework"}
	}
	var files []string
	for _, pattern := range patterns {
		found, _ := filepath.Glob(pattern) // the patterns are well-formed
		files = append(files, found...)
	}
	return files
}
