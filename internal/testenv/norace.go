//go:build !race

package testenv

// Raced reports whether the race detector is on, which makes use of much memory slow.
const Raced = false
