package report

import (
	"math"
	"strings"
	"testing"
)

// TestRelate: fractions of the limit, and implausible results.
func TestRelate(t *testing.T) {
	const launch = 1000
	for name, test := range map[string]struct {
		results []Result
		ofLimit float64 // of the last
		doubt   string  // in the last
	}{
		"as fast as the copy": {[]Result{timed(Copy, OnDevice, "", 8000, 5000), timed("forward", OnDevice, Copy, 8000, 5000)}, 1, ""},
		"half as fast":        {[]Result{timed(Copy, OnDevice, "", 8000, 5000), timed("forward", OnDevice, Copy, 8000, 10000)}, 0.5, ""},
		// 1000 for the launch, and 4000 for each 8000 bytes.
		"more bytes":           {[]Result{timed(Copy, OnDevice, "", 8000, 5000), timed("backward", OnDevice, Copy, 12000, 7000)}, 1, ""},
		"a little too fast":    {[]Result{timed(Copy, OnDevice, "", 8000, 5000), timed("forward", OnDevice, Copy, 8000, 4500)}, 5. / 4.5, ""},
		"faster than the copy": {[]Result{timed(Copy, OnDevice, "", 8000, 5000), timed("forward", OnDevice, Copy, 8000, 4000)}, 1.25, "faster than a copy on the device"},
		"more bytes, few":      {[]Result{timed(Copy, OnDevice, "", 8000, 5000), timed("backward", OnDevice, Copy, 12000, 5000)}, 1.4, ""},
		"more bytes, many":     {[]Result{timed(Copy, OnDevice, "", 80e6, 5e6), timed("backward", OnDevice, Copy, 120e6, 5.5e6)}, 7.4995 / 5.5, "faster than a copy on the device"},
		"all launch":           {[]Result{timed(Copy, OnDevice, "", 8000, 900), timed("backward", OnDevice, Copy, 12000, 900)}, 1, ""},
		"no copy":              {[]Result{timed("forward", OnDevice, Copy, 8000, 4000)}, 0, ""},
		"fewer bytes":          {[]Result{timed(Copy, OnDevice, "", 8000, 5000), timed("ordered", OnDevice, Copy, 4000, 3000)}, 1, ""},
		"fewer, too fast":      {[]Result{timed(Copy, OnDevice, "", 8000, 5000), timed("ordered", OnDevice, Copy, 4000, 2000)}, 1.5, "faster than a copy on the device"},
		"mostly one way": {[]Result{timed(Upload, OnHost, "", 4000, 3000), timed(Download, OnHost, "", 4000, 4000), timed(Transfer, OnHost, "", 8000, 7000),
			timed("ordered", OnHost, Transfer, 4125, 3000)}, 7. * 4125 / 8000 / 3, ""},
		"both ways at once": {[]Result{timed(Upload, OnHost, "", 4000, 3000), timed(Download, OnHost, "", 4000, 4000), timed(Transfer, OnHost, "", 8000, 7000),
			timed("forward", OnHost, Transfer, 8000, 4100)}, 7. / 4.1, ""},
		"faster than the bus": {[]Result{timed(Upload, OnHost, "", 4000, 3000), timed(Download, OnHost, "", 4000, 4000), timed(Transfer, OnHost, "", 8000, 7000),
			timed("forward", OnHost, Transfer, 8000, 3000)}, 7. / 3, "faster than the transfer of its data"},
	} {
		Relate(test.results, Device{LaunchNS: launch})
		r := test.results[len(test.results)-1]
		if math.Abs(r.OfLimit-test.ofLimit) > 1e-9 {
			t.Errorf("%s: %v of the limit, want %v", name, r.OfLimit, test.ofLimit)
		}
		if text := strings.Join(r.Doubts, "; "); (text != "") != (test.doubt != "") || !strings.Contains(text, test.doubt) {
			t.Errorf("%s: doubts %q, want %q", name, text, test.doubt)
		}
	}
}

// TestEvents: the events of the device compared with the clock of the host.
func TestEvents(t *testing.T) {
	for _, test := range []struct {
		events, clock float64
		doubt         bool
	}{
		{0, 0, false},               // no events
		{100_000, 101_000, false},   // they agree
		{110_000, 100_000, false},   // nearly
		{130_000, 100_000, true},    // more than has passed
		{40_000, 100_000, true},     // too little
		{500, 5_000, false},         // launches, which are not in the events
		{60_000, 100_000, false},    // a part
		{1_000_000, 100_000, true},  // another unit
		{100_000, 10_000_000, true}, // another unit
	} {
		r := []Result{{Op: "forward", Data: OnDevice, EventNS: test.events, EventClockNS: test.clock}}
		Relate(r, Device{LaunchNS: 1000})
		if doubt := len(r[0].Doubts) > 0; doubt != test.doubt {
			t.Errorf("%+v: doubts %q", test, r[0].Doubts)
		}
	}
}
