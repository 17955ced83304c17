package play

import (
	"math"
	"slices"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/form"
)

// others returns the activations of form.Family and form.Programs that are none of
// form.Activations.
func others() []compute.Activation {
	usual := form.Activations()
	return append(slices.DeleteFunc(form.Family(), func(f compute.Activation) bool { return slices.Contains(usual, f) }), form.Programs()...)
}

// few returns those of others that a backend is called with if it may take long to compile a
// kernel.
func few() []compute.Activation { return form.Programs()[2:5] }

// activation returns one of form.Activations, another one, LeakyReLU with any slope, or rarely an
// invalid one.
func (p *Player) activation() compute.Activation {
	s := &p.script
	slopes := []float32{0, 0.01, 1, 2.5, -0.5, float32(math.Copysign(0, -1)), math.MaxFloat32, math.SmallestNonzeroFloat32}
	choice := int(s.byte())
	quarter, kind := choice/64, choice%64
	switch {
	case kind < 16 && quarter == 0:
		functions := form.Activations()
		return functions[kind%len(functions)]
	case kind < 16:
		return p.s.others[(16*(quarter-1)+kind)%len(p.s.others)]
	case kind < 48:
		return compute.LeakyReLU(slopes[kind%len(slopes)])
	case kind < 60:
		return compute.LeakyReLU(s.float())
	case kind == 60:
		return compute.LeakyReLU(float32(math.NaN()))
	case kind == 61:
		return compute.LeakyReLU(float32(math.Inf(-1)))
	case kind == 62 && quarter%2 == 0:
		return compute.Activation{Kind: 255, Params: compute.LeakyReLU(0.5).Params}
	case kind == 62:
		f := form.Programs()[2]
		f.Params[3] = float32(math.Inf(1))
		return f
	}
	return compute.Activation{}
}
