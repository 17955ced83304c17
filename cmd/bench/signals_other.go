//go:build !unix

package main

import "context"

// untilHangup returns a context that ends with parent: this system has no signal for a
// hangup.
func untilHangup(parent context.Context) (context.Context, context.CancelFunc) {
	return context.WithCancel(parent)
}
