//go:build race

package model_test

// raced tells that the race detector is on.
const raced = true
