package cpu

import (
	"errors"

	"github.com/gmind-go/compute"
)

var errTODO = errors.New("not there yet")

func (b *backend) ForwardDerivative(f compute.Activation, y, d, x compute.Buffer) error {
	return errTODO
}
func (b *backend) AllocMask(n int) (compute.Mask, error) { return nil, errTODO }
func (b *backend) ForwardMask(f compute.Activation, y compute.Buffer, m compute.Mask, x compute.Buffer) error {
	return errTODO
}
func (b *backend) BackwardMask(f compute.Activation, dx, dy compute.Buffer, m compute.Mask) error {
	return errTODO
}
