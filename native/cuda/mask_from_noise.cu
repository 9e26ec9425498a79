// Random masks from noise on the GPU. As on the CPU, noise and place are packed into one number that
// orders like the two, so that sorting is a stable argsort. Sorted by merging: a key's place in two
// runs is its own place in one and, by bisection, the number of smaller keys in the other, which
// every key finds by itself.
#include <algorithm>
#include <cstring>
#include <utility>

#include "cuda/gpu.h"

namespace mim::cuda {

namespace {

constexpr int64_t tile_keys = 4096;  // keys that one block sorts; a longer row takes more than one
// An unsigned integer that orders like the float: negative numbers are complemented, others get the
// upper bit. Both zeros are one number. NaN comes behind infinity, or before minus infinity.
__device__ uint64_t key_of(float value, int64_t place) {
    const float unsigned_zero = value == 0.0f ? 0.0f : value;
    uint32_t bits;
    memcpy(&bits, &unsigned_zero, sizeof bits);
    const uint32_t ordered = bits >> 31 != 0 ? ~bits : bits | 0x80000000u;
    return uint64_t(ordered) << 32 | uint64_t(place);
}

// Where key i goes when each two sorted runs of `run` keys become one; the last may be shorter.
__device__ int64_t merged_place(const uint64_t* keys, int64_t i, int64_t run, int64_t count) {
    const int64_t begin = i / (2 * run) * (2 * run), middle = begin + run;
    if (middle >= count) return i;
    const uint64_t key = keys[i];
    const int64_t other = i < middle ? middle : begin;  // the run that i is not in
    const int64_t end = other + run < count ? other + run : count;
    int64_t low = other, high = end;
    while (low < high) {
        const int64_t half = (low + high) / 2;
        if (keys[half] < key)
            low = half + 1;
        else
            high = half;
    }
    return begin + (i < middle ? i - begin : i - middle) + (low - other);
}

// What is written of each image.
struct masks {
    int32_t *keep, *masked, *restore;
    float* mask;
    int64_t patches, kept;

    __device__ void write(int64_t image, int64_t rank, uint64_t key) const {
        const int64_t patch = int64_t(key & 0xffffffffu);
        if (rank < kept)
            keep[image * kept + rank] = int32_t(patch);
        else
            masked[image * (patches - kept) + rank - kept] = int32_t(patch);
        restore[image * patches + patch] = int32_t(rank);
        mask[image * patches + patch] = rank < kept ? 0.0f : 1.0f;
    }
};

// grid (B, tiles): a block sorts one tile of one image in shared memory. Runs grow from one key to
// all of them; each round goes from one array to the other. A single tile is a whole image and is
// written as masks, several as sorted keys.
__global__ void sort_tiles_kernel(uint64_t* sorted, masks to, const float* noise) {
    const int64_t image = blockIdx.x, first = int64_t(blockIdx.y) * tile_keys;
    const int64_t count = to.patches - first < tile_keys ? to.patches - first : tile_keys;
    block_memory memory;
    uint64_t* keys = memory.take<uint64_t>(to.patches < tile_keys ? to.patches : tile_keys);
    uint64_t* next = memory.take<uint64_t>(to.patches < tile_keys ? to.patches : tile_keys);
    for (int64_t i = threadIdx.x; i < count; i += blockDim.x)
        keys[i] = key_of(noise[image * to.patches + first + i], first + i);
    wait_block();
    for (int64_t run = 1; run < count; run *= 2) {
        for (int64_t i = threadIdx.x; i < count; i += blockDim.x)
            next[merged_place(keys, i, run, count)] = keys[i];
        wait_block();
        uint64_t* const old = keys;
        keys = next;
        next = old;
    }
    for (int64_t i = threadIdx.x; i < count; i += blockDim.x)
        if (sorted == nullptr)
            to.write(image, i, keys[i]);
        else
            sorted[image * to.patches + first + i] = keys[i];
}

// grid (B, ceil(L / 256)): a thread moves one key to its place in a run of twice the length; in the
// last round it writes the masks instead.
__global__ void merge_tiles_kernel(uint64_t* merged, masks to, const uint64_t* sorted,
                                   int64_t run) {
    const int64_t i = int64_t(blockIdx.y) * block + threadIdx.x, image = blockIdx.x;
    if (i >= to.patches) return;
    const uint64_t* keys = sorted + image * to.patches;
    const int64_t place = merged_place(keys, i, run, to.patches);
    if (merged == nullptr)
        to.write(image, place, keys[i]);
    else
        merged[image * to.patches + place] = keys[i];
}

}  // namespace

void gpu::mask_from_noise(context& ctx, const view& ids_keep, const view& ids_masked,
                          const view& ids_restore, const view& mask, const view& noise) {
    const int64_t batch = noise.shape[0], patches = noise.shape[1];
    const bool in_tiles = patches > tile_keys;
    uint64_t* from = in_tiles ? ctx.scratch<uint64_t>(batch * patches) : nullptr;
    uint64_t* into = in_tiles ? ctx.scratch<uint64_t>(batch * patches) : nullptr;
    if (ctx.planning()) return;
    const masks to = {data<int32_t>(ids_keep),
                      data<int32_t>(ids_masked),
                      data<int32_t>(ids_restore),
                      data<float>(mask),
                      patches,
                      ids_keep.shape[1]};
    const int64_t in_block = std::min(patches, tile_keys);
    launch({{blocks_for(batch, 1), blocks_for(patches, tile_keys)},
            unsigned(std::min<int64_t>((in_block + 31) / 32 * 32, 1024)),
            2 * shared_bytes<uint64_t>(in_block)},
           sort_tiles_kernel, from, to, static_cast<const float*>(data<float>(noise)));
    for (int64_t run = tile_keys; run < patches; run *= 2) {
        const bool is_last = 2 * run >= patches;
        launch({{blocks_for(batch, 1), blocks_for(patches, block)}, block}, merge_tiles_kernel,
               is_last ? nullptr : into, to, static_cast<const uint64_t*>(from), run);
        std::swap(from, into);
    }
}

}  // namespace mim::cuda
