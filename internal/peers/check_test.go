package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/internal/testenv"
)

// TestCheck: peers pass if they differ as PyTorch and ONNX are known to, and not otherwise.
func TestCheck(t *testing.T) {
	b := testenv.Open(t, cpu.Open)
	for _, test := range []struct{ torch, onnx, err string }{
		{"right", "onnx", ""},
		{"wrong", "onnx", "forward, slope 0.01"},
		{"right", "wrong", "forward, slope 1,"},
		{"right", "right", "forward, slope 2.5"}, // ONNX has no -0
		{"onnx", "onnx", "forward, slope -0.5"},  // PyTorch has
		{"broken", "onnx", "no memory"},
	} {
		t.Setenv("PEER", test.torch)
		torch := startPeer([]string{os.Args[0]})
		t.Setenv("PEER", test.onnx)
		onnx := startPeer([]string{os.Args[0]})
		var out strings.Builder
		err := check(b, torch, onnx, &out)
		torch.stop()
		onnx.stop()
		if got := fmt.Sprint(err); test.err == "" && err != nil || !strings.Contains(got, test.err) {
			t.Errorf("PyTorch %s, ONNX %s: %v, want %q", test.torch, test.onnx, err, test.err)
		}
		if test.err == "" && strings.Count(out.String(), " 1001764 | ") != 3*5 {
			t.Errorf("not three operations of five slopes:\n%s", &out)
		}
	}
	if err := check(b, startPeer([]string{"./none"}), startPeer([]string{"./none"}), io.Discard); err == nil {
		t.Error("missing peers are not an error")
	}
}
