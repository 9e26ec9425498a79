/* Fused multi-head attention, over whole sequences or in windows, with a position bias and a
 * position table. The score matrix is never stored: backward rebuilds it from q, k and the
 * log-sum-exp. The gradients are derived in docs/math/attention.md. */
#ifndef MIM_ATTENTION_H
#define MIM_ATTENTION_H

#include "mim/context.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mim_attention_params {
    int32_t size; /* sizeof(mim_attention_params) */
    float scale;  /* on q k^T alone; 1/sqrt(D) in all methods here */
} mim_attention_params;

/* out[b,i,h,:] = sum_j softmax_j(score[b,h,i,j]) v[b,j,h,:]
 * score[b,h,i,j] = scale q[b,i,h,:].k[b,j,h,:] + bias[h,i,j] + mask[w,i,j]
 *                + sum_d q[b,i,h,d] table[d, buckets[i,j]]
 *
 *   q, out, dq, dout   (B, T, H, D)   compute dtype (f32 or bf16), last axis dense, other
 *   k, v, dk, dv       (B, S, H, D)   strides free: q, k and v may be thirds of one packed
 *                                     (B, T, 3, H, D) tensor, and so may dq, dk and dv
 *   lse                (B, H, T)      dense, f32: log-sum-exp of the scores, saved for backward
 *   bias, dbias        (H, T, S)      dense, f32; NULL for none. One per head, shared by the batch
 *   table, dtable      (D, U)         dense, f32: contextual relative position encoding on keys
 *                                     (iRPE's product method, Wu et al. 2021), shared by the heads
 *   buckets            (T, S)         dense, i32 in [0, U): the column of table for each pair; table
 *                                     and buckets are both given or both NULL. As in LoMaR (Chen et
 *                                     al. 2022), q meets the table without scale
 *   T, S >= 1; D from 1 to 128.
 *
 * With windows the tokens of an image attend within windows only (Liu et al. 2021):
 *
 *   windows            (W, T)         dense, i32; NULL for none: the tokens of each window. Each
 *                                     token of an image stands in exactly one window, once
 *   mask               (W, T, T)      dense, f32; NULL for none, only with windows: added to the
 *                                     scores of its window (Swin's -100 where a shifted window joins
 *                                     distant regions); no gradient
 *
 * Then q, k, v, out and their gradients are whole images (B, N, H, D) with N = W T, and lse is
 * (B, H, N). In the formula i and j count the tokens of a window (S = T): query i of window w is
 * token windows[w,i], and results are written at the tokens' own places. So partition, cyclic shift
 * and their reversal are an order of rows and move nothing. bias and table are shared by the
 * windows.
 *
 * backward overwrites dq, dk and dv, and adds to dbias and dtable (NULL: not wanted); `out` is
 * forward's. On the CPU the values of windows and buckets are checked. */
MIM_API mim_status mim_attention_forward(mim_context* ctx, const mim_view* out, const mim_view* lse,
                                         const mim_view* q, const mim_view* k, const mim_view* v,
                                         const mim_view* bias, const mim_view* windows,
                                         const mim_view* mask, const mim_view* table,
                                         const mim_view* buckets,
                                         const mim_attention_params* params);
MIM_API mim_status mim_attention_backward(mim_context* ctx, const mim_view* dq, const mim_view* dk,
                                          const mim_view* dv, const mim_view* dbias,
                                          const mim_view* dtable, const mim_view* dout,
                                          const mim_view* q, const mim_view* k, const mim_view* v,
                                          const mim_view* bias, const mim_view* windows,
                                          const mim_view* mask, const mim_view* table,
                                          const mim_view* buckets, const mim_view* out,
                                          const mim_view* lse, const mim_attention_params* params);

#ifdef __cplusplus
}
#endif

#endif
