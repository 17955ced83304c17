//go:build opencl && cgo

package opencl

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/jgillich/go-opencl/cl"
)

// A Device is one OpenCL device of one platform, with its properties.
type Device struct {
	Platform      string // name of its platform
	PlatformIndex int    // in the order of the loader
	Name          string
	Vendor        string
	Driver        string // version

	Type         Type
	Memory       int64 // bytes
	MaxAlloc     int64 // bytes in one buffer
	SharedMemory bool  // it works in the memory of the host
	Software     bool  // a GPU or an accelerator by its type, which computes on the CPU
	MaxGroup     int   // most work-items in a work-group
	Units        int   // that work at once, each on a work-group
	Width        int   // of its vectors of float
	Parameters   int   // most bytes of arguments of a kernel

	Subnormals    bool  // it computes with subnormal float
	ExactDivision bool  // its division and square root of float are rounded to nearest, if a build asks for that
	Double        bool  // it computes with double
	Fused         bool  // it has an operation for fma
	Usable        error // nil, or why no program can be built for it

	// Hardware identifies a GPU or an accelerator whatever platform shows it, in several
	// ways, such as "PCI 0000:01:00.0". It is empty if the driver does not report it.
	Hardware []string

	device *cl.Device
}

// A Type is the kind of a device.
type Type string

// The types of devices, as compute.Info.Kind has them.
const (
	CPU         Type = "cpu"
	GPU         Type = "gpu"
	Accelerator Type = "accelerator"
	Other       Type = "other"
)

// Parameters of clGetDeviceInfo, from the OpenCL 1.2 specification, table 4.3.
// The binding's own getters panic where a query fails; its GetInfo methods return
// the error.
const (
	deviceType              = 0x1000
	deviceMaxComputeUnits   = 0x1002
	deviceMaxWorkGroupSize  = 0x1004
	deviceNativeWidthFloat  = 0x103A
	deviceMaxMemAllocSize   = 0x1010
	deviceGlobalMemSize     = 0x101F
	deviceMaxParameterSize  = 0x1017
	deviceSingleFPConfig    = 0x101B
	deviceDoubleFPConfig    = 0x1032
	deviceAvailable         = 0x1027
	deviceCompilerAvailable = 0x1028
	deviceName              = 0x102B
	deviceVendor            = 0x102C
	driverVersion           = 0x102D
	deviceVersion           = 0x102F
	deviceHostUnifiedMemory = 0x1035
)

// Bits of cl_device_fp_config.
const (
	fpDenorm                     = 1 << 0
	fpFMA                        = 1 << 5
	fpCorrectlyRoundedDivideSqrt = 1 << 7
)

// Devices lists the devices of all platforms, in the order of the loader. The
// error joins what could not be listed; devices that could are returned with
// it. No loader is an error that wraps compute.ErrUnavailable; no driver that finds a
// device is one for which IsNoDriver holds.
func Devices() ([]*Device, error) {
	if err := load(); err != nil {
		return nil, err
	}
	var platforms []*cl.Platform
	err := call(listPlatforms, func() (err error) {
		platforms, err = cl.GetPlatforms()
		return err
	})
	if err != nil {
		return nil, err
	}
	var list []*Device
	var failed []error
	for i, p := range platforms {
		platform := fmt.Sprintf("platform %d", i)
		if err := call("clGetPlatformInfo", func() error { platform = strings.TrimSpace(p.Name()); return nil }); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", platform, err))
		}
		var devices []*cl.Device
		err := call(listDevices, func() (err error) {
			devices, err = p.GetDevices(cl.DeviceTypeAll)
			return err
		})
		if err != nil && !isNoDevice(err) { // a platform without devices is no fault
			failed = append(failed, fmt.Errorf("%s: %w", platform, err))
		}
		for j, d := range devices {
			device, err := describe(platform, d)
			device.PlatformIndex = i
			if err != nil {
				failed = append(failed, fmt.Errorf("%s: device %d: %w", platform, j, err))
				continue
			}
			list = append(list, device)
		}
	}
	return list, errors.Join(failed...)
}

