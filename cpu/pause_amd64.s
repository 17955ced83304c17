//go:build !purego

#include "textflag.h"

// func pause()
// It hints to the core that this is a spin loop, which leaves more of the core to its second
// thread.
TEXT ·pause(SB), NOSPLIT, $0-0
	PAUSE
	RET
