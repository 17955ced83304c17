package main

import (
	"slices"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cmd/bench/internal/report"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/shard"
)

// far is the CPU backend, as if it were a device with memory of its own.
type far struct {
	compute.Backend
}

func (b far) Info() compute.Info {
	info := b.Backend.Info()
	info.Backend, info.SharedMemory = "opencl", false
	return info
}

// TestWithoutPeak: products on a Shard, which has no measure of their limit, have none.
func TestWithoutPeak(t *testing.T) {
	one, c, _ := onCPU(t, 1000, matMulOp, stepOp)
	b, err := shard.New(one, testenv.Open(t, cpu.Open))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	var ops []string
	for _, m := range measurements(b, c) {
		if m.flop != nil {
			ops = append(ops, m.op+m.limit)
		}
	}
	if !slices.Equal(ops, []string{matMulOp, stepOp}) {
		t.Errorf("measured, with their limits, are %q", ops)
	}
}

// TestMeasurements: the check of every measurement finds its result wrong without the call,
// and right after it.
func TestMeasurements(t *testing.T) {
	b, c, in := onCPU(t, 1000, append(opNames(), linearNames()...)...)
	all := &sets{}
	if err := all.add(b, in, 1000, 3); err != nil {
		t.Fatal(err)
	}
	s := all.take()
	list := measurements(far{b}, c)
	if len(list) != 4+2*3+4 {
		t.Fatalf("%d measurements", len(list))
	}
	defer all.release()
	for _, m := range list {
		if err := all.prepare(m); err != nil {
			t.Fatal(err)
		}
		if m.op == report.Peak { // it has no result
			continue
		}
		for _, calls := range []int{0, 1} {
			if err := m.spoil(s); err != nil {
				t.Fatal(err)
			}
			for range calls {
				if err := m.call(s); err != nil {
					t.Fatal(err)
				}
			}
			difference, err := m.difference(s)
			if err != nil || (difference == "") != (calls == 1) {
				t.Errorf("%s, data on the %s, after %d calls: %v, %q", m.op, m.data, calls, err, difference)
			}
			s.x().Write(s.x().host)
		}
	}
}

// TestResultsFlush: where a device flushes subnormal values, results are not checked if there is
// one, and only then.
func TestResultsFlush(t *testing.T) {
	b, c, in := onCPU(t, 1000, sumOp)
	all := &sets{}
	if err := all.add(b, in, 1000, 1); err != nil {
		t.Fatal(err)
	}
	defer all.release()
	s := all.take()
	r := linearMeasurements(b, c.ops)[0].check.(results)
	for _, subnormal := range []bool{false, true} {
		if subnormal {
			s.x().host[7] = 0x1p-140
		}
		for _, r.flushes = range []bool{false, true} {
			if err := r.spoil(s); err != nil {
				t.Fatal(err)
			}
			wrong, err := r.difference(s)
			if err != nil || (wrong == "") != (subnormal && r.flushes) {
				t.Errorf("subnormal %v, flushes %v: %q, %v", subnormal, r.flushes, wrong, err)
			}
		}
	}
}
