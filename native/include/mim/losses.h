/* Losses: value and gradient in one pass over the prediction. */
#ifndef MIM_LOSSES_H
#define MIM_LOSSES_H

#include "mim/tokens.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum mim_loss_kind {
    MIM_LOSS_L2 = 0,       /* e^2 */
    MIM_LOSS_L1 = 1,       /* |e|; gradient 0 at 0 */
    MIM_LOSS_SMOOTH_L1 = 2 /* 0.5 e^2 / beta where |e| < beta, else |e| - beta / 2 */
} mim_loss_kind;

typedef struct mim_masked_loss_params {
    int32_t size;         /* sizeof(mim_masked_loss_params) */
    int32_t kind;         /* a mim_loss_kind */
    int32_t patch_height; /* of the target patches; divides H */
    int32_t patch_width;  /* divides W */
    int32_t order;        /* a mim_patch_order: how pred's rows are laid out */
    int32_t normalize;    /* 1: each target patch is normalised, see below */
    float normalize_eps;  /* 1e-6 in MAE */
    float beta;           /* of smooth L1, > 0 */
    float mask_epsilon;   /* see below: 0 in MAE, 1e-5 in SimMIM */
    float grad_scale;     /* factor on dpred and dtarget, not on the loss: 1/accumulation */
} mim_masked_loss_params;

/* loss = sum_{b,l} mask[b,l] * sum_p err(pred[b,l,p] - target[b,l,p])
 *        / ((sum_{b,l} mask[b,l] * patch_height * patch_width + mask_epsilon) * C)
 * With mask_epsilon = 0 this is MAE's mean over masked patches of the mean error of a patch (MAE,
 * section 3.2); with 1e-5 it is SimMIM's (section 3.4). An all-zero mask gives 0, never NaN.
 *
 * A mask of rank 3 is a grid of h x w cells over the image, finer than the patches or as fine: each
 * cell of H/h x W/w pixels has a weight m of its own (SimMIM on Swin: patches of 32 pixels, masked
 * in cells of 4):
 *   loss = sum_pixels,channels m * err / ((sum_pixels m + mask_epsilon) * C)
 *
 *   loss            (1)           f32
 *   loss_per_patch  (B, M)        f32, mean error of each patch whatever its mask, unmasked ones
 *                                 too; NULL: not wanted
 *   dpred           (B, M, P)     dense, pred's dtype; zero where the mask is; NULL: not wanted
 *   dtarget         (B, C, H, W)  f32, ADDED to: the gradient through the target, normalisation
 *                                 included; NULL: not wanted
 *   pred            (B, M, P)     dense, f32 or bf16; P = patch_height * patch_width * C
 *   target          (B, C, H, W)  dense, f32
 *   mask            (B, M)        f32, 1 = counts towards the loss (fractions allowed)
 *                or (B, h, w)     f32, with ids NULL; h a divisor of H and a multiple of the patch
 *                                 rows H / patch_height, w likewise of W and W / patch_width
 *   ids             (B, M)        i32 in [0, L): the patch that each row predicts, may repeat: each
 *                                 row then counts for itself; NULL for all in order (M = L). Out
 *                                 of range: an error on the CPU, a loss of NaN on a GPU
 *   normalize: t becomes (t - mean) / sqrt(var + normalize_eps) of its patch, var unbiased; all of
 *   its pixels count there, masked or not. */
MIM_API mim_status mim_masked_loss(mim_context* ctx, const mim_view* loss,
                                   const mim_view* loss_per_patch, const mim_view* dpred,
                                   const mim_view* dtarget, const mim_view* pred,
                                   const mim_view* target, const mim_view* mask,
                                   const mim_view* ids, const mim_masked_loss_params* params);

typedef struct mim_cross_entropy_params {
    int32_t size;     /* sizeof(mim_cross_entropy_params) */
    float smoothing;  /* s of label smoothing, 0 to 1 */
    float grad_scale; /* factor on dlogits, not on the loss: 1/accumulation */
} mim_cross_entropy_params;

/* Cross entropy of classes, with label smoothing (Szegedy et al. 2016, section 7):
 *   log p[r,k] = logits[r,k] - log sum_j exp(logits[r,j])
 *   q[r,k] = (1 - s) t[r,k] + s / K,    t[r,k] = 1 where k is labels[r], else 0
 *   loss_per_row[r] = - sum_k q[r,k] log p[r,k],    loss = the mean of loss_per_row
 *   dlogits[r,k] = grad_scale / R (p[r,k] sum_j q[r,j] - q[r,k])
 * or with t given by targets, as mixup and cutmix mix it of two labels.
 *
 *   loss           (1)     f32
 *   loss_per_row   (R)     f32; NULL: not wanted
 *   dlogits        (R, K)  dense, logits' dtype; may be the memory of logits; NULL: not wanted
 *   logits         (R, K)  dense, f32 or bf16
 *   labels         (R)     i32 in [0, K). Out of range: an error on the CPU; on a GPU, which cannot
 *                          say so without being waited for, a loss of NaN and that row's gradient,
 *                          so that the optimiser leaves the step out
 *   targets        (R, K)  f32, weights of the classes, of which each row sums to 1; another sum
 *                          weighs the row. One of labels and targets is given, the other is NULL
 * A logit of -infinity is a class left out: it adds nothing where q is 0. A loss of NaN follows from
 * any logit of NaN or +infinity. Nothing depends on the number of threads. */
MIM_API mim_status mim_cross_entropy(mim_context* ctx, const mim_view* loss,
                                     const mim_view* loss_per_row, const mim_view* dlogits,
                                     const mim_view* logits, const mim_view* labels,
                                     const mim_view* targets,
                                     const mim_cross_entropy_params* params);

#ifdef __cplusplus
}
#endif

#endif
