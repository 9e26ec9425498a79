/* Plain work on whole views: copies between devices and dtypes, filling, sums, random numbers. */
#ifndef MIM_TENSOR_H
#define MIM_TENSOR_H

#include "mim/context.h"

#ifdef __cplusplus
extern "C" {
#endif

/* dst = src, element by element: equal shapes, any strides. Between f32 and bf16 it converts
 * (round to nearest even); otherwise the dtypes must be equal. One side may be host memory when
 * the context's device is another. Dense views of one dtype may overlap. */
MIM_API mim_status mim_copy(mim_context* ctx, const mim_view* dst, const mim_view* src);

/* y[...] = value. Dense; f32 or bf16. */
MIM_API mim_status mim_fill(mim_context* ctx, const mim_view* y, float value);

/* y = a + b, element by element: where the parts of a map, or the gradients of one that feeds two
 * branches, come together. Equal shapes, dense, f32 or bf16, one dtype; the sum is taken in f32. y
 * may be a or b. */
MIM_API mim_status mim_add(mim_context* ctx, const mim_view* y, const mim_view* a,
                           const mim_view* b);

/* Which random numbers: Philox4x32-10 (Salmon et al. 2011). Value number i of sample s, i from 0 to
 * 2^34 - 1, is word i % 4 of the block whose
 *   counter, word 0 first, is   i / 4,   stream,   epoch,   low half of s           (32 bits each)
 *   key, word 0 first, is       low half of seed,   high half of seed XOR high half of s
 * taking stream, seed and s in two's complement. The numbers depend on nothing else. */
typedef struct mim_random_params {
    int32_t size;   /* sizeof(mim_random_params) */
    int32_t stream; /* what the numbers are for: masks, crops, weights, ... */
    int64_t epoch;  /* 0 to 2^31 - 1 */
    int64_t seed;
} mim_random_params;

/* Uniform numbers in [0, 1): the top 24 bits of each word, times 2^-24. Row r holds values 0 to N -
 * 1 of sample samples[r].
 *   y (S, N) dense, f32;  samples (S) i64 on y's device: the sample number of each row, >= 0 */
MIM_API mim_status mim_random_uniform(mim_context* ctx, const mim_view* y, const mim_view* samples,
                                      const mim_random_params* params);

/* The same numbers for one sample in host memory, without a context; safe from any thread.
 *   values[j] is value number first + j. */
MIM_API mim_status mim_random_uniform_host(float* values, int64_t count, int64_t first,
                                           int64_t sample, const mim_random_params* params);

#ifdef __cplusplus
}
#endif

#endif
