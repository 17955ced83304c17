//go:build !purego

#include "textflag.h"

// func pause()
// It hints to the core that this is a spin loop.
TEXT ·pause(SB), NOSPLIT, $0-0
	YIELD
	RET
