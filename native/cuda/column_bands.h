// One pass over a matrix that computes element by element and sums columns on the way: a block has
// some columns of a band of rows, a thread n neighbouring columns of every eighth row of it.
// Whoever wants no sums can walk in the same way, with what belongs to a column read once.
#pragma once

#include <algorithm>

#include "cuda/gpu.h"

namespace mim::cuda {

// The split depends on the shape alone, so the same shape gives the same bits.
struct column_bands {
    static constexpr unsigned lanes = 32, rows_at_once = 8;
    static constexpr int64_t least_band = 32, wanted_blocks = 132 * 8;  // 8 a multiprocessor

    int64_t rows, cols, bands, rows_per_band;

    column_bands(int64_t rows, int64_t cols, int32_t dtype) : rows(rows), cols(cols) {
        if (rows > 0x7fffffff || cols > 0x3fffffff)
            fail_unsupported("a matrix is too large for one CUDA launch");
        const int64_t columns = lanes * 16 / dtype_bytes(dtype);
        const int64_t across = (cols + columns - 1) / columns;
        const int64_t most = std::max<int64_t>(1, wanted_blocks / across);
        const int64_t band = std::max(least_band, (rows + most - 1) / most);
        rows_per_band = (band + rows_at_once - 1) / rows_at_once * rows_at_once;
        bands = (rows + rows_per_band - 1) / rows_per_band;
    }

    // grid (ceil(cols / (32 n)), bands), block (32, 8)
    launch_shape shape(int n, bool summed) const {
        return {{blocks_for(cols, lanes * n), unsigned(bands)},
                {lanes, rows_at_once},
                summed ? shared_bytes<float>(rows_at_once * lanes * n) : 0};
    }
};

// What a thread of such a launch walks.
template <int n>
struct band_of_thread {
    int column;         // the first of its n; at least cols where it has none
    unsigned row, end;  // every eighth row from `row` on

    __device__ band_of_thread(int64_t rows, int64_t rows_per_band)
        : column(int(blockIdx.x * column_bands::lanes + threadIdx.x) * n),
          row(unsigned(blockIdx.y * rows_per_band + threadIdx.y)),
          end(unsigned(
              rows < (blockIdx.y + 1) * rows_per_band ? rows : (blockIdx.y + 1) * rows_per_band)) {}
};

// The shared memory of store_band_sums: what a launch that sums was given, for one sum after the other.
template <int n>
__device__ float* memory_of_band_sums(block_memory& memory) {
    return memory.take<float>(column_bands::rows_at_once * column_bands::lanes * n);
}

// The sums of a block's eight rows of threads, added in their order, become the band's part (or are
// added to it). All threads of the block call it, with shared memory that nobody reads any more.
template <int n>
__device__ void store_band_sums(float* parts, const float (&sums)[n], int64_t cols, bool add,
                                float* shared) {
    constexpr int rows_at_once = int(column_bands::rows_at_once), lanes = int(column_bands::lanes);
    const int lane = int(threadIdx.x), y = int(threadIdx.y);
    for (int i = 0; i < n; ++i) shared[(i * rows_at_once + y) * lanes + lane] = sums[i];
    wait_block();
    float* part = parts + blockIdx.y * cols;
    for (int i = y; i < n; i += rows_at_once) {
        const int64_t column = int64_t(int(blockIdx.x) * lanes + lane) * n + i;
        if (column >= cols) continue;
        float sum = add ? part[column] : 0.0f;
        for (int j = 0; j < rows_at_once; ++j) sum += shared[(i * rows_at_once + j) * lanes + lane];
        part[column] = sum;
    }
}
template <int n>
__device__ void store_band_sums(float* parts, const float (&sums)[n], int64_t cols, bool add) {
    block_memory memory;
    store_band_sums(parts, sums, cols, add, memory_of_band_sums<n>(memory));
}

}  // namespace mim::cuda
