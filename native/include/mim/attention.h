/* Fused multi-head attention. The score matrix is never stored: backward rebuilds it from q, k
 * and the log-sum-exp. */
#ifndef MIM_ATTENTION_H
#define MIM_ATTENTION_H

#include "mim/context.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mim_attention_params {
    int32_t size; /* sizeof(mim_attention_params) */
    float scale;  /* on q k^T, before the bias; 1/sqrt(D) in all methods here */
} mim_attention_params;

/* out[b,i,h,:] = sum_j softmax_j(scale q[b,i,h,:].k[b,j,h,:] + bias[h,i,j]) v[b,j,h,:]
 *
 *   q, out, dq, dout   (B, T, H, D)   compute dtype (f32 or bf16), last axis dense, other
 *   k, v, dk, dv       (B, S, H, D)   strides free: q, k and v may be thirds of one packed
 *                                     (B, T, 3, H, D) tensor, and so may dq, dk and dv
 *   bias, dbias        (H, T, S)      dense, f32; NULL for none. One per head, shared by the batch
 *   lse                (B, H, T)      dense, f32: log-sum-exp of the scaled and biased scores,
 *                                     saved for backward
 *   T, S >= 1; D from 1 to 128.
 *   backward overwrites dq, dk, dv and adds to dbias (NULL: not wanted); `out` is forward's. */
MIM_API mim_status mim_attention_forward(mim_context* ctx, const mim_view* out, const mim_view* lse,
                                         const mim_view* q, const mim_view* k, const mim_view* v,
                                         const mim_view* bias, const mim_attention_params* params);
MIM_API mim_status mim_attention_backward(mim_context* ctx, const mim_view* dq, const mim_view* dk,
                                          const mim_view* dv, const mim_view* dbias,
                                          const mim_view* dout, const mim_view* q,
                                          const mim_view* k, const mim_view* v,
                                          const mim_view* bias, const mim_view* out,
                                          const mim_view* lse, const mim_attention_params* params);

#ifdef __cplusplus
}
#endif

#endif
