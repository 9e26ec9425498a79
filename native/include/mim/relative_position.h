/* Relative position bias: a learned table, looked up for each pair of a query and a key. */
#ifndef MIM_RELATIVE_POSITION_H
#define MIM_RELATIVE_POSITION_H

#include "mim/context.h"

#ifdef __cplusplus
extern "C" {
#endif

/* bias[h,i,j] = table[index[i,j], h]: the term that attention adds to its scores, for each head
 * (Shaw et al. 2018; with one scalar per offset and head: Swin, Liu et al. 2021, section 3.2).
 *
 *   table, dtable   (R, H)      dense, f32; a row for each offset between a query and a key
 *   index           (T, S)      dense, i32 in [0, R); queries down, keys across. May repeat; the CPU
 *                               refuses other values
 *   bias, dbias     (H, T, S)   dense, f32: as attention takes and gives it
 *   Backward adds to dtable, each row in the order of the pairs: the bits depend on no thread
 *   count. A table shared by several blocks gets the sum of their gradients by one call for each,
 *   or by one call with a dbias that all of them have added to. */
MIM_API mim_status mim_relative_position_bias_forward(mim_context* ctx, const mim_view* bias,
                                                      const mim_view* table, const mim_view* index);
MIM_API mim_status mim_relative_position_bias_backward(mim_context* ctx, const mim_view* dtable,
                                                       const mim_view* dbias,
                                                       const mim_view* index);

#ifdef __cplusplus
}
#endif

#endif
