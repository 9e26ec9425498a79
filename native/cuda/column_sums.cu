#include "cuda/column_sums.h"

#include "cuda/column_bands.h"
#include "cuda/vectors.h"

namespace mim::cuda {

namespace {

constexpr unsigned columns_per_block = 32, rows_at_once = 8;

// grid (ceil(cols / (32 n)), parts), block (32, 8): a warp reads 32 neighbouring pieces of n
// columns, 16 bytes or one column, of every eighth row of its band; the eight sums of a column are
// then added in their order.
template <class T, int n>
__global__ void sum_bands_kernel(float* parts, const T* x, int64_t rows, int64_t cols,
                                 int64_t row_stride, int64_t rows_per_band) {
    const band_of_thread<n> band(rows, rows_per_band);
    float sums[n] = {};
    if (band.column < cols)
        for (unsigned r = band.row; r < band.end; r += rows_at_once) {
            float values[n];
            load_floats(values, x + r * row_stride + band.column);
#pragma unroll
            for (int i = 0; i < n; ++i) sums[i] += values[i];
        }
    store_band_sums(parts, sums, cols, /*add=*/false);
}

// grid ceil(cols / 32), block (32, 8): the same with parts in the place of rows.
__global__ void add_parts_kernel(float* sums, const float* parts, int64_t count, int64_t cols) {
    block_memory memory;
    float* shared = memory.take<float>(rows_at_once * columns_per_block);
    const int64_t column = int64_t(blockIdx.x) * columns_per_block + threadIdx.x;
    float sum = 0;
    if (column < cols)
        for (int64_t i = threadIdx.y; i < count; i += rows_at_once) sum += parts[i * cols + column];
    shared[threadIdx.y * columns_per_block + threadIdx.x] = sum;
    wait_block();
    if (threadIdx.y != 0 || column >= cols) return;
    for (unsigned i = 1; i < rows_at_once; ++i) sum += shared[i * columns_per_block + threadIdx.x];
    sums[column] += sum;
}

void launch_add_parts(gpu& device, float* sums, const float* parts, int64_t count, int64_t cols) {
    device.launch({blocks_for(cols, columns_per_block),
                   {columns_per_block, rows_at_once},
                   shared_bytes<float>(rows_at_once * columns_per_block)},
                  add_parts_kernel, sums, parts, count, cols);
}

}  // namespace

void column_sums::add_rows(gpu& device, float* sums, const view& x) const {
    if (parts_ == nullptr) return;
    if (rows_ > 0x7fffffff || cols_ > 0x3fffffff)
        fail_unsupported("a matrix is too large for one CUDA launch");
    const int64_t band = (rows_ + count_ - 1) / count_;
    const unsigned bands = blocks_for(rows_, band);
    dispatch_dtype(x.dtype, [&](auto tag) {
        using T = decltype(tag);
        const auto run = [&](auto kernel, int n) {
            device.launch({{blocks_for(cols_, int64_t(columns_per_block) * n), bands},
                           {columns_per_block, rows_at_once},
                           shared_bytes<float>(int64_t(rows_at_once * columns_per_block) * n)},
                          kernel, parts_, data<T>(x), rows_, cols_, x.stride[0], band);
        };
        constexpr int n = per_vector<T>;
        if (cols_ % n == 0 && (rows_ == 1 || x.stride[0] % n == 0) && aligned_to_vectors({x.data}))
            run(sum_bands_kernel<T, n>, n);
        else
            run(sum_bands_kernel<T, 1>, 1);
    });
    launch_add_parts(device, sums, parts_, int64_t(bands), cols_);
}

void column_sums::add_parts(gpu& device, float* sums) const {
    if (parts_ != nullptr) launch_add_parts(device, sums, parts_, count_, cols_);
}

}  // namespace mim::cuda
