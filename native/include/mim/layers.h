/* The layers of a transformer block (linear, perceptron, LayerNorm, GELU, LayerScale) and of a probe
 * (BatchNorm). Letters: R rows, C columns (channels), K inputs, H hidden, N outputs. Compute dtype: f32
 * or bf16; sums are kept in f32. */
#ifndef MIM_LAYERS_H
#define MIM_LAYERS_H

#include "mim/context.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Linear: y[r,n] = sum_k x[r,k] w[n,k] + bias[n]
 *
 *   x, dx          (R, K)  compute dtype; columns dense, rows may be strided
 *   w              (N, K)  dense, compute dtype
 *   bias           (N)     f32; NULL for none
 *   y, dy          (R, N)  compute dtype; columns dense, rows may be strided
 *   dw, dbias      (N, K), (N)  f32
 *   backward overwrites dx (NULL: not wanted) and adds to dw and dbias (NULL: not wanted). */
MIM_API mim_status mim_linear_forward(mim_context* ctx, const mim_view* y, const mim_view* x,
                                      const mim_view* w, const mim_view* bias);
MIM_API mim_status mim_linear_backward(mim_context* ctx, const mim_view* dx, const mim_view* dw,
                                       const mim_view* dbias, const mim_view* dy, const mim_view* x,
                                       const mim_view* w);

/* The perceptron of a transformer block, two linear layers with the exact GELU between them:
 *   pre[r,h] = sum_k x[r,k] w1[h,k] + bias1[h]
 *   y[r,n] = sum_h gelu(pre[r,h]) w2[n,h] + bias2[n]
 *
 *   x, dx          (R, K)  compute dtype; columns dense, rows may be strided
 *   pre            (R, H)  dense, compute dtype: all that is saved for backward, which makes
 *                          gelu(pre) again; NULL in forward where no backward follows
 *   w1, w2         (H, K), (N, H)  dense, compute dtype
 *   bias1, bias2   (H), (N)  f32; NULL for none
 *   y, dy          (R, N)  compute dtype; columns dense, rows may be strided
 *   dw1, dbias1, dw2, dbias2   as w1, bias1, w2, bias2, f32
 *   backward overwrites dx (NULL: not wanted) and adds to dw1, dbias1, dw2 and dbias2 (the biases'
 *   NULL: not wanted). What lies between the two layers passes through scratch memory, a few rows
 *   at a time. */
MIM_API mim_status mim_mlp_forward(mim_context* ctx, const mim_view* y, const mim_view* pre,
                                   const mim_view* x, const mim_view* w1, const mim_view* bias1,
                                   const mim_view* w2, const mim_view* bias2);
MIM_API mim_status mim_mlp_backward(mim_context* ctx, const mim_view* dx, const mim_view* dw1,
                                    const mim_view* dbias1, const mim_view* dw2,
                                    const mim_view* dbias2, const mim_view* dy, const mim_view* x,
                                    const mim_view* pre, const mim_view* w1, const mim_view* w2);

typedef struct mim_layer_norm_params {
    int32_t size; /* sizeof(mim_layer_norm_params) */
    float eps;    /* inside the square root */
} mim_layer_norm_params;

/* LayerNorm over the last axis, with the residual addition before it:
 *   sum[r,c] = x[r,c] + branch[r,c];  y[r,c] = (sum[r,c] - mean[r]) * rstd[r] * gamma[c] + beta[c]
 *   mean and biased variance over c; rstd = 1 / sqrt(variance + eps)
 *
 *   x, branch, sum, y, dy, dsum, dx   (R, C)  dense, compute dtype
 *   gamma, beta, dgamma, dbeta        (C)     f32
 *   mean, rstd                        (R)     f32, saved for backward
 *   branch and sum go together: both NULL for a plain LayerNorm, whose sum is x.
 *   backward: dx = dsum + (LayerNorm's gradient of dy); it is the gradient of x and of branch
 *   alike. dsum is what reaches the sum by other ways (the residual stream); NULL for zero.
 *   `sum` is the saved value (x where there was no branch).
 *   dx may be the same memory as dsum. Backward overwrites dx and adds to dgamma and dbeta. */
MIM_API mim_status mim_layer_norm_forward(mim_context* ctx, const mim_view* y, const mim_view* sum,
                                          const mim_view* mean, const mim_view* rstd,
                                          const mim_view* x, const mim_view* branch,
                                          const mim_view* gamma, const mim_view* beta,
                                          const mim_layer_norm_params* params);
MIM_API mim_status mim_layer_norm_backward(mim_context* ctx, const mim_view* dx,
                                           const mim_view* dgamma, const mim_view* dbeta,
                                           const mim_view* dy, const mim_view* dsum,
                                           const mim_view* sum, const mim_view* mean,
                                           const mim_view* rstd, const mim_view* gamma);

