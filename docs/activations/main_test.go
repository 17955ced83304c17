package main

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/internal/testenv"
)

// TestUpToDate: the committed page and figures are those that the program writes, and no others.
func TestUpToDate(t *testing.T) {
	dir := t.TempDir()
	if err := write(testenv.Open(t, cpu.Open), dir); err != nil {
		t.Fatal(err)
	}
	const figures = "activations/*.svg"
	written, err := filepath.Glob(filepath.Join(dir, figures))
	if err != nil || len(written) != len(rows) {
		t.Fatalf("%d figures of %d functions, %v", len(written), len(rows), err)
	}
	for _, file := range append(written, filepath.Join(dir, "activations.md")) {
		name, err := filepath.Rel(dir, file)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		kept, err := os.ReadFile(filepath.Join("..", name))
		if err != nil || !bytes.Equal(got, kept) {
			t.Errorf("docs/%s is out of date (%v); run go generate ./docs/activations", filepath.ToSlash(name), err)
		}
		if filepath.Ext(name) == ".svg" && len(got) > 6000 {
			t.Errorf("docs/%s has %d bytes, more than 6000", filepath.ToSlash(name), len(got))
		}
	}
	kept, err := filepath.Glob(filepath.Join("..", figures))
	if err != nil || len(kept) != len(written) {
		t.Errorf("docs/%s are %d files, want %d (%v); delete those of functions that are gone", figures, len(kept), len(written), err)
	}
}

// TestBranches: curves are cut at jumps, of which one side has the value, and only there.
func TestBranches(t *testing.T) {
	x := []float32{-2, -1, 0, 1, 2}
	of := func(f func(float32) float32) []branch {
		var y []float32
		for _, v := range x {
			y = append(y, f(v))
		}
		return branches(x, y, f)
	}
	if got := of(func(x float32) float32 { return x * x }); len(got) != 1 || len(got[0].points) != 5 {
		t.Errorf("the square has the branches %v", got)
	}
	sign := of(func(x float32) float32 {
		switch {
		case x < 0:
			return -1
		case x > 0:
			return 1
		}
		return 0
	})
	if len(sign) != 3 {
		t.Fatalf("the sign has the branches %v", sign)
	}
	for i, want := range []struct {
		left, right end
		points      int
	}{{border, limit, 3}, {attained, attained, 1}, {limit, border, 3}} {
		if got := sign[i]; got.left != want.left || got.right != want.right || len(got.points) != want.points {
			t.Errorf("branch %d of the sign is %v, want %v", i, got, want)
		}
	}
	parts := within(of(func(x float32) float32 { return x }), -0.5, 1.5)
	if len(parts) != 1 || parts[0].points[0] != (point{-0.5, -0.5}) || parts[0].points[3] != (point{1.5, 1.5}) {
		t.Errorf("x from -0.5 to 1.5 is %v", parts)
	}
}

// TestSimplify: what is left is within the tolerance of what was dropped.
func TestSimplify(t *testing.T) {
	var circle []point
	for i := range 100 {
		a := float64(i) / 32
		circle = append(circle, point{100 * math.Cos(a), 100 * math.Sin(a)})
	}
	got := simplify(circle, 0.1)
	if len(got) < 30 || len(got) > 60 || got[0] != circle[0] || got[len(got)-1] != circle[99] {
		t.Errorf("%d points are left of %d", len(got), len(circle))
	}
	if got := simplify([]point{{0, 0}, {1, 2}, {2, 4}, {3, 6}}, 0.1); len(got) != 2 {
		t.Errorf("of a line %v is left", got)
	}
}
