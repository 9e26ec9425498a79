/* Convolutions on maps of tokens, channels last: the convolutional stages of ConvMAE. */
#ifndef MIM_CONVOLUTION_H
#define MIM_CONVOLUTION_H

#include "mim/context.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mim_depthwise_conv_params {
    int32_t size;   /* sizeof(mim_depthwise_conv_params) */
    int32_t kernel; /* k: 1, 3, 5, 7, 9 or 11 */
} mim_depthwise_conv_params;

/* Masked depthwise convolution of stride 1, with zeros around the map; r = (k - 1) / 2:
 *   y[b,i,j,c] = bias[c] + sum_{p,q} w[c,p,q] keep[b,i+p-r,j+q-r] x[b,i+p-r,j+q-r,c]
 * Only what is convolved is masked, y is not: a removed token still gets the bias and what its
 * neighbours give (Gao et al. 2022, ConvMAE, section 3.2, with k = 5).
 *
 *   x, y, dx, dy   (B, H, W, C)  dense, f32 or bf16, one dtype
 *   w, dw          (C, k, k)     f32, whatever the tokens are
 *   bias, dbias    (C)           f32; NULL for none
 *   keep           (B, H, W)     f32, 1 = kept, 0 = removed, any factor will do; NULL keeps all
 *   y lies in another memory than x, dx in another than dy and x.
 *   Backward overwrites dx and adds to dw and dbias (NULL: not wanted, dx too; one of them is). y
 *   and dx depend on no thread count. What is not finite is not made so by a keep of 0. */
MIM_API mim_status mim_depthwise_conv_forward(mim_context* ctx, const mim_view* y,
                                              const mim_view* x, const mim_view* w,
                                              const mim_view* bias, const mim_view* keep,
                                              const mim_depthwise_conv_params* params);
MIM_API mim_status mim_depthwise_conv_backward(mim_context* ctx, const mim_view* dx,
                                               const mim_view* dw, const mim_view* dbias,
                                               const mim_view* dy, const mim_view* x,
                                               const mim_view* w, const mim_view* keep,
                                               const mim_depthwise_conv_params* params);

#ifdef __cplusplus
}
#endif

#endif
