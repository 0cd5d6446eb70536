#include "textflag.h"

// func prefetch(first *uintptr, n int)
TEXT ·prefetch(SB), NOSPLIT, $0-16
	MOVQ first+0(FP), AX
	MOVQ n+8(FP), CX
next:
	MOVQ (AX), BX
	PREFETCHT0 (BX)
	PREFETCHT0 64(BX)
	ADDQ $8, AX
	DECQ CX
	JNZ  next
	RET

// func prefetchOne(first *uintptr, n int)
TEXT ·prefetchOne(SB), NOSPLIT, $0-16
	MOVQ first+0(FP), AX
	MOVQ n+8(FP), CX
next:
	MOVQ (AX), BX
	PREFETCHT0 (BX)
	ADDQ $8, AX
	DECQ CX
	JNZ  next
	RET
