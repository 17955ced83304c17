//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// Go's assembler lacks these two instructions. The arguments are numbers of
// vector registers, in its order: the result last. FCMGE0 makes a mask, all ones
// where n >= 0; a NaN is not.
#define FCMGE0(n, d)  WORD $(0x6ea0c800 | n<<5 | d)         // FCMGE Vd.4S, Vn.4S, #0.0
#define FMUL(m, n, d) WORD $(0x6e20dc00 | m<<16 | n<<5 | d) // FMUL Vd.4S, Vn.4S, Vm.4S

// Every kernel computes blocks of four vectors, then vectors, then elements, so that
// it accesses nothing outside of its operands. It loads all of a step before it stores
// any, since a result may replace an input.

// func leakyReLUForwardNEON(a *args)
TEXT ·leakyReLUForwardNEON(SB), NOSPLIT, $0-8
	MOVD  a+0(FP), R6
	MOVD  args_ptr(R6), R0
	MOVD  (args_ptr+8)(R6), R1
	MOVD  args_n(R6), R2
	FMOVS args_params(R6), F31
	VDUP  V31.S[0], V31.S4
	SUBS  $16, R2
	BLT   block_end

block:
	VLD1.P 64(R1), [V0.S4, V1.S4, V2.S4, V3.S4]
	FCMGE0(0, 4)
	FCMGE0(1, 5)
	FCMGE0(2, 6)
	FCMGE0(3, 7)
	FMUL(31, 0, 16)
	FMUL(31, 1, 17)
	FMUL(31, 2, 18)
	FMUL(31, 3, 19)

	// The product replaces x where the mask is clear.
	VBIF   V4.B16, V16.B16, V0.B16
	VBIF   V5.B16, V17.B16, V1.B16
	VBIF   V6.B16, V18.B16, V2.B16
	VBIF   V7.B16, V19.B16, V3.B16
	VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R0)
	SUBS   $16, R2
	BGE    block

block_end:
	ADD  $16, R2
	SUBS $4, R2
	BLT  vector_end

vector:
	VLD1.P 16(R1), [V0.S4]
	FCMGE0(0, 4)
	FMUL(31, 0, 16)
	VBIF   V4.B16, V16.B16, V0.B16
	VST1.P [V0.S4], 16(R0)
	SUBS   $4, R2
	BGE    vector

vector_end:
	ADDS $4, R2
	BEQ  done

element:
	FMOVS.P 4(R1), F0
	FCMPS   $(0.0), F0
	FMULS   F31, F0, F16
	FCSELS  GE, F0, F16, F0 // GE is false for a NaN
	FMOVS.P F0, 4(R0)
	SUBS    $1, R2
	BNE     element

done:
	RET

// func leakyReLUDerivativeNEON(a *args)
TEXT ·leakyReLUDerivativeNEON(SB), NOSPLIT, $0-8
	MOVD  a+0(FP), R6
	MOVD  args_ptr(R6), R0
	MOVD  (args_ptr+8)(R6), R1
	MOVD  args_n(R6), R2
	FMOVS args_params(R6), F31
	VDUP  V31.S[0], V31.S4
	FMOVS $1.0, F30
	VDUP  V30.S[0], V30.S4
	SUBS  $16, R2
	BLT   block_end

block:
	VLD1.P 64(R1), [V0.S4, V1.S4, V2.S4, V3.S4]
	FCMGE0(0, 0)
	FCMGE0(1, 1)
	FCMGE0(2, 2)
	FCMGE0(3, 3)

	// The mask becomes 1 where it is set and else the slope.
	VBSL   V31.B16, V30.B16, V0.B16
	VBSL   V31.B16, V30.B16, V1.B16
	VBSL   V31.B16, V30.B16, V2.B16
	VBSL   V31.B16, V30.B16, V3.B16
	VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R0)
	SUBS   $16, R2
	BGE    block

