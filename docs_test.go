package compute_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/function"
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
	code := regexp.MustCompile("(?s)\n```.*?\n```") // has calls of generic functions
	for document, text := range documents {
		for _, match := range links.FindAllStringSubmatch(code.ReplaceAllString(text, ""), -1) {
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
	file := regexp.MustCompile("`((?:backendtest|cmd|cpu|docs|examples|expr|gmind|gonum|gpu|internal|kernels|scripts|shard|train)/[\\w/.-]*\\w)`")
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

// TestDocumentedExamples: documents have the code of the examples, or a part of it.
func TestDocumentedExamples(t *testing.T) {
	const file = "example_test.go"
	for _, shown := range []struct {
		document, file, example string
		from, to                string // what the part begins with, and what follows it
	}{
		{document: "README.md", file: file, example: "Example"},
		{"README.md", file, "ExampleBackend_Run", "\tprelu := ", "\n\ty, dx := "},
		{document: "docs/leaky_relu.md", file: file, example: "ExampleLayer"},
		{document: "docs/programs.md", file: file, example: "ExampleBackend_Run"},
		{document: "docs/networks.md", file: "train/network_test.go", example: "Example_network"},
	} {
		source, err := os.ReadFile(shown.file)
		if err != nil {
			t.Fatal(err)
		}
		_, body, found := strings.Cut(string(source), "func "+shown.example+"() {\n")
		body, _, ended := strings.Cut(body, "\n}\n")
		if shown.from != "" {
			_, body, found = strings.Cut(body, shown.from)
			body, _, ended = strings.Cut(shown.from+body, shown.to)
		}
		if !found || !ended {
			t.Fatalf("%s has no func %s, or not the part of it that %s shows", shown.file, shown.example, shown.document)
		}
		text, err := os.ReadFile(shown.document)
		if err != nil {
			t.Fatal(err)
		}
		whole := "\n\nfunc main() {\n" + body + "\n}\n```"
		part := "```go" + strings.ReplaceAll("\n"+body, "\n\t", "\n") + "\n```"
		if !strings.Contains(string(text), whole) && !strings.Contains(string(text), part) {
			t.Errorf("%s shows %s neither as a program nor as its lines:\n%s", shown.document, shown.example, body)
		}
	}
}

// TestCookbook compares the cookbook of docs/programs.md with the examples of
// example_programs_test.go: it has the texts of the programs, and the calls of run.
func TestCookbook(t *testing.T) {
	const file = "example_programs_test.go"
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("docs/programs.md")
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), file, source, 0)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, d := range parsed.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && strings.HasPrefix(f.Name.Name, "Example") {
			want = append(want, recipe(source, f.Body)...)
		}
	}
	_, cookbook, _ := strings.Cut(string(page), "\n## Cookbook\n")
	var have []string
	for line := range strings.Lines(cookbook) {
		if code, ok := strings.CutPrefix(line, "    "); ok {
			have = append(have, strings.TrimSpace(code))
		}
	}
	for i := range min(len(have), len(want)) {
		if have[i] != want[i] {
			t.Fatalf("docs/programs.md has the line\n\t%s\nand %s has\n\t%s", have[i], file, want[i])
		}
	}
	if len(have) != len(want) || len(want) == 0 {
		t.Errorf("docs/programs.md has %d lines, and %s has %d", len(have), file, len(want))
	}
}

// recipe returns the lines of the texts that body parses, and then its calls of run.
func recipe(source []byte, body *ast.BlockStmt) (lines []string) {
	var calls []string
	ast.Inspect(body, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		switch f := call.Fun.(type) {
		case *ast.Ident:
			if f.Name == "run" {
				calls = append(calls, string(source[call.Pos()-1:call.End()-1]))
			}
		case *ast.SelectorExpr:
			if f.Sel.Name == "MustParse" {
				text, _ := strconv.Unquote(call.Args[0].(*ast.BasicLit).Value)
				for line := range strings.Lines(text) {
					lines = append(lines, strings.TrimSpace(line))
				}
			}
		}
		return true
	})
	return slices.Concat(lines, calls)
}

// TestDocumentedBits: the table of what training keeps has the activations with a bit.
func TestDocumentedBits(t *testing.T) {
	text, err := os.ReadFile("docs/training.md")
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for i, f := range function.All() {
		if (compute.Activation{Kind: compute.Kind(i + 1)}).HasBit() {
			want = append(want, f.Name)
		}
	}
	for line := range strings.Lines(string(text)) {
		if cells := strings.Split(line, "|"); len(cells) > 2 && strings.TrimSpace(cells[2]) == "bit" {
			got = append(got, strings.Split(strings.TrimSpace(cells[1]), ", ")...)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("docs/training.md: a bit is kept of %q, not of %q", want, got)
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
