package compute_test

import (
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/backendtest"
	"github.com/gmind-go/compute/cpu"
)

func TestShardX(t *testing.T) {
	backendtest.Run(t, func() (compute.Backend, error) {
		a, _ := cpu.Open()
		b, _ := cpu.Open()
		return compute.Shard(a, b)
	})
}
