//go:build race

package gpu

// raced tells that the race detector is on, which makes much memory slow.
const raced = true