func describe(platform string, d *cl.Device) (*Device, error) {
	device := &Device{Platform: platform, device: d}
	err := call("clGetDeviceInfo", func() error {
		// What a driver may fail to say without being unusable is ignored.
		device.Vendor, _ = d.GetInfoString(deviceVendor)
		device.Driver, _ = d.GetInfoString(driverVersion)
		unified, _ := d.GetInfoBool(deviceHostUnifiedMemory)
		version, _ := d.GetInfoString(deviceVersion)

		units, _ := d.GetInfoUint(deviceMaxComputeUnits)
		device.Units = max(int(units), 1)
		width, _ := d.GetInfoUint(deviceNativeWidthFloat)
		device.Width = int(width)

		// Without the answer it has what OpenCL demands of a device, or less.
		single, _ := d.GetInfoUlong(deviceSingleFPConfig)
		double, _ := d.GetInfoUlong(deviceDoubleFPConfig)
		device.Subnormals = single&fpDenorm != 0
		device.ExactDivision = single&fpCorrectlyRoundedDivideSqrt != 0
		device.Fused = single&fpFMA != 0
		device.Double = double != 0
		if device.Parameters, _ = d.GetInfoSize(deviceMaxParameterSize); device.Parameters <= 0 {
			device.Parameters = 256
		}

		var bits int64
		var available, compiler bool
		var errs [7]error
		bits, errs[0] = d.GetInfoUlong(deviceType)
		device.Name, errs[1] = d.GetInfoString(deviceName)
		device.Memory, errs[2] = d.GetInfoUlong(deviceGlobalMemSize)
		device.MaxAlloc, errs[3] = d.GetInfoUlong(deviceMaxMemAllocSize)
		device.MaxGroup, errs[4] = d.GetInfoSize(deviceMaxWorkGroupSize)
		available, errs[5] = d.GetInfoBool(deviceAvailable)
		compiler, errs[6] = d.GetInfoBool(deviceCompilerAvailable)

		device.Type = typeOf(bits)
		device.SharedMemory = sharesMemory(device.Type, unified, version)
		device.Name = strings.TrimSpace(device.Name) // some drivers pad
		device.Vendor = strings.TrimSpace(device.Vendor)
		device.Driver = strings.TrimSpace(device.Driver)
		device.Software = device.Type != CPU && isSoftware(bits, device.Name)
		if device.Type != CPU && !device.Software {
			device.Hardware = hardware(func(parameter uint32, value []byte) bool { return deviceInfo(d, parameter, value) })
		}
		device.Memory = clamp(device.Memory)
		device.MaxAlloc = clamp(device.MaxAlloc)
		device.MaxGroup = max(device.MaxGroup, 1)
		switch {
		case !available:
			device.Usable = errors.New("its driver reports that CL_DEVICE_AVAILABLE is false")
		case !compiler:
			device.Usable = errors.New("its driver has no OpenCL C compiler (CL_DEVICE_COMPILER_AVAILABLE is false)")
		}
		for _, err := range errs {
			if err != nil {
				return err
			}
		}
		return nil
	})
	return device, err
}

// sharesMemory reports whether a device works in the memory of this host. A device of
// PoCL-Remote, on another host, reports the type and the memory that it has there; its
// version names the driver.
func sharesMemory(t Type, unified bool, version string) bool {
	return (unified || t == CPU) && !strings.Contains(version, "pocl-remote")
}

// isSoftware reports whether a device of that CL_DEVICE_TYPE and name computes on the CPU:
// one that is a CPU too, as oclgrind's, one of Mesa's renderers in software, which are of
// the type that their user names, or Intel's emulation of an FPGA.
func isSoftware(bits int64, name string) bool {
	for _, software := range []string{"llvmpipe", "softpipe", "FPGA Emulation"} {
		if strings.Contains(name, software) {
			return true
		}
	}
	return cl.DeviceType(bits)&cl.DeviceTypeCPU != 0
}

// Parameters that identify a device: of cl_khr_pci_bus_info, cl_nv_device_attribute_query,
// cl_amd_device_attribute_query and cl_khr_device_uuid.
const (
	deviceVendorID    = 0x1001 // cl_uint, of OpenCL 1.0
	devicePCIBusInfo  = 0x410F // four cl_uint: domain, bus, device, function
	deviceBusNV       = 0x4008 // cl_uint
	deviceSlotNV      = 0x4009 // cl_uint: device << 3 | function
	deviceDomainNV    = 0x400A // cl_uint
	deviceTopologyAMD = 0x4037 // cl_uint, 1 for PCIe; 17 bytes; bus, device, function
	deviceUUID        = 0x106A // 16 bytes
)

// hardware returns the Hardware of a device for which query fills value with the answer
// to a parameter, and reports whether it has one of that size.
func hardware(query func(parameter uint32, value []byte) bool) (ids []string) {
	word := binary.NativeEndian.Uint32
	var vendor [4]byte
	query(deviceVendorID, vendor[:]) // since not every driver reports the domain
	pci := func(domain, bus, device, function uint32) {
		if domain|bus|device|function != 0 { // which is no device, but an answer not given
			ids = append(ids, fmt.Sprintf("PCI %04x:%02x:%02x.%x of vendor %04x", domain, bus, device, function, word(vendor[:])))
		}
	}
	var bus, slot, domain [4]byte
	var address [16]byte
	var topology [24]byte
	switch {
	case query(devicePCIBusInfo, address[:]):
		pci(word(address[:]), word(address[4:]), word(address[8:]), word(address[12:]))
	case query(deviceBusNV, bus[:]) && query(deviceSlotNV, slot[:]):
		query(deviceDomainNV, domain[:]) // 0 if it does not say
		pci(word(domain[:]), word(bus[:]), word(slot[:])>>3, word(slot[:])&7)
	case query(deviceTopologyAMD, topology[:]) && word(topology[:]) == 1:
		pci(0, uint32(topology[21]), uint32(topology[22]), uint32(topology[23]))
	}
	var uuid [16]byte
	if query(deviceUUID, uuid[:]) && uuid != [16]byte{} {
		ids = append(ids, fmt.Sprintf("UUID %x", uuid))
	}
	return ids
}

// clamp undoes that the binding makes a size of 2^63 bytes and more negative.
func clamp(bytes int64) int64 {
	if bytes < 0 {
		return math.MaxInt64
	}
	return bytes
}

// typeOf reads CL_DEVICE_TYPE, a set of bits: a device may be CPU and default.
func typeOf(bits int64) Type {
	switch t := cl.DeviceType(bits); {
	case t&cl.DeviceTypeGPU != 0:
		return GPU
	case t&cl.DeviceTypeAccelerator != 0:
		return Accelerator
	case t&cl.DeviceTypeCPU != 0:
		return CPU
	}
	return Other
}
