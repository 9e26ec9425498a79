/* What a method reconstructs, made from its images. */
#ifndef MIM_TARGETS_H
#define MIM_TARGETS_H

#include "mim/context.h"

#ifdef __cplusplus
extern "C" {
#endif

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
