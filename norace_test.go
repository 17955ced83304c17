//go:build !race

package compute_test

const raced = false
