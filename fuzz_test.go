package compute_test

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/play"
	"github.com/gmind-go/compute/internal/progtest"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/values"
)

// A kept backend is opened once for many inputs of a fuzzer: to open a device takes longer
// than a test of one input.
type kept struct {
	open     compute.Opener
	b, other compute.Backend // other has foreign buffers
}

// keptBackends returns the loaded backends that this machine has. They are closed at the end
// of the test.
func keptBackends(tb testing.TB) []*kept {
	var list []*kept
	for _, on := range loaded {
		b, err := on.open()
		if errors.Is(err, compute.ErrUnavailable) && !errors.Is(err, compute.ErrDevice) && !testenv.Required() {
			tb.Logf("without %s: %v", on.name, err)
			continue
		}
		if err != nil {
			tb.Fatal(err)
		}
		k := &kept{open: on.open, b: b, other: testenv.Open(tb, on.open)}
		tb.Cleanup(func() {
			if err := k.b.Close(); err != nil {
				tb.Error(err)
			}
		})
		list = append(list, k)
	}
	return list
}

// play plays scripts on the backend, and opens it again if it was closed or is wrong.
func (k *kept) play(scripts [][]byte, closer int) error {
	s, err := play.NewSession(k.b, k.other)
	if err != nil {
		return err
	}
	wrong := s.Play(scripts, closer)
	if wrong != nil || s.Closed() {
		k.b.Close() // other inputs must not fail because of what is left on it
		var b compute.Backend
		if b, err = k.open(); err == nil {
			k.b = b
		}
	}
	return errors.Join(wrong, s.End(), err)
}

// FuzzElements: every form is right for any bits, length, slope and alignment of the
// slices; from the offset 128 on, of all functions, and of programs. x has the bits of the operands, which repeat.
func FuzzElements(f *testing.F) {
	backends := keptBackends(f)
	raw := func(v ...float32) []byte {
		b, _ := binary.Append(nil, binary.LittleEndian, v)
		return b
	}
	f.Add(raw(1, -2, 3), math.Float32bits(0.01), uint32(0), byte(0))
	f.Add(raw(values.Special()...), math.Float32bits(-0.5), uint32(1000), byte(1))
	f.Add(raw(values.Normal(130, 1)...), math.Float32bits(2.5), uint32(16385), byte(3))
	f.Add(raw(values.Special()...), uint32(len(form.Family())+2), uint32(100), byte(130)) // a program
	f.Fuzz(func(t *testing.T, x []byte, slope, length uint32, offset byte) {
		if len(x) < 4 {
			return
		}
		few := make([]float32, len(x)/4)
		binary.Decode(x, binary.LittleEndian, few)
		n := max(len(few), int(length%70_000))
		host := make([]float32, int(offset)+n)
		xs, dys := host[offset:], make([]float32, n)
		for i := range xs {
			xs[i], dys[i] = few[i%len(few)], few[(i*3+1)%len(few)]
		}
		f := compute.LeakyReLU(math.Float32frombits(slope))
		if functions := append(form.Family(), form.Programs()...); offset >= 128 {
			f = functions[slope%uint32(len(functions))]
		}
		for _, k := range backends {
			elements(t, k.b, f, xs, dys)
		}
	})
}

// elements runs every form of f on xs and dys.
func elements(t *testing.T, b compute.Backend, f compute.Activation, xs, dys []float32) {
	n, info := len(xs), b.Info()
	var args form.Args
	for _, o := range []form.Operand{form.X, form.DY, form.Y, form.D, form.DX} {
		buf, err := b.Upload(map[bool][]float32{true: xs, false: dys}[o == form.X])
		if err != nil {
			t.Fatal(err)
		}
		defer buf.Release()
		*args.Buffer(o) = buf
	}
	m, err := b.AllocMask(n)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Release()
	args.M = m

	want := error(nil)
	if f.Validate() != nil {
		want = compute.ErrSlope
	}
	got := make([]float32, n)
	refused := func(what string, err error) bool {
		if !errors.Is(err, want) {
			t.Fatalf("%s on %s: error %v, want %v", what, info.Name, err, want)
		}
		return want != nil
	}
	for _, fm := range form.AllOf(f) {
		if refused(fm.String(), fm.Run(b, f, args)) {
			continue
		}
		for _, o := range fm.Results() {
			wrong := ""
			if o == form.M {
				words := make([]uint64, form.MaskWords(n))
				err = m.Read(words)
				wrong = fm.WrongBits(f, words, xs, info.FlushesSubnormals)
			} else {
				err = (*args.Buffer(o)).Read(got)
				wrong = fm.Wrong(o, f, got, dys, xs, info.FlushesSubnormals)
			}
			if err != nil || wrong != "" {
				t.Fatalf("on %s: %v %s", info.Name, err, wrong)
			}
		}
	}
	for _, fm := range form.All() {
		op, ok := fm.Op()
		if !ok || refused("stream", b.Stream(context.Background(), op, f, got, xs)) {
			continue
		}
		if wrong := fm.Wrong(fm.Results()[0], f, got, dys, xs, info.FlushesSubnormals); wrong != "" {
			t.Fatalf("stream on %s: %s", info.Name, wrong)
		}
	}
}

// FuzzOperations makes right and wrong calls in any order, by up to four players at once, one
// of which may close the backend: see package play.
func FuzzOperations(f *testing.F) {
	backends := keptBackends(f)
	random := rand.NewChaCha8([32]byte{1})
	script := func() []byte { // about 60 calls
		s := make([]byte, 400)
		random.Read(s)
		return s
	}
	for closer := range 6 {
		f.Add(script(), script(), script(), script(), byte(closer))
		f.Add(script(), []byte{}, []byte{}, []byte{}, byte(closer))
	}
	f.Fuzz(func(t *testing.T, first, second, third, fourth []byte, closer byte) {
		scripts := slices.DeleteFunc([][]byte{first, second, third, fourth}, func(s []byte) bool { return len(s) == 0 })
		for _, k := range backends {
			if err := k.play(scripts, int(closer)-1); err != nil {
				t.Fatalf("on %s: %v", k.b.Info().Name, err)
			}
		}
	})
}

// FuzzPrograms: a random program, with operands in random places, is right.
func FuzzPrograms(f *testing.F) {
	backends := keptBackends(f)
	for seed := range uint64(10) {
		f.Add(seed * 8)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		for _, k := range backends {
			run := progtest.NewRunner(k.b)
			if err := errors.Join(progtest.One(seed, 1, run), run.Release()); err != nil {
				t.Fatal(err)
			}
		}
	})
}
