//go:build !race

package testenv

const Raced = false
