//go:build opencl && cgo

package gpu

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/gpu/internal/opencl"
	"github.com/gmind-go/compute/internal/linear"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/values"
)

// TestTiles multiplies with each tile, whatever the device.
func TestTiles(t *testing.T) {
	b := testenv.Open(t, OpenDevice("any"))
	m := &inside(b).multiplier
	m.launchFlop = 1 << 22 // some launches for a product
	all := slices.Clone(groupTiles)
	for _, width := range []int{4, 8, 16} {
		all = append(all, panelTiles[width])
	}
	if testing.Short() { // all takes long to compile
		all = []tile{groupTiles[0], groupTiles[3], panelTiles[4]}
	}
	for i, one := range all {
		t.Run(fmt.Sprintf("%dx%d", one.rows(), one.columns()), func(t *testing.T) {
			m.tiles = []tile{one}
			for transposes := range 4 {
				if one.depth > 0 && testing.Short() && transposes != i {
					continue // each is compiled
				}
				p := linear.Product{TransposeA: transposes&1 != 0, TransposeB: transposes&2 != 0}
				for _, shape := range [][3]int{{1, 1, 1}, {3, 300, 299}, {300, 299, 2}, {one.rows() + 1, 16, one.columns() + 1}, {2*one.rows() - 1, linear.Block + 20, one.columns()}} {
					p.M, p.K, p.N = shape[0], shape[1], shape[2]
					p.Accumulate = !p.Accumulate
					if err := multiplyViews(b, p); err != nil {
						t.Errorf("%+v: %v", p, err)
					}
				}
			}
			if len(m.unfit) > 0 {
				t.Errorf("it is not used: %v", m.unfit)
			}
		})
	}
}

// TestTilesFor: there are panels for vectors of any width that a driver may report.
func TestTilesFor(t *testing.T) {
	for width, want := range map[int]int{0: 4, 1: 4, 4: 4, 7: 4, 8: 8, 12: 8, 16: 16, 64: 16} {
		got := tilesFor(&opencl.Device{Type: opencl.CPU, Width: width})
		if !slices.Equal(got, []tile{panelTiles[want]}) {
			t.Errorf("for %d: %v, want panels for %d", width, got, want)
		}
	}
}

// TestInOrder: the first tile to try is the largest that keeps all units busy, and no larger one is
// compiled before it.
func TestInOrder(t *testing.T) {
	large, medium, small, least := groupTiles[0], groupTiles[1], groupTiles[2], groupTiles[3]
	panels := panelTiles[4]
	all := append(slices.Clone(groupTiles), panels)
	for _, test := range []struct {
		m, n, units int
		want        []tile
	}{
		{128, 128, 1, []tile{large, medium, small, least, panels}},
		{128, 128, 4, []tile{medium, small, least, large, panels}},
		{129, 127, 16, []tile{small, least, medium, large, panels}},
		{1, 1, 2, []tile{least, small, medium, large, panels}},
		{10000, 10000, 132, []tile{large, medium, small, least, panels}},
	} {
		if got := inOrder(all, linear.Product{M: test.m, K: 1, N: test.n}, test.units); !slices.Equal(got, test.want) {
			t.Errorf("%d by %d, for %d units: %v, want %v", test.m, test.n, test.units, got, test.want)
		}
	}
	if got := inOrder([]tile{panels}, linear.Product{M: 1, K: 1, N: 1}, 2); !slices.Equal(got, []tile{panels}) {
		t.Errorf("of panels alone: %v", got)
	}
}

// multiplyViews compares p with the reference, in views of larger buffers, whose other elements
// must stay.
func multiplyViews(b compute.Backend, p linear.Product) error {
	const before, after = 3, 5
	var all, views [3]compute.Buffer
	var host [3][]float32
	for i, n := range []int{p.M * p.N, p.M * p.K, p.K * p.N} {
		host[i] = values.Normal(before+n+after, uint64(i))
		var err error
		if all[i], err = b.Upload(host[i]); err != nil {
			return err
		}
		defer all[i].Release()
		if views[i], err = all[i].View(before, before+n); err != nil {
			return err
		}
		defer views[i].Release()
	}
	var options []compute.MatMulOption
	if p.TransposeA {
		options = append(options, compute.TransposeA)
	}
	if p.TransposeB {
		options = append(options, compute.TransposeB)
	}
	if p.Accumulate {
		options = append(options, compute.Accumulate)
	}
	l, _ := compute.As[compute.Linear](b)
	if err := l.MatMul(views[0], views[1], p.M, p.K, views[2], p.N, options...); err != nil {
		return err
	}
	linear.MatMul(p, host[0][before:], host[1][before:], host[2][before:])
	got := make([]float32, len(host[0]))
	if err := all[0].Read(got); err != nil {
		return err
	}
	for i, want := range host[0] {
		if !values.Same(got[i], want) {
			return fmt.Errorf("element %d of %d is %s, want %s", i-before, p.M*p.N, values.Show(got[i]), values.Show(want))
		}
	}
	return nil
}

// TestWrongProducts: a program that multiplies wrongly is found out, and another tile is taken, if
// one is right.
func TestWrongProducts(t *testing.T) {
	b := testenv.Open(t, OpenDevice("any"))
	if b.Info().FlushesSubnormals {
		t.Skip("NOT tested: what is wrong here are zeros that such a device may make of subnormals")
	}
	m := &inside(b).multiplier
	m.tiles = []tile{groupTiles[len(groupTiles)-1], panelTiles[4]}
	p := linear.Product{M: 5, K: 6, N: 7}
	change := func(source *string, from, to string) {
		if !strings.Contains(*source, from) {
			t.Fatalf("the source has no %q", from)
		}
		*source = strings.Replace(*source, from, to, 1)
	}
	change(&m.inTiles, ": -0.0f", ": 0.0f")
	if err := multiplyViews(b, p); err != nil {
		t.Error(err)
	}
	if len(m.codes) != 1 || len(m.unfit) != 1 {
		t.Errorf("%d programs are used, and %v, want one of two", len(m.codes), m.unfit)
	}
	m.release()
	change(&m.inPanels, "fused(v, w[j], s[i][j])", "v * w[j] + s[i][j]")
	if err := multiplyViews(b, p); !errors.Is(err, compute.ErrMiscompiled) {
		t.Errorf("with wrong programs alone: %v, want ErrMiscompiled", err)
	}
}