block_end:
	ADD  $16, R2
	SUBS $4, R2
	BLT  vector_end

vector:
	VLD1.P 16(R1), [V0.S4]
	FCMGE0(0, 0)
	VBSL   V31.B16, V30.B16, V0.B16
	VST1.P [V0.S4], 16(R0)
	SUBS   $4, R2
	BGE    vector

vector_end:
	ADDS $4, R2
	BEQ  done

element:
	FMOVS.P 4(R1), F0
	FCMPS   $(0.0), F0
	FCSELS  GE, F30, F31, F0
	FMOVS.P F0, 4(R0)
	SUBS    $1, R2
	BNE     element

done:
	RET

// func leakyReLUBackwardNEON(a *args)
TEXT ·leakyReLUBackwardNEON(SB), NOSPLIT, $0-8
	MOVD  a+0(FP), R6
	MOVD  args_ptr(R6), R0
	MOVD  (args_ptr+8)(R6), R3
	MOVD  (args_ptr+16)(R6), R1
	MOVD  args_n(R6), R2
	FMOVS args_params(R6), F31
	VDUP  V31.S[0], V31.S4
	SUBS  $16, R2
	BLT   block_end

block:
	VLD1.P 64(R1), [V0.S4, V1.S4, V2.S4, V3.S4]
	VLD1.P 64(R3), [V4.S4, V5.S4, V6.S4, V7.S4]
	FCMGE0(0, 0)
	FCMGE0(1, 1)
	FCMGE0(2, 2)
	FCMGE0(3, 3)
	FMUL(31, 4, 16)
	FMUL(31, 5, 17)
	FMUL(31, 6, 18)
	FMUL(31, 7, 19)

	// The product replaces dy where the mask is clear.
	VBIF   V0.B16, V16.B16, V4.B16
	VBIF   V1.B16, V17.B16, V5.B16
	VBIF   V2.B16, V18.B16, V6.B16
	VBIF   V3.B16, V19.B16, V7.B16
	VST1.P [V4.S4, V5.S4, V6.S4, V7.S4], 64(R0)
	SUBS   $16, R2
	BGE    block

block_end:
	ADD  $16, R2
	SUBS $4, R2
	BLT  vector_end

vector:
	VLD1.P 16(R1), [V0.S4]
	VLD1.P 16(R3), [V4.S4]
	FCMGE0(0, 0)
	FMUL(31, 4, 16)
	VBIF   V0.B16, V16.B16, V4.B16
	VST1.P [V4.S4], 16(R0)
	SUBS   $4, R2
	BGE    vector

vector_end:
	ADDS $4, R2
	BEQ  done

element:
	FMOVS.P 4(R1), F0
	FMOVS.P 4(R3), F4
	FCMPS   $(0.0), F0
	FMULS   F31, F4, F16
	FCSELS  GE, F4, F16, F4
	FMOVS.P F4, 4(R0)
	SUBS    $1, R2
	BNE     element

done:
	RET

// The kernels with a mask go from blocks to elements at once: a block is 16 bits of it.
// Bits are gathered and scattered with 1<<i in element i of a block.
DATA blockBits<>+0(SB)/4, $0x0001
DATA blockBits<>+4(SB)/4, $0x0002
DATA blockBits<>+8(SB)/4, $0x0004
DATA blockBits<>+12(SB)/4, $0x0008
DATA blockBits<>+16(SB)/4, $0x0010
DATA blockBits<>+20(SB)/4, $0x0020
DATA blockBits<>+24(SB)/4, $0x0040
DATA blockBits<>+28(SB)/4, $0x0080
DATA blockBits<>+32(SB)/4, $0x0100
DATA blockBits<>+36(SB)/4, $0x0200
DATA blockBits<>+40(SB)/4, $0x0400
DATA blockBits<>+44(SB)/4, $0x0800
DATA blockBits<>+48(SB)/4, $0x1000
DATA blockBits<>+52(SB)/4, $0x2000
DATA blockBits<>+56(SB)/4, $0x4000
DATA blockBits<>+60(SB)/4, $0x8000
GLOBL blockBits<>(SB), RODATA|NOPTR, $64

