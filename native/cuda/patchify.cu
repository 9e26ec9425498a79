// Patchify on the GPU. Backward turns the ids round first: a block adds up all rows of one patch, in
// their order, and so each pixel is written once.
#include <limits>

#include "cuda/patches.h"
#include "cuda/token_rows.h"

namespace mim::cuda {

namespace {

// grid (B K), one block a patch: a thread writes n neighbouring values at once. Their pixels lie in
// runs of a patch's width; with `runs` n of them are one load, else lines that several threads read
// come from the level 1 cache.
template <class T, int n, bool runs>
__global__ void read_patches_kernel(T* patches, const float* images, const int32_t* ids,
                                    int64_t kept, patch_grid grid) {
    const uint32_t row = blockIdx.x, image = row / uint32_t(kept);
    const int64_t patch = ids == nullptr ? row - image * uint32_t(kept) : ids[row];
    const bool exists = patch >= 0 && patch < grid.patches;
    const float* pixels = images + image * grid.pixels() + (exists ? grid.origin(patch) : 0);
    const int64_t count = grid.values();
    patches += int64_t(row) * count;
    for (int64_t i = threadIdx.x * n; i < count; i += blockDim.x * n) {
        float values[n];
        if constexpr (runs)
            load_floats(values, pixels + grid.offset(uint32_t(i)));
        else
            for (int j = 0; j < n; ++j) values[j] = pixels[grid.offset(uint32_t(i + j))];
        if (!exists)
            for (int j = 0; j < n; ++j) values[j] = nanf("");
        store_floats(patches + i, values);
    }
}

// grid (B L), one block a patch: neighbouring threads have neighbouring values; those of a row of
// pixels are added to a run of a patch's width.
template <class T>
__global__ void add_patches_kernel(float* dimages, const T* dpatches, id_places places,
                                   patch_grid grid) {
    const uint32_t patches = uint32_t(grid.patches), image = blockIdx.x / patches,
                   patch = blockIdx.x - image * patches;
    const int64_t count = grid.values();
    const int64_t first = places.first_of(image, patch);
    float* pixels = dimages + image * grid.pixels() + grid.origin(patch);
    for (int64_t i = threadIdx.x; first >= 0 && i < count; i += blockDim.x) {
        float* pixel = pixels + grid.offset(uint32_t(i));
        float sum = *pixel;
        for (int64_t k = first; k >= 0; k = places.next_of(image, k))
            sum += float(dpatches[(image * places.kept + k) * count + i]);
        *pixel = sum;
    }
}

}  // namespace

void gpu::patchify_forward(context& ctx, const view& patches, const view& images, const view* ids,
                           const mim_patchify_params& params) {
    if (ctx.planning()) return;
    const patch_grid grid(images, params.patch_height, params.patch_width, params.order);
    const int64_t kept = patches.shape[1], rows = patches.shape[0] * kept;
    dispatch_dtype(patches.dtype, [&](auto tag) {
        using T = decltype(tag);
        dispatch_width<T>(grid.values(), {patches.data, images.data}, [&](auto width) {
            constexpr int n = decltype(width)::value;
            const bool runs =
                !grid.pixels_first && grid.patch_width % n == 0 && (n == 1 || grid.width % 4 == 0);
            launch({blocks_for(rows, 1), threads_for(grid.values() / n)},
                   runs ? read_patches_kernel<T, n, true> : read_patches_kernel<T, n, false>,
                   data<T>(patches), static_cast<const float*>(data<float>(images)),
                   static_cast<const int32_t*>(data<int32_t>(ids)), kept, grid);
        });
    });
}

void gpu::patchify_backward(context& ctx, const view& dimages, const view& dpatches,
                            const view* ids, const mim_patchify_params& params) {
    const patch_grid grid(dimages, params.patch_height, params.patch_width, params.order);
    const id_places places(ctx, ids, grid.patches);
    if (ctx.planning()) return;
    places.fill(*this, ids);
    dispatch_dtype(dpatches.dtype, [&](auto tag) {
        using T = decltype(tag);
        launch({blocks_for(dimages.shape[0] * grid.patches, 1), threads_for(grid.values())},
               add_patches_kernel<T>, data<float>(dimages),
               static_cast<const T*>(data<T>(dpatches)), places, grid);
    });
}

}  // namespace mim::cuda
