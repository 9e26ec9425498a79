/* What the machine can do at most: the roof that times of ops are held against. */
#ifndef MIM_CEILING_H
#define MIM_CEILING_H

#include "mim/context.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Rates of a context's threads together, or of a GPU as a whole. A multiplication and an addition
 * count as two operations. Giga is 10^9. */
typedef struct mim_ceiling {
    int32_t size;        /* sizeof(mim_ceiling) */
    float f32_gflops;    /* fused multiply-add of f32, operands in registers */
    float bf16_gflops;   /* vector dot products of bf16 pairs added to f32, operands in registers;
                            0 where has_bf16 of mim_context_info is. On a GPU products of (16, 16)
                            and (16, 8) on tensor cores (mma.sync): matrix instructions of a
                            newer kind (wgmma) do more */
    float read_gbytes;   /* reading memory that no cache holds */
    float update_gbytes; /* x = s x in place: the stream counted as read and as written */
    float triad_gbytes;  /* a = b + s c, the stores past the caches on the CPU: two streams read,
                            one written, all three counted */
} mim_ceiling;

/* Measures the ceiling: the best of several repetitions of each loop, a third of a second
 * altogether on an idle machine. Takes and returns 384 MiB; on a GPU twelve times its level 2
 * cache, and it waits for the device.
 * While planning, the fields are set to 0.
 *
 * Errors: a null argument, a wrong size field; MIM_ERROR_OUT_OF_MEMORY. */
MIM_API mim_status mim_measure_ceiling(mim_context* ctx, mim_ceiling* ceiling);

#ifdef __cplusplus
}
#endif

#endif
