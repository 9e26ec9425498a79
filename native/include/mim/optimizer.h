/* The optimiser over flat buffers: one buffer each for parameters, gradients and both moments,
 * cut into segments. */
#ifndef MIM_OPTIMIZER_H
#define MIM_OPTIMIZER_H

#include "mim/context.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A run of elements that share their settings. Segments are ascending and do not overlap; gaps
 * are left alone. */
typedef struct mim_segment {
    int64_t offset;     /* first element */
    int64_t count;      /* elements */
    float weight_decay; /* 0 for parameters that do not decay */
    float lr_scale;     /* layer decay; 1 otherwise */
} mim_segment;

/* The scalars of a step. They live in memory of the device, so that a recorded step can be
 * replayed with new ones: a view of MIM_ADAMW_SCALARS f32 values in this order. The corrections
 * are powers of the very floats in mim_adamw_params, widened to double: 0.999f is 0.999000013,
 * and the moments are averaged with that. */
typedef enum mim_adamw_scalar {
    MIM_ADAMW_LR = 0,          /* learning rate */
    MIM_ADAMW_CORRECTION1 = 1, /* 1 - beta1^t, t counted from 1 */
    MIM_ADAMW_CORRECTION2 = 2, /* 1 - beta2^t */
    MIM_ADAMW_SCALARS = 3      /* how many there are */
} mim_adamw_scalar;

typedef struct mim_adamw_params {
    int32_t size; /* sizeof(mim_adamw_params) */
    float beta1;
    float beta2;
    float eps;      /* outside the square root */
    float max_norm; /* clip = min(1, max_norm / (grad_norm + 1e-6)); 0 for no clipping */
} mim_adamw_params;

/* AdamW (Loshchilov and Hutter, algorithm 2, in PyTorch's form), one pass:
 *   g = clip * grad;  p *= 1 - lr wd;  m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2
 *   p -= lr (m / c1) / (sqrt(v / c2) + eps)
 *   lr = scalars[0] * lr_scale, c1 = scalars[1], c2 = scalars[2]
 *
 *   p, m, v      (N)  f32, updated in place
 *   p_bf16       (N)  bf16: the new parameters rounded, written in the same pass; NULL for none
 *   grad         (N)  f32; set to zero in the same pass, ready for the next step
 *   grad_norm    (1)  f32, from mim_gradient_norm; NULL only with max_norm = 0. Where it is not
 *                     finite, the step changes
 *                     neither p, m nor v (the gradients are zeroed all the same)
 *   scalars      (MIM_ADAMW_SCALARS) f32
 *   segments     host memory, segment_count of them */
MIM_API mim_status mim_adamw_step(mim_context* ctx, const mim_view* p, const mim_view* m,
                                  const mim_view* v, const mim_view* p_bf16, const mim_view* grad,
                                  const mim_view* grad_norm, const mim_view* scalars,
                                  const mim_segment* segments, int64_t segment_count,
                                  const mim_adamw_params* params);

/* norm[0] = sqrt(sum grad^2), summed in double in a fixed order: the same bits whatever the thread
 * count.
 *   norm (1) f32;  grad (N) f32 */
MIM_API mim_status mim_gradient_norm(mim_context* ctx, const mim_view* norm, const mim_view* grad);

#ifdef __cplusplus
}
#endif

#endif
