//go:build opencl && cgo && linux

package gpu

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/gmind-go/compute/internal/testenv"
)

// counted are the tests after each of which TestObjects counts.
var counted = map[string]func(*testing.T){
	"TestCompile":         TestCompile,
	"TestConformance":     TestConformance,
	"TestDevices":         TestDevices,
	"TestDivision":        TestDivision,
	"TestForgotten":       TestForgotten,
	"TestLargeBuffers":    TestLargeBuffers,
	"TestMiscompiled":     TestMiscompiled,
	"TestMoving":          TestMoving,
	"TestMovingAlways":    TestMovingAlways,
	"TestParameters":      TestParameters,
	"TestPeak":            TestPeak,
	"TestPool":            TestPool,
	"TestProfile":         TestProfile,
	"TestPrograms":        TestPrograms,
	"TestSlowDouble":      TestSlowDouble,
	"TestSmallGroup":      TestSmallGroup,
	"TestSoftFloat":       TestSoftFloat,
	"TestStarts":          TestStarts,
	"TestStreamCancelled": TestStreamCancelled,
	"TestStreamRefused":   TestStreamRefused,
	"TestStreamWaits":     TestStreamWaits,
	"TestStreamWays":      TestStreamWays,
	"TestTrimForMemory":   TestTrimForMemory,
	"TestTwoDevices":      TestTwoDevices,
	"TestWrongProducts":   TestWrongProducts,
}

// uncounted are the others.
var uncounted = []string{
	// They open no device.
	"TestChooser", "TestChooserForMemory", "TestCopyAll", "TestFlushingDevice", "TestInOrder", "TestMatching", "TestNothingToOpen", "TestOpenAll", "TestOpenSkipsBadDevices",
	"TestOptions", "TestParseBytes", "TestPlanPipelines", "TestPreferred", "TestRegisters", "TestSameHardware", "TestSoftware", "TestTilesFor", "TestTurnedOff", "TestUsableInPlace",
	// The processes that they start end without Close.
	"TestFallback", "TestOpenAllDevices",
	// They start such a process as TestObjects does, or are it.
	"TestFaults", "TestFaultSweep", "TestFaultsOfShard", "TestFaultsOfShardRuns", "TestObjects", "TestObjectsRuns",
	"TestOtherDevices", "TestOtherDevicesRuns",
	// It has kernels of several shapes, and the layer knows a program by its source alone.
	"TestEveryInput",
	// They take long, and make nothing that is not made above, or for an open that fails
	// in TestFaults.
	"TestEveryInputOfFunctions", "TestFamily", "TestFunctions", "TestHuge", "TestRandomPrograms", "TestSoak", "TestStreamLarge", "TestTiles", "TestWrongKernels",
	// They have kernels of a shape of their own, which the layer does not tell from others.
	"TestReduce", "TestViews",
}

// TestObjects runs tests of this package once more under the layer, which only counts
// here: after each of them every OpenCL object that it made is released.
func TestObjects(t *testing.T) {
	tests, err := exec.Command(os.Args[0], "-test.list=^Test").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range strings.Fields(string(tests)) {
		if counted[name] == nil && !slices.Contains(uncounted, name) {
			t.Errorf("%s is not among the tests that are counted, nor among those that are not", name)
		}
	}
	cmd, _ := layerCommand(t, "TestObjectsRuns")
	// Without kernels of other shapes, as the layer knows a program by its source alone; with
	// one amount of memory; and without more elements for the calls of other tests.
	cmd.Args = append(cmd.Args, "-test.short", "-test.skip=^TestObjectsRuns$/^TestConformance$/width|little|least|^TestObjectsRuns$/^TestConformance$/^staged$/^(Lengths|Programs|Rows)$")
	out, err := cmd.CombinedOutput()
	_, counts, ok := strings.Cut(string(out), "\nobjects: ")
	switch {
	case err != nil:
		t.Fatalf("%v\n%s", err, out)
	case !ok:
		t.Logf("%s", out)
		testenv.Lacking(t, "an OpenCL device, and a loader that knows layers")
	}
	counts, _, _ = strings.Cut(counts, "\n")
	t.Logf("%d tests made references to %s, and released all", len(counted), counts)
}

// TestObjectsRuns is what TestObjects runs.
func TestObjectsRuns(t *testing.T) {
	c := underLayer(t, 1)
	var made [len(kinds)]int32
	for _, name := range slices.Sorted(maps.Keys(counted)) {
		c.reset()
		t.Run(name, counted[name])
		if err := c.balance(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for kind := range kinds {
			made[kind] += c.created[kind].Load()
		}
	}
	fmt.Print("\nobjects:")
	for kind, name := range kinds {
		fmt.Printf(" %s %d", name, made[kind])
		if made[kind] == 0 {
			t.Errorf("no test made a %s", name)
		}
	}
	fmt.Println()
}
