//go:build opencl && cgo

package opencl

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/jgillich/go-opencl/cl"
)

// TestSharesMemory: what a device behind a network says of its memory is not so here.
func TestSharesMemory(t *testing.T) {
	const (
		local  = "OpenCL 3.0 PoCL HSTR: pthread-x86_64-pc-linux-gnu-skylake-avx512"
		remote = local + " HSTR: pocl-remote: pthread-skylake-avx512-AMD EPYC"
	)
	for _, test := range []struct {
		t       Type
		unified bool
		version string
		want    bool
	}{
		{GPU, false, "OpenCL 3.0 CUDA", false},
		{GPU, true, "OpenCL 3.0 NEO", true},
		{CPU, true, local, true},
		{CPU, false, local, true},
		{CPU, true, remote, false},
		{CPU, false, remote, false},
		{GPU, true, remote, false},
	} {
		if got := sharesMemory(test.t, test.unified, test.version); got != test.want {
			t.Errorf("a %s, unified %v, %q: %v, want %v", test.t, test.unified, test.version, got, test.want)
		}
	}
}

func TestSoftware(t *testing.T) {
	for _, test := range []struct {
		bits cl.DeviceType
		name string
		want bool
	}{
		{cl.DeviceTypeGPU, "NVIDIA H200", false},
		{cl.DeviceTypeGPU | cl.DeviceTypeDefault, "gfx1100", false},
		{cl.DeviceTypeGPU, "llvmpipe (LLVM 15.0.6, 256 bits)", true},
		{cl.DeviceTypeGPU | cl.DeviceTypeCPU | cl.DeviceTypeAccelerator | cl.DeviceTypeDefault, "Oclgrind Simulator", true},
		{cl.DeviceTypeGPU, "zink Vulkan 1.3(llvmpipe (LLVM 15.0.6, 256 bits))", true},
		{cl.DeviceTypeAccelerator, "FPGA", false},
		{cl.DeviceTypeAccelerator, "Intel(R) FPGA Emulation Device", true},
	} {
		if got := isSoftware(int64(test.bits), test.name); got != test.want {
			t.Errorf("%q of type %x: %v, want %v", test.name, int64(test.bits), got, test.want)
		}
	}
}

// TestHardware: an address or a UUID is read as each vendor's driver has it.
func TestHardware(t *testing.T) {
	words := func(words ...uint32) (bytes []byte) {
		for _, w := range words {
			bytes = binary.NativeEndian.AppendUint32(bytes, w)
		}
		return bytes
	}
	uuid := []byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
	amd := append(words(1, 0, 0, 0, 0), 0, 0x0a, 0x1f, 7)
	for name, test := range map[string]struct {
		answers map[uint32][]byte
		want    []string
	}{
		"Khronos":          {map[uint32][]byte{deviceVendorID: words(0x8086), devicePCIBusInfo: words(1, 0x65, 2, 3), deviceUUID: uuid}, []string{"PCI 0001:65:02.3 of vendor 8086", "UUID 0102030405060708090a0b0c0d0e0f10"}},
		"NVIDIA":           {map[uint32][]byte{deviceBusNV: words(0x65), deviceSlotNV: words(2<<3 | 1), deviceDomainNV: words(1)}, []string{"PCI 0001:65:02.1 of vendor 0000"}},
		"NVIDIA, older":    {map[uint32][]byte{deviceBusNV: words(0x65), deviceSlotNV: words(0)}, []string{"PCI 0000:65:00.0 of vendor 0000"}},
		"AMD":              {map[uint32][]byte{deviceTopologyAMD: amd}, []string{"PCI 0000:0a:1f.7 of vendor 0000"}},
		"AMD, not on PCIe": {map[uint32][]byte{deviceTopologyAMD: make([]byte, 24)}, nil},
		"no address":       {map[uint32][]byte{devicePCIBusInfo: make([]byte, 16)}, nil},
		"no UUID":          {map[uint32][]byte{deviceUUID: make([]byte, 16)}, nil},
		"says nothing":     {nil, nil},
	} {
		got := hardware(func(parameter uint32, value []byte) bool {
			answer := test.answers[parameter]
			return len(answer) == len(value) && copy(value, answer) > 0
		})
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}
