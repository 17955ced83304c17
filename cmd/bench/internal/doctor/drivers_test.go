package doctor

import (
	"cmp"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestDrivers: the list has the drivers that loaders find.
func TestDrivers(t *testing.T) {
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		if list, where := drivers(); list != nil || where != "" {
			t.Errorf("%v, %q; want none", list, where)
		}
		return
	}
	t.Chdir(t.TempDir())
	dir, other := t.TempDir(), t.TempDir()
	a, b := filepath.Join(dir, "a.icd"), filepath.Join(other, "b.icd")
	for name, content := range map[string]string{a: "liba.so\n", b: " libb.so ", "here.icd": "libhere.so\n", filepath.Join(dir, "a.txt"): "x"} {
		if err := os.WriteFile(name, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	missing := filepath.Join(dir, "missing")
	for _, test := range []struct{ vendors, path, filenames, want string }{
		{dir, "", "", a + " liba.so"},
		{"", dir, "", a + " liba.so"},
		{other, dir, "", b + " libb.so"},
		{b, dir, "", b + " libb.so"},
		{"a.icd", dir, "", a + " liba.so"},
		{"here.icd", dir, "", "here.icd libhere.so"},
		{"libc.so", dir, "", "OCL_ICD_VENDORS libc.so"},
		{dir, other, "/x/libd.so:libe.so", "OCL_ICD_FILENAMES /x/libd.so, OCL_ICD_FILENAMES libe.so, " + a + " liba.so"},
		{"", missing, "", ""},
		{missing + ".icd", "", "", ""},
	} {
		t.Setenv(vendorsEnv, test.vendors)
		t.Setenv(vendorPathEnv, test.path)
		t.Setenv(filenamesEnv, test.filenames)
		list, where := drivers()
		var got []string
		for _, d := range list {
			got = append(got, d.file+" "+d.library())
		}
		if strings.Join(got, ", ") != test.want || where != cmp.Or(test.vendors, test.path) {
			t.Errorf("%+v: got %q of %s", test, got, where)
		}
	}
}
