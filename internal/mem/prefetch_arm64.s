#include "textflag.h"

// func prefetch(first *uintptr, n int)
TEXT ·prefetch(SB), NOSPLIT, $0-16
	MOVD first+0(FP), R0
	MOVD n+8(FP), R1
next:
	MOVD.P 8(R0), R2
	PRFM   (R2), PLDL1KEEP
	PRFM   64(R2), PLDL1KEEP
	SUBS   $1, R1
	BNE    next
	RET

// func prefetchOne(first *uintptr, n int)
TEXT ·prefetchOne(SB), NOSPLIT, $0-16
	MOVD first+0(FP), R0
	MOVD n+8(FP), R1
next:
	MOVD.P 8(R0), R2
	PRFM   (R2), PLDL1KEEP
	SUBS   $1, R1
	BNE    next
	RET
