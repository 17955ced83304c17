//go:build !purego

#include "textflag.h"

// func pause()
// It tells the core that this is a waiting loop, for the good of a second thread
// on the same core.
TEXT ·pause(SB), NOSPLIT, $0-0
	PAUSE
	RET
