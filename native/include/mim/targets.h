/* Images as a method takes them in, and what it reconstructs of them. */
#ifndef MIM_TARGETS_H
#define MIM_TARGETS_H

#include "mim/context.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Pixels to the values that a network reads: y[b,c,i,j] = (x[b,i,j,c] / 255 - mean[c]) / std[c], in f32
 * operation by operation, so that every device gives the numbers of mim_image_normalize. Bytes are a
 * quarter of what a batch takes on its way to a GPU.
 *
 *   x          (B, H, W, C)  dense, u8
 *   mean, std  (C)           dense, f32; std above 0
 *   y          (B, C, H, W)  dense, f32
 * There is no backward: pixels are not learned. That mean is finite and std above 0 is checked on the
 * CPU alone. */
MIM_API mim_status mim_normalize_images(mim_context* ctx, const mim_view* y, const mim_view* x,
                                        const mim_view* mean, const mim_view* std);

typedef struct mim_reduce_images_params {
    int32_t size;   /* sizeof(mim_reduce_images_params) */
    int32_t factor; /* pixels of x to one of y, down and across; at least 1, divides H and W */
} mim_reduce_images_params;

/* Images at a lower resolution: y[b,c,i,j] = mean of x[b,c,fi..fi+f-1,fj..fj+f-1]
 * A target of lower resolution (SimMIM, section 4.3, target resolution); its patches are f times
 * smaller down and across.
 *
 *   x  (B, C, H, W)      dense, f32
 *   y  (B, C, H/f, W/f)  dense, f32, in another memory than x; a copy where f is 1
 * There is no backward: a target is held fixed. */
MIM_API mim_status mim_reduce_images(mim_context* ctx, const mim_view* y, const mim_view* x,
                                     const mim_reduce_images_params* params);

#ifdef __cplusplus
}
#endif

#endif
