// Sums over the lanes of a warp and the threads of a block, in an order that is always the same, and
// the largest value of a warp. Every lane, or thread, gets the result.
#pragma once

#include <cstdint>

#include "cuda/device.h"

namespace mim::cuda {

// All 32 lanes call it.
template <class T>
__device__ T warp_sum(T value) {
    for (int lanes = 16; lanes > 0; lanes /= 2) value += shuffle_xor(value, lanes);
    return value;
}

// The largest that is a number; -infinity where none is and each began with that.
inline __device__ float warp_max(float value) {
    for (int lanes = 16; lanes > 0; lanes /= 2) value = fmaxf(value, shuffle_xor(value, lanes));
    return value;
}

// All threads of a block of (threads, 1, 1) call it, with T of_warps[threads / 32] of the block, which
// nobody reads any more.
template <class T>
__device__ T block_sum_into(T value, T* of_warps) {
    value = warp_sum(value);
    if (threadIdx.x % 32 == 0) of_warps[threadIdx.x / 32] = value;
    wait_block();
    T sum = of_warps[0];
    for (unsigned warp = 1; warp < blockDim.x / 32; ++warp) sum += of_warps[warp];
    return sum;
}

// Takes shared_bytes<T>(threads / 32).
template <class T>
__device__ T block_sum(T value, block_memory& memory) {
    return block_sum_into(value, memory.take<T>(blockDim.x / 32));
}

// The same again and again in memory that the block keeps.
template <class T>
__device__ T block_sum(T value, T* of_warps) {
    wait_block();  // the sum before this one was read
    return block_sum_into(value, of_warps);
}

// How many lanes of lanes_where.
inline __device__ int count_lanes(uint32_t lanes) {
    lanes -= lanes >> 1 & 0x55555555u;
    lanes = (lanes & 0x33333333u) + (lanes >> 2 & 0x33333333u);
    return int(((lanes + (lanes >> 4)) & 0x0f0f0f0fu) * 0x01010101u >> 24);
}

}  // namespace mim::cuda