// func leakyReLUForwardMaskNEON(a *args)
TEXT ·leakyReLUForwardMaskNEON(SB), NOSPLIT, $0-8
	MOVD  a+0(FP), R6
	MOVD  args_ptr(R6), R0
	MOVD  (args_ptr+8)(R6), R3
	MOVD  (args_ptr+16)(R6), R1
	MOVD  args_n(R6), R2
	FMOVS args_params(R6), F31
	VDUP  V31.S[0], V31.S4
	MOVD  $blockBits<>(SB), R5
	VLD1  (R5), [V24.S4, V25.S4, V26.S4, V27.S4]

	// The last word may have fewer bits than are stored to it.
	SUBS $1, R2, R4
	BLT  cleared
	LSR  $6, R4
	MOVD ZR, (R3)(R4<<3)

cleared:
	SUBS $16, R2
	BLT  block_end

block:
	VLD1.P 64(R1), [V0.S4, V1.S4, V2.S4, V3.S4]
	FCMGE0(0, 4)
	FCMGE0(1, 5)
	FCMGE0(2, 6)
	FCMGE0(3, 7)
	FMUL(31, 0, 16)
	FMUL(31, 1, 17)
	FMUL(31, 2, 18)
	FMUL(31, 3, 19)

	// The product replaces x where the mask is clear.
	VBIF   V4.B16, V16.B16, V0.B16
	VBIF   V5.B16, V17.B16, V1.B16
	VBIF   V6.B16, V18.B16, V2.B16
	VBIF   V7.B16, V19.B16, V3.B16
	VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R0)

	// No two elements have the same bit, so that their sum is all of them.
	VAND   V24.B16, V4.B16, V4.B16
	VAND   V25.B16, V5.B16, V5.B16
	VAND   V26.B16, V6.B16, V6.B16
	VAND   V27.B16, V7.B16, V7.B16
	VORR   V4.B16, V5.B16, V4.B16
	VORR   V6.B16, V7.B16, V6.B16
	VORR   V4.B16, V6.B16, V4.B16
	VADDV  V4.S4, V4
	VMOV   V4.S[0], R5
	MOVH.P R5, 2(R3)
	SUBS   $16, R2
	BGE    block

block_end:
	ADDS $16, R2
	BEQ  done
	MOVD ZR, R4 // the bits that are left
	MOVD $1, R5 // the bit of the element

element:
	FMOVS.P 4(R1), F0
	FCMPS   $(0.0), F0
	FMULS   F31, F0, F16
	FCSELS  GE, F0, F16, F0 // GE is false for a NaN
	CSEL    GE, R5, ZR, R6
	ORR     R6, R4
	LSL     $1, R5
	FMOVS.P F0, 4(R0)
	SUBS    $1, R2
	BNE     element
	MOVH    R4, (R3)

done:
	RET

// func leakyReLUBackwardMaskNEON(a *args)
TEXT ·leakyReLUBackwardMaskNEON(SB), NOSPLIT, $0-8
	MOVD  a+0(FP), R6
	MOVD  args_ptr(R6), R0
	MOVD  (args_ptr+8)(R6), R1
	MOVD  (args_ptr+16)(R6), R3
	MOVD  args_n(R6), R2
	FMOVS args_params(R6), F31
	VDUP  V31.S[0], V31.S4
	MOVD  $blockBits<>(SB), R5
	VLD1  (R5), [V24.S4, V25.S4, V26.S4, V27.S4]
	SUBS  $16, R2
	BLT   block_end

