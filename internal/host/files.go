package host

import (
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
)

// read returns the contents of a file, or nothing if it cannot be read.
func (s system) read(name string) string {
	text, _ := os.ReadFile(string(s) + name)
	return string(text)
}

// number returns the number of bytes in a file, or false if the file holds none.
func (s system) number(name string) (int64, bool) {
	n, err := strconv.ParseInt(strings.TrimSpace(s.read(name)), 10, 64)
	return n, err == nil && n >= 0
}

// meminfo returns a line of /proc/meminfo in bytes.
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

// A group is a control group that limits the memory of this process, in bytes. What
// holds copies of files does not count as used: the system takes it back before it ends
// a process.
type group struct{ limit, used int64 }

// A hierarchy is a mounted file system of control groups that limit memory.
type hierarchy struct {
	mount string
	own   string // the group of this process, relative to mount

	// What the two versions of control groups call files, and lines of memory.stat.
	limit, used string
	files       []string
}

// unlimited is more than any machine has: version 1 writes such a number for no limit.
const unlimited = 1 << 60

// groups returns the groups that limit this process: its own and those above.
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
	var own1, own2 string // as /proc/self/cgroup has them
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
	// In a container the path may be that of the host, and what is mounted is then the
	// group itself. Where a mount has the group, others are of other groups.
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

// inFiles returns the bytes that hold copies of files, by the lines of memory.stat.
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

// unescape resolves what /proc/self/mountinfo writes for spaces in names.
var unescape = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace
