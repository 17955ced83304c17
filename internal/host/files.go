package host

import (
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
)

// read returns the contents of a file, or "" if it cannot be read.
func (s system) read(name string) string {
	text, _ := os.ReadFile(string(s) + name)
	return string(text)
}

// number returns the number that a file has as text, or false if it has none.
func (s system) number(name string) (int64, bool) {
	n, err := strconv.ParseInt(strings.TrimSpace(s.read(name)), 10, 64)
	return n, err == nil && n >= 0
}

// meminfo returns the value of a line of /proc/meminfo, in bytes.
func (s system) meminfo(name string) (bytes int64, ok bool) {
	for line := range strings.Lines(s.read("/proc/meminfo")) {
		fields := strings.Fields(line)
		if len(fields) == 3 && fields[0] == name+":" && fields[2] == "kB" {
			kib, err := strconv.ParseInt(fields[1], 10, 64)
			return kib << 10, err == nil && kib >= 0 && kib < 1<<50
		}
	}
	return 0, false
}

// A group is a control group that limits the memory of this process, in bytes. The page
// cache does not count as used: the system reclaims it before it kills a process.
type group struct{ limit, used int64 }

// A hierarchy is a mounted file system of control groups.
type hierarchy struct {
	mount string
	own   string // the group of this process, relative to mount

	// Names of files, and of lines in memory.stat, by version of control groups.
	limit, used string
	files       []string
}

// unlimited is more than any machine has: version 1 has such a number if there is no limit.
const unlimited = 1 << 60

// groups returns the groups that limit this process: its own and their ancestors.
func (s system) groups() []group {
	var list []group
	for _, h := range s.hierarchies() {
		for dir := h.own; ; dir = path.Dir(dir) {
			at := path.Join(h.mount, dir) + "/"
			limit, limited := s.number(at + h.limit)
			if used, ok := s.number(at + h.used); limited && ok && limit < unlimited {
				list = append(list, group{limit, used - s.inFiles(at+"memory.stat", h.files)})
			}
			if dir == "/" {
				break
			}
		}
	}
	return list
}

func (s system) hierarchies() []hierarchy {
	var own1, own2 string // in /proc/self/cgroup
	for line := range strings.Lines(s.read("/proc/self/cgroup")) {
		parts := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		switch {
		case len(parts) < 3:
		case parts[1] == "":
			own2 = parts[2]
		case slices.Contains(strings.Split(parts[1], ","), "memory"):
			own1 = parts[2]
		}
	}
	var list []hierarchy
	above := map[string]bool{} // whether a mount has the group of this process, by version
	for line := range strings.Lines(s.read("/proc/self/mountinfo")) {
		where, what, _ := strings.Cut(line, " - ")
		at, of := strings.Fields(where), strings.Fields(what)
		if len(at) < 5 || len(of) < 3 {
			continue
		}
		h := hierarchy{mount: unescape(at[4])}
		own := own1
		switch {
		case of[0] == "cgroup" && slices.Contains(strings.Split(of[2], ","), "memory"):
			h.limit, h.used = "memory.limit_in_bytes", "memory.usage_in_bytes"
			h.files = []string{"total_inactive_file", "total_active_file"}
		case of[0] == "cgroup2":
			own = own2
			h.limit, h.used = "memory.max", "memory.current"
			h.files = []string{"inactive_file", "active_file"}
		default:
			continue
		}
		h.own = below(own, unescape(at[3]))
		above[h.limit] = above[h.limit] || h.own != ""
		list = append(list, h)
	}
	// In a container the path may be that of the host; the mount is then the group itself,
	// unless another mount has the group.
	list = slices.DeleteFunc(list, func(h hierarchy) bool { return h.own == "" && above[h.limit] })
	for i := range list {
		list[i].own = path.Join("/", list[i].own)
	}
	return list
}

// below returns the group own relative to the group root, or "" if it is not below.
func below(own, root string) string {
	if rest, ok := strings.CutPrefix(own, strings.TrimSuffix(root, "/")); ok && (rest == "" || rest[0] == '/') {
		return path.Clean("/" + rest)
	}
	return ""
}

// inFiles returns the bytes of the page cache: the sum of the named lines of memory.stat.
func (s system) inFiles(stat string, names []string) int64 {
	sum := int64(0)
	for line := range strings.Lines(s.read(stat)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && slices.Contains(names, name) {
			if n, err := strconv.ParseInt(value, 10, 64); err == nil && n > 0 {
				sum += n
			}
		}
	}
	return sum
}

// unescape decodes the escapes of /proc/self/mountinfo.
var unescape = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace
