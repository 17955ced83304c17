//go:build !purego

#include "textflag.h"

// func pause()
// It tells the core that this is a waiting loop.
TEXT ·pause(SB), NOSPLIT, $0-0
	YIELD
	RET
