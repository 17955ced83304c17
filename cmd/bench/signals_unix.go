//go:build unix

package main

import (
	"context"
	"os/signal"
	"syscall"
)

// untilHangup returns a context that ends when the terminal hangs up, as when an ssh
// connection drops, or when nothing reads standard output any more. It ignores repeated
// signals, so that files are still written, and hangups under nohup.
func untilHangup(parent context.Context) (context.Context, context.CancelFunc) {
	if signal.Ignored(syscall.SIGHUP) {
		return signal.NotifyContext(parent, syscall.SIGPIPE)
	}
	return signal.NotifyContext(parent, syscall.SIGPIPE, syscall.SIGHUP)
}
