// What kernels may use of the GPU. Two files say it: cuda/nvidia.h for nvcc, simt/device.h (tests)
// for an emulator on the processor. A kernel that keeps to these words runs on both:
//
//   the language       __global__, __device__, __launch_bounds__, threadIdx, blockIdx, blockDim,
//                      gridDim; expf, erff, sqrtf, fmaf, ...; no __shared__ (block_memory instead),
//                      no atomics on floats (results would depend on the order)
//   launch(...)        launch(stream, {grid, block, shared_bytes}, kernel, arguments...): blocks of
//                      a multiple of 32 threads
//   block_memory       shared memory of a block, taken piece by piece, the same pieces by every
//                      thread; each begins at 16 bytes; shared_bytes<T>(n) is what a piece takes
//   wait_block()       barrier of the block;   wait_warp() of a warp: what was written before it to
//                      shared memory is seen behind it
//   shuffle(v, lane), shuffle_xor(v, lanes)    a value of another lane (T of 4 or 8 bytes); all 32
//                      lanes of the warp call it
//   any_lane(b), lanes_where(b)                over the warp
//   load_vector<T, n>(from), store_vector(to, v)    n T at once, aligned to their size, at most 16
//                      bytes
//   exp2_fast(x)       2^x, to about 2 ulp; 0 for -infinity
//   reciprocal_fast(x)                         1 / x, to about 1 ulp
//   pack(low, high)    two floats rounded to bf16, low in the lower half of a word
//   unpack(word)       back to a pair of floats
//   load_matrices(r, row), load_matrices_turned(r, row)
//                      four 8 x 8 matrices of bf16 out of shared memory (ldmatrix): lane l gives the
//                      address of row l % 8 of matrix l / 8 and gets, of matrix i, r[i] = elements
//                      (l / 4, 2 (l % 4)) and the one to its right; turned: of the transpose
//   multiply_add(c, a, b)
//                      c (16 x 8, f32) += a (16 x 16, bf16) b (16 x 8, bf16) on tensor cores. With g
//                      = lane / 4 and t = lane % 4, in pairs along a row (a, c) or a column (b):
//                      a[0] (g, 2t)  a[1] (g + 8, 2t)  a[2] (g, 2t + 8)  a[3] (g + 8, 2t + 8)
//                      b[0] (2t, g)  b[1] (2t + 8, g);  c[0], c[1] (g, 2t), (g, 2t + 1), c[2], c[3]
//                      the same of row g + 8
//   copy_later(shared, global, filled)
//                      16 bytes without waiting (cp.async), the last 16 - filled of them zeros
//   close_copy_group(), wait_for_copies<n>()
//                      all copies since the last one form a group; until at most n groups of this
//                      thread are under way. Other threads see them behind a barrier
#pragma once

#ifdef MIM_SIMT
#include "simt/device.h"
#else
#include "cuda/nvidia.h"
#endif
