package compute_test

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// files returns the contents of all files below the working directory that have the
// extension, by their paths with slashes.
func files(t *testing.T, extension string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && len(name) > 1 && name[0] == '.', entry.Name() == "bin", entry.Name() == "testdata":
			return fs.SkipDir
		case entry.IsDir() || path.Ext(name) != extension:
			return nil
		}
		text, err := os.ReadFile(name)
		found[filepath.ToSlash(name)] = string(text)
		return err
	})
	if err != nil || len(found) == 0 {
		t.Fatalf("%d files *%s, %v", len(found), extension, err)
	}
	return found
}

// TestLinks checks that every link in a document leads to a file and a heading that exist.
func TestLinks(t *testing.T) {
	documents := files(t, ".md")
	links := regexp.MustCompile(`\]\(([^)\s]*)\)`)
	for document, text := range documents {
		for _, match := range links.FindAllStringSubmatch(text, -1) {
			link := match[1]
			if strings.Contains(link, "://") {
				continue
			}
			target, anchor, found := strings.Cut(link, "#")
			file := document
			if target != "" {
				file = path.Join(path.Dir(document), target)
			}
			if _, err := os.Stat(file); err != nil {
				t.Errorf("%s: %s: %v", document, link, err)
			} else if found && !hasHeading(documents[file], anchor) {
				t.Errorf("%s: %s: %s has no such heading", document, link, file)
			}
		}
	}
}

// hasHeading reports whether a heading of text has the anchor, which GitHub makes of the
// lower-case letters and digits of the heading, with hyphens for spaces.
func hasHeading(text, anchor string) bool {
	headings := regexp.MustCompile(`(?m)^#+ (.*)$`)
	dropped := regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	for _, heading := range headings.FindAllStringSubmatch(text, -1) {
		if strings.ReplaceAll(dropped.ReplaceAllString(strings.ToLower(heading[1]), ""), " ", "-") == anchor {
			return true
		}
	}
	return false
}

// TestDocumentedNames checks that the tests and the paths that documents name exist. The
// changelog may name former ones.
func TestDocumentedNames(t *testing.T) {
	exists := map[string]bool{}
	definition := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	for _, source := range files(t, ".go") {
		for _, match := range definition.FindAllStringSubmatch(source, -1) {
			exists[match[1]] = true
		}
	}
	test := regexp.MustCompile(`\bTest[A-Z]\w*`)
	file := regexp.MustCompile("`((?:backendtest|cmd|cpu|docs|examples|expr|gmind|gonum|gpu|internal|kernels|scripts|shard)/[\\w/.-]*\\w)`")
	for document, text := range files(t, ".md") {
		if document == "CHANGELOG.md" {
			continue
		}
		for _, name := range test.FindAllString(text, -1) {
			if !exists[name] {
				t.Errorf("%s names %s, which does not exist", document, name)
			}
		}
		for _, match := range file.FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(match[1]); err != nil {
				t.Errorf("%s: %v", document, err)
			}
		}
	}
}

// TestDocumentedExamples: documents have the code of the examples.
func TestDocumentedExamples(t *testing.T) {
	source, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for document, example := range map[string]string{"README.md": "Example", "docs/leaky_relu.md": "ExampleLayer"} {
		_, body, found := strings.Cut(string(source), "func "+example+"() {\n")
		body, _, ended := strings.Cut(body, "\n}\n")
		if !found || !ended {
			t.Fatalf("example_test.go has no func %s", example)
		}
		text, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		whole := "\n\nfunc main() {\n" + body + "\n}\n```"
		part := "```go" + strings.ReplaceAll("\n"+body, "\n\t", "\n") + "\n```"
		if !strings.Contains(string(text), whole) && !strings.Contains(string(text), part) {
			t.Errorf("%s shows %s neither as a program nor as its lines:\n%s", document, example, body)
		}
	}
}

// TestDocumentedSpeed compares the factors in the README with the table that
// make bench-peers printed, in docs/performance.md.
func TestDocumentedSpeed(t *testing.T) {
	cells := func(file, heading string) (rows [][]string) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, table, found := strings.Cut(string(text), heading)
		if !found {
			t.Fatalf("%s has no %q", file, heading)
		}
		for line := range strings.Lines(table) {
			if fields := strings.Split(line, "|"); len(fields) > 6 && strings.Contains(line, "Mi") {
				rows = append(rows, fields)
			}
		}
		return rows
	}
	measured := map[string][]string{}
	for _, row := range cells("docs/performance.md", "<!-- make bench-peers -->") {
		measured[strings.TrimSpace(row[1])+strings.TrimSpace(row[2])] = row
	}
	shown := cells("README.md", "## Speed")
	if len(shown) != 6 {
		t.Errorf("the README shows %d rows, not 6", len(shown))
	}
	for _, row := range shown {
		from := measured[strings.TrimSpace(row[1])+strings.TrimSpace(row[2])]
		if from == nil {
			t.Errorf("docs/performance.md has nothing for%s", strings.Join(row, "|"))
			continue
		}
		// There the copy is followed by this library, oneDNN and PyTorch.
		for i, column := range []int{3, 5, 6} {
			if factor := strings.TrimSpace(row[3+i]); !strings.Contains(from[column], "("+factor+")") {
				t.Errorf("README: %s%s: %s is not in %s", row[1], row[2], factor, from[column])
			}
		}
	}
}
