/* The ideal low pass of images: the reconstruction target of PixMIM. */
#ifndef MIM_LOW_PASS_H
#define MIM_LOW_PASS_H

#include "mim/context.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum mim_low_pass_mode {
    MIM_LOW_PASS_EXACT = 0,    /* the disc of the published code, see below */
    MIM_LOW_PASS_SYMMETRIC = 1 /* a disc around frequency 0: about a fifth less time */
} mim_low_pass_mode;

typedef struct mim_low_pass_params {
    int32_t size; /* sizeof(mim_low_pass_params) */
    int32_t mode; /* a mim_low_pass_mode */
    float radius; /* in frequencies, finite and >= 0: 40 in PixMIM, whatever H and W */
} mim_low_pass_params;

/* y = (|low pass(x std + mean)| - mean) / std, each channel of each image on its own (Liu
 * et al. 2023, PixMIM). Pixels go back to the range of the picture, 0 to 1 and not clamped, are filtered
 * and normalised again. Of the discrete Fourier transform
 *   U[k,l] = sum_{i,j} u[i,j] exp(-2 pi i (k i / H + l j / W)),   k = 0..H-1, l = 0..W-1
 * the filter keeps the bins with a^2 + b^2 <= radius^2 and drops the others, where
 *   EXACT      a = ((k + floor(H/2)) mod H) - (H-1)/2, b likewise of l and W: the middle of the
 *              grid of frequencies. For an even size that is half a bin off frequency 0, so some
 *              bins are kept without their conjugates and the filtered picture is complex; |.| is
 *              its magnitude
 *   SYMMETRIC  a = min(k, H - k), b likewise: the filtered picture is real. For odd sizes both
 *              modes are the same
 * With a radius beyond half the diagonal nothing is dropped and |u| comes back; a small one may
 * keep no bin at all, which gives -mean / std.
 *
 *   y, x       (B, C, H, W)  dense, f32; y in another memory than x
 *   mean, std  (C)           f32, of the normalisation of x; std > 0
 * There is no backward: a target is held fixed. See docs/math/low_pass.md. */
MIM_API mim_status mim_low_pass(mim_context* ctx, const mim_view* y, const mim_view* x,
                                const mim_view* mean, const mim_view* std,
                                const mim_low_pass_params* params);

#ifdef __cplusplus
}
#endif

#endif
