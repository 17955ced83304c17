package gpu

import (
	"errors"
	"strings"
	"testing"

	"github.com/gmind-go/compute"
)

func TestParseBytes(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "4096": 4096, "64Ki": 64 << 10, "64Mi": 64 << 20, "3Gi": 3 << 30,
		"": -1, "Mi": -1, "-1": -1, "1.5Gi": -1, "64MB": -1, "64 Mi": -1, "9999999999Gi": -1,
	} {
		got, ok := parseBytes(text)
		if ok != (want >= 0) || ok && got != want {
			t.Errorf("parseBytes(%q) is %d, %v", text, got, ok)
		}
	}
}

func TestOptions(t *testing.T) {
	for _, test := range []struct {
		o     Options
		env   string
		want  int64  // StreamMemory
		tells string // of the error
	}{
		{Options{}, "", defaultStreamMemory, ""},
		{Options{}, "1Mi", 1 << 20, ""},
		{Options{StreamMemory: 8192}, "1Mi", 8192, ""},
		{Options{StreamMemory: 4096}, "", 4096, ""},
		{Options{StreamMemory: 4095}, "", 0, "Options.StreamMemory is 4095 bytes"},
		{Options{StreamMemory: -1}, "", 0, "Options.StreamMemory is -1 bytes"},
		{Options{}, "lots", 0, StreamMemoryEnv + ` is "lots"`},
		{Options{}, "100", 0, StreamMemoryEnv + ` is "100"`},
	} {
		t.Setenv(StreamMemoryEnv, test.env)
		o, err := test.o.resolved()
		if test.tells == "" {
			if err != nil || o.StreamMemory != test.want {
				t.Errorf("%+v with %q is %+v, %v; want %d bytes", test.o, test.env, o, err, test.want)
			}
			continue
		}
		for _, open := range []compute.Opener{test.o.Open, func() (compute.Backend, error) { _, err := test.o.resolved(); return nil, err }} {
			_, err := open()
			if err == nil || errors.Is(err, compute.ErrUnavailable) || !strings.Contains(err.Error(), test.tells) {
				t.Errorf("%+v with %q: %v; want an error that tells %q and is no reason to fall back", test.o, test.env, err, test.tells)
			}
		}
	}
	t.Setenv(StreamMemoryEnv, "lots")
	if _, err := OpenDevice("any")(); err == nil || errors.Is(err, compute.ErrUnavailable) {
		t.Errorf("OpenDevice with a wrong %s: %v", StreamMemoryEnv, err)
	}
}
