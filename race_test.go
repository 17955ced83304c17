//go:build race

package compute_test

// raced tells that the race detector is on, which makes much memory slow.
const raced = true