block:
	MOVHU.P 2(R3), R5
	VDUP    R5, V20.S4
	VLD1.P  64(R1), [V0.S4, V1.S4, V2.S4, V3.S4]

	// All ones where the element's bit is set.
	VCMTST V24.S4, V20.S4, V4.S4
	VCMTST V25.S4, V20.S4, V5.S4
	VCMTST V26.S4, V20.S4, V6.S4
	VCMTST V27.S4, V20.S4, V7.S4
	FMUL(31, 0, 16)
	FMUL(31, 1, 17)
	FMUL(31, 2, 18)
	FMUL(31, 3, 19)

	// The product replaces dy where the mask is clear.
	VBIF   V4.B16, V16.B16, V0.B16
	VBIF   V5.B16, V17.B16, V1.B16
	VBIF   V6.B16, V18.B16, V2.B16
	VBIF   V7.B16, V19.B16, V3.B16
	VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R0)
	SUBS   $16, R2
	BGE    block

block_end:
	ADDS  $16, R2
	BEQ   done
	MOVHU (R3), R4

element:
	FMOVS.P 4(R1), F0
	TST     $1, R4
	FMULS   F31, F0, F16
	FCSELS  NE, F0, F16, F0
	LSR     $1, R4
	FMOVS.P F0, 4(R0)
	SUBS    $1, R2
	BNE     element

done:
	RET

// func leakyReLUForwardDerivativeNEON(a *args)
TEXT ·leakyReLUForwardDerivativeNEON(SB), NOSPLIT, $0-8
	MOVD  a+0(FP), R6
	MOVD  args_ptr(R6), R0
	MOVD  (args_ptr+8)(R6), R3
	MOVD  (args_ptr+16)(R6), R1
	MOVD  args_n(R6), R2
	FMOVS args_params(R6), F31
	VDUP  V31.S[0], V31.S4
	FMOVS $1.0, F30
	VDUP  V30.S[0], V30.S4
	SUBS  $16, R2
	BLT   block_end

block:
	VLD1.P 64(R1), [V0.S4, V1.S4, V2.S4, V3.S4]
	FCMGE0(0, 4)
	FCMGE0(1, 5)
	FCMGE0(2, 6)
	FCMGE0(3, 7)
	FMUL(31, 0, 16)
	FMUL(31, 1, 17)
	FMUL(31, 2, 18)
	FMUL(31, 3, 19)

	// The product replaces x where the mask is clear.
	VBIF V4.B16, V16.B16, V0.B16
	VBIF V5.B16, V17.B16, V1.B16
	VBIF V6.B16, V18.B16, V2.B16
	VBIF V7.B16, V19.B16, V3.B16

	// The mask becomes 1 where it is set and else the slope.
	VBSL   V31.B16, V30.B16, V4.B16
	VBSL   V31.B16, V30.B16, V5.B16
	VBSL   V31.B16, V30.B16, V6.B16
	VBSL   V31.B16, V30.B16, V7.B16
	VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R0)
	VST1.P [V4.S4, V5.S4, V6.S4, V7.S4], 64(R3)
	SUBS   $16, R2
	BGE    block

block_end:
	ADD  $16, R2
	SUBS $4, R2
	BLT  vector_end

vector:
	VLD1.P 16(R1), [V0.S4]
	FCMGE0(0, 4)
	FMUL(31, 0, 16)
	VBIF   V4.B16, V16.B16, V0.B16
	VBSL   V31.B16, V30.B16, V4.B16
	VST1.P [V0.S4], 16(R0)
	VST1.P [V4.S4], 16(R3)
	SUBS   $4, R2
	BGE    vector

vector_end:
	ADDS $4, R2
	BEQ  done

element:
	FMOVS.P 4(R1), F0
	FCMPS   $(0.0), F0
	FMULS   F31, F0, F16
	FCSELS  GE, F0, F16, F0
	FCSELS  GE, F30, F31, F4
	FMOVS.P F0, 4(R0)
	FMOVS.P F4, 4(R3)
	SUBS    $1, R2
	BNE     element

done:
	RET