/* y of the forward pass once more, from what it saved: a backward pass that needs y (the layer behind
 * the LayerNorm does) makes it again instead of keeping it. Equal to forward's y but for rounding. */
MIM_API mim_status mim_layer_norm_again(mim_context* ctx, const mim_view* y, const mim_view* sum,
                                        const mim_view* mean, const mim_view* rstd,
                                        const mim_view* gamma, const mim_view* beta);

/* Exact GELU: y = 0.5 x (1 + erf(x / sqrt 2)); dx = dy (Phi(x) + x phi(x)).
 *   x, y, dx, dy   any equal shape, dense, f32 or bf16; dx may be the memory of dy, y that of x. */
MIM_API mim_status mim_gelu_forward(mim_context* ctx, const mim_view* y, const mim_view* x);
MIM_API mim_status mim_gelu_backward(mim_context* ctx, const mim_view* dx, const mim_view* dy,
                                     const mim_view* x);

/* LayerScale and stochastic depth on a residual branch, in one pass:
 *   y[r,c] = x[r,c] * gamma[c] * sample_scale[r / (R / S)]
 * gamma is LayerScale's (Touvron et al. 2021, section 3); sample_scale, one for each image, is 0 or
 * 1 / keep of stochastic depth (Huang et al. 2016, section 3).
 *
 *   x, y, dx, dy    (R, C)  dense, compute dtype; the rows of a sample are neighbours
 *   gamma, dgamma   (C)     f32; gamma NULL for 1, and then dgamma too
 *   sample_scale    (S)     f32, S divides R; NULL for 1. At least one of the two is given
 *   y may be x's memory, dx may be dy's. Backward overwrites dx and adds to dgamma (NULL: not
 *   wanted); x is the saved value, and may be NULL where dgamma is. */
MIM_API mim_status mim_layer_scale_forward(mim_context* ctx, const mim_view* y, const mim_view* x,
                                           const mim_view* gamma, const mim_view* sample_scale);
MIM_API mim_status mim_layer_scale_backward(mim_context* ctx, const mim_view* dx,
                                            const mim_view* dgamma, const mim_view* dy,
                                            const mim_view* x, const mim_view* gamma,
                                            const mim_view* sample_scale);

typedef struct mim_batch_norm_params {
    int32_t size;     /* sizeof(mim_batch_norm_params) */
    int32_t training; /* 1: the batch's statistics, 0: the running ones */
    float eps;        /* inside the square root */
    float momentum;   /* of the running statistics, 0 to 1: 0.1 where nothing else is said */
} mim_batch_norm_params;

/* BatchNorm of each column over the rows (Ioffe and Szegedy 2015, algorithms 1 and 2):
 *   y[r,c] = (x[r,c] - mean[c]) * rstd[c] * gamma[c] + beta[c],    rstd = 1 / sqrt(variance + eps)
 * In training mean and biased variance are the batch's, and the running ones move towards them, the
 * variance towards the unbiased one:
 *   running_mean = (1 - momentum) running_mean + momentum mean
 *   running_var  = (1 - momentum) running_var + momentum variance R / (R - 1)
 * Otherwise mean and variance are running_mean and running_var.
 *
 *   x, y, dy, dx               (R, C)  dense, compute dtype; in training R is at least 2
 *   gamma, beta                (C)     f32; NULL for 1 and for 0
 *   dgamma, dbeta              (C)     f32; NULL: not wanted
 *   mean, rstd                 (C)     f32, saved for backward
 *   running_mean, running_var  (C)     f32, read and in training written; both NULL in training
 *                                      where nobody keeps them
 *   y may be x's memory where no backward follows, dx may be dy's. Backward overwrites dx (NULL: not
 *   wanted) and adds to dgamma and dbeta; its params are those of forward, of which it reads
 *   `training` alone: the batch's statistics have gradients of their own, the running ones have
 *   not. Nothing depends on the number of threads. */
MIM_API mim_status mim_batch_norm_forward(mim_context* ctx, const mim_view* y, const mim_view* mean,
                                          const mim_view* rstd, const mim_view* running_mean,
                                          const mim_view* running_var, const mim_view* x,
                                          const mim_view* gamma, const mim_view* beta,
                                          const mim_batch_norm_params* params);
MIM_API mim_status mim_batch_norm_backward(mim_context* ctx, const mim_view* dx,
                                           const mim_view* dgamma, const mim_view* dbeta,
                                           const mim_view* dy, const mim_view* x,
                                           const mim_view* mean, const mim_view* rstd,
                                           const mim_view* gamma,
                                           const mim_batch_norm_params* params);

#ifdef __cplusplus
}
#endif

#endif
