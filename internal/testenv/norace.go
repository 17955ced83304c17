//go:build !race

package testenv

// Raced tells that the race detector is on, which makes much memory slow.
const Raced = false
