/* From pixels to tokens and between token sets: patchify, gather, position and mask tokens,
 * random masks. Letters: B images, L patches of an image (row-major over the grid), K kept
 * patches, D channels of a token. Index views are dense i32. Ids out of range, or repeated where
 * they must be distinct, are errors on the CPU. A GPU does not look at them beforehand: what an id
 * out of range asks for is NaN, and it gets no gradient. */
#ifndef MIM_TOKENS_H
#define MIM_TOKENS_H

#include "mim/context.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Order of the values inside one patch vector. */
typedef enum mim_patch_order {
    MIM_PATCH_PIXELS_FIRST = 0, /* (row, column, channel), channel fastest: MAE */
    MIM_PATCH_CHANNELS_FIRST =
        1 /* (channel, row, column), column fastest: weights of a patch embedding, and
                                    what a pixel shuffle makes of a SimMIM prediction */
} mim_patch_order;

typedef struct mim_patchify_params {
    int32_t size;         /* sizeof(mim_patchify_params) */
    int32_t patch_height; /* divides H */
    int32_t patch_width;  /* divides W */
    int32_t order;        /* a mim_patch_order */
} mim_patchify_params;

/* Patchify, of the kept patches only: patches[b,k,:] = the pixels of patch ids[b,k] of image b.
 *   images, dimages   (B, C, H, W)   dense, f32
 *   patches, dpatches (B, K, P)      dense, f32 or bf16; P = patch_height * patch_width * C
 *   ids               (B, K)         i32 in [0, L); NULL for all in order (K = L). May repeat.
 *   backward ADDS to dimages, since patches may repeat and the pixels may have other uses. */
MIM_API mim_status mim_patchify_forward(mim_context* ctx, const mim_view* patches,
                                        const mim_view* images, const mim_view* ids,
                                        const mim_patchify_params* params);
MIM_API mim_status mim_patchify_backward(mim_context* ctx, const mim_view* dimages,
                                         const mim_view* dpatches, const mim_view* ids,
                                         const mim_patchify_params* params);

typedef struct mim_gather_tokens_params {
    int32_t size;  /* sizeof(mim_gather_tokens_params) */
    int32_t first; /* tokens of x before the patches: 1 with a class token, else 0 */
} mim_gather_tokens_params;

/* Gather: y[b,k,:] = x[b,first+ids[b,k],:]
 *   x, dx (B, T, D), y, dy (B, K, D)   dense, f32 or bf16, one dtype
 *   ids (B, K)                         i32 in [0, T - first), distinct per image
 *   backward overwrites dx: dy at the gathered places, zero elsewhere. */
MIM_API mim_status mim_gather_tokens_forward(mim_context* ctx, const mim_view* y, const mim_view* x,
                                             const mim_view* ids,
                                             const mim_gather_tokens_params* params);
MIM_API mim_status mim_gather_tokens_backward(mim_context* ctx, const mim_view* dx,
                                              const mim_view* dy, const mim_view* ids,
                                              const mim_gather_tokens_params* params);

/* Tokens of an encoder: positions added, class token put first.
 *   y[b,0,:]   = cls[:] + position[0,:]             (only with cls: then E = 1, else E = 0)
 *   y[b,E+k,:] = (mask[b,k] != 0 ? mask_token[:] : x[b,k,:]) + position[E+ids[b,k],:]
 * The mask token takes the place of masked patches before the position is added (SimMIM, section
 * 3.1); the class token is never masked.
 *
 *   x, dx          (B, K, D)     dense, f32 or bf16
 *   y, dy          (B, E+K, D)   dense, of the dtype of x
 *   cls, dcls      (D)           f32; NULL for none
 *   position, dposition (E+L, D) f32; NULL for none
 *   ids            (B, K)        i32 in [0, L), may repeat; NULL for all patches in order (K = L)
 *   mask           (B, K)        f32, anything but 0 = masked; NULL for none
 *   mask_token, dmask_token (D)  f32; forward takes it with a mask and only then
 *   Without a position ids are not looked at. Backward overwrites dx, with zeros where the mask is,
 *   and adds to dcls, dposition and dmask_token (NULL: not wanted); there E follows from the
 *   shapes, and dmask_token needs a mask. */
MIM_API mim_status mim_embed_tokens_forward(mim_context* ctx, const mim_view* y, const mim_view* x,
                                            const mim_view* cls, const mim_view* position,
                                            const mim_view* ids, const mim_view* mask,
                                            const mim_view* mask_token);
MIM_API mim_status mim_embed_tokens_backward(mim_context* ctx, const mim_view* dx,
                                             const mim_view* dcls, const mim_view* dposition,
                                             const mim_view* dmask_token, const mim_view* dy,
                                             const mim_view* ids, const mim_view* mask);

/* Tokens of a decoder: kept tokens back in their places, the mask token everywhere else, positions
 * added to all.
 *   y[b,0,:]   = x[b,0,:] + position[0,:]           (the class token, where there is one)
 *   y[b,E+l,:] = (r < K ? x[b,E+r,:] : mask_token[:]) + position[E+l,:],   r = ids_restore[b,l]
 *
 *   x, dx          (B, E+K, D)   dense, f32 or bf16
 *   y, dy          (B, E+L, D)   dense, of the dtype of x
 *   mask_token, dmask_token (D)  f32
 *   position, dposition (E+L, D) f32; NULL for none
 *   ids_restore    (B, L)        i32: the inverse of the shuffle, a permutation in each row
 *   E is 0 or 1 and follows from the shapes. Backward overwrites dx and adds to dmask_token and
 *   dposition (NULL: not wanted). */
MIM_API mim_status mim_restore_tokens_forward(mim_context* ctx, const mim_view* y,
                                              const mim_view* x, const mim_view* mask_token,
                                              const mim_view* position,
                                              const mim_view* ids_restore);
MIM_API mim_status mim_restore_tokens_backward(mim_context* ctx, const mim_view* dx,
                                               const mim_view* dmask_token,
                                               const mim_view* dposition, const mim_view* dy,
                                               const mim_view* ids_restore);

/* MAE's random masking from noise: per image a stable ascending argsort; the first K entries are
 * kept, the others removed.
 *   noise        (B, L) f32        ids_keep    (B, K) i32, in shuffle order
 *   ids_restore  (B, L) i32        ids_masked  (B, L-K) i32, in shuffle order
 *   mask         (B, L) f32, 1 = removed
 *   1 <= K < L; ids_restore is the inverse of the shuffle (ids_keep then ids_masked). NaN in
 *   noise is an error on the CPU. */
MIM_API mim_status mim_mask_from_noise(mim_context* ctx, const mim_view* ids_keep,
                                       const mim_view* ids_masked, const mim_view* ids_restore,
                                       const mim_view* mask, const mim_view* noise);

#ifdef __cplusplus
}
#endif

#endif
