// Relative position bias on the GPU. Forward gathers from the table. Backward adds what many pairs
// give to one row of the table, in an order that is always the same: a block looks through the
// index for 32 rows, lists the pairs that name one of them in the index's order, and each lane then
// adds what belongs to its row. Sums are double: the class token's rows have as many terms as there
// are tokens.
#include <algorithm>

#include "cuda/gpu.h"
#include "cuda/reduce.h"

namespace mim::cuda {

namespace {

constexpr unsigned block_warps = block / 32;
constexpr int heads_per_thread = 4;

// grid (ceil(pairs / 256), ceil(H / 4)), block 256: a thread has one pair, neighbours neighbouring
// ones, and writes up to four heads. A row that the table does not have gives NaN.
__global__ void __launch_bounds__(block)
    relative_position_bias_forward_kernel(float* bias, const float* table, const int32_t* index,
                                          int64_t rows, int heads, int64_t pairs) {
    const int64_t i = int64_t(blockIdx.x) * block + threadIdx.x;
    if (i >= pairs) return;
    const int64_t row = index[i];
    const int first = int(blockIdx.y) * heads_per_thread;
    for (int h = first; h < first + heads_per_thread && h < heads; ++h)
        bias[h * pairs + i] = row >= 0 && row < rows ? table[row * heads + h] : NAN;
}

constexpr int tile_pairs = 4096;                      // pairs that a block looks through at a time
constexpr int share = tile_pairs / int(block_warps);  // of a warp
constexpr int64_t most_slices = 16;

// grid (slices, ceil(R / 32)), block 256: lane l stands for row 32 blockIdx.y + l of the table, the
// slice is `tiles` tiles. A warp lists the pairs of its share of a tile; then it takes every eighth
// head and walks all lists: 32 gradients are gathered at once, then added by the lanes whose rows
// they belong to. `parts` (slices, R, H) gets the slice's sums.
__global__ void __launch_bounds__(block)
    relative_position_bias_backward_kernel(double* parts, const float* dbias, const int32_t* index,
                                           int64_t rows, int heads, int64_t pairs, int64_t tiles) {
    block_memory memory;
    uint32_t* lists = memory.take<uint32_t>(tile_pairs);  // place in the tile | lane << 16
    int* counts = memory.take<int>(block_warps);
    float* gathered = memory.take<float>(block);
    const int warp = int(threadIdx.x / 32), lane = int(threadIdx.x % 32);
    const unsigned first_row = blockIdx.y * 32;
    const int64_t row = int64_t(first_row) + lane;
    double* part = parts + (blockIdx.x * rows + row) * heads;
    float* mine = gathered + warp * 32;

    for (int64_t t = 0; t < tiles; ++t) {
        const int64_t begin = (blockIdx.x * tiles + t) * tile_pairs;
        int found = 0;
        for (int step = 0; step < share; step += 32) {
            const int place = warp * share + step + lane;
            const unsigned owner =
                begin + place < pairs ? unsigned(index[begin + place]) - first_row : 32;
            const uint32_t listed = lanes_where(owner < 32);
            if (owner < 32)
                lists[warp * share + found + count_lanes(listed & ((1u << lane) - 1))] =
                    uint32_t(place) | owner << 16;
            found += count_lanes(listed);
        }
        if (lane == 0) counts[warp] = found;
        wait_block();
        for (int h = warp; h < heads; h += int(block_warps)) {
            const float* from = dbias + h * pairs + begin;
            double sum = t == 0 || row >= rows ? 0.0 : part[h];
            for (int w = 0; w < int(block_warps); ++w)
                for (int base = 0; base < counts[w]; base += 32) {
                    const uint32_t* list = lists + w * share + base;
                    const int count = counts[w] - base < 32 ? counts[w] - base : 32;
                    if (lane < count) mine[lane] = from[list[lane] & 0xffffu];
                    wait_warp();
                    for (int j = 0; j < count; ++j)
                        if (int(list[j] >> 16) == lane) sum += double(mine[j]);
                    wait_warp();
                }
            if (row < rows) part[h] = sum;
        }
        wait_block();
    }
}

// One thread an element of the table.
__global__ void __launch_bounds__(block)
    add_slices_kernel(float* dtable, const double* parts, int64_t slices, int64_t count) {
    const int64_t i = int64_t(blockIdx.x) * block + threadIdx.x;
    if (i >= count) return;
    double sum = 0;
    for (int64_t s = 0; s < slices; ++s) sum += parts[s * count + i];
    dtable[i] += float(sum);
}

int heads_of(const view& table) {
    if (table.shape[1] > 65535 || table.shape[0] > 32 * 65535)
        fail_unsupported("a relative position table is too large for one CUDA launch");
    return int(table.shape[1]);
}

}  // namespace

void gpu::relative_position_bias_forward(context& ctx, const view& bias, const view& table,
                                         const view& index) {
    if (ctx.planning()) return;
    const int heads = heads_of(table);
    const int64_t pairs = elements(index);
    launch({{blocks_for(pairs, block), blocks_for(heads, heads_per_thread)}, block},
           relative_position_bias_forward_kernel, data<float>(bias), data<float>(table),
           data<int32_t>(index), table.shape[0], heads, pairs);
}

void gpu::relative_position_bias_backward(context& ctx, const view& dtable, const view& dbias,
                                          const view& index) {
    const int heads = heads_of(dtable);
    const int64_t rows = dtable.shape[0], pairs = elements(index);
    const int64_t tiles = (pairs + tile_pairs - 1) / tile_pairs;
    const int64_t tiles_per_slice = (tiles + most_slices - 1) / most_slices;
    const int64_t slices = (tiles + tiles_per_slice - 1) / tiles_per_slice;
    double* parts = ctx.scratch<double>(slices * rows * heads);
    if (ctx.planning()) return;
    launch({{unsigned(slices), blocks_for(rows, 32)},
            block,
            shared_bytes<uint32_t>(tile_pairs) + shared_bytes<int>(block_warps) +
                shared_bytes<float>(block)},
           relative_position_bias_backward_kernel, parts, data<float>(dbias), data<int32_t>(index),
           rows, heads, pairs, tiles_per_slice);
    launch({blocks_for(rows * heads, block), block}, add_slices_kernel, data<float>(dtable), parts,
           slices, rows * heads);
}

}  // namespace mim::cuda
