//go:build !unix

package main

import "context"

// untilHangup returns a context that ends with parent: no signal reports a hangup here.
func untilHangup(parent context.Context) (context.Context, context.CancelFunc) {
	return context.WithCancel(parent)
}
