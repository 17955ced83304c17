// Package train has losses, steps of optimizers and random weights, as programs that any
// backend runs, and what takes more than one call: the softmax with its cross-entropy, and
// clipping by the norm.
//
// The programs are ordinary ones, of package expr: their text is the definition, they can be
// differentiated, and called with F32, Row and Col where that fits. The results have the same
// bits on every backend. No call reads from the device, so a step of training stays there.
//
// docs/networks.md shows a whole step. docs/programs.md explains programs.
package train
