// Patchify on the CPU. Forward is parallel over patches. Backward is parallel over the channels of
// images, since ids may repeat: one thread adds all patches of its channel, in order.
#include "cpu/parallel.h"
#include "cpu/processor.h"
#include "cpu/token_rows.h"

namespace mim::cpu {

namespace {

patch_layout layout_of(const view& images, const mim_patchify_params& params) {
    return {images.shape[1],
            params.patch_height,
            params.patch_width,
            images.shape[3],
            images.shape[2] * images.shape[3],
            params.order == MIM_PATCH_PIXELS_FIRST};
}

// Where the upper left pixel of a patch lies in its channel: patches count along the rows of the
// grid.
int64_t corner_of(const patch_layout& layout, int64_t patch) {
    const int64_t columns = layout.line / layout.width;
    return patch / columns * layout.height * layout.line + patch % columns * layout.width;
}

}  // namespace

void processor::patchify_forward(context& ctx, const view& patches, const view& images,
                                 const view* ids, const mim_patchify_params& params) {
    if (ctx.planning()) return;
    const patch_layout layout = layout_of(images, params);
    const int64_t batch = patches.shape[0], kept = patches.shape[1], length = patches.shape[2];
    const int32_t* id = data<int32_t>(ids);
    const float* image = data<float>(images);
    dispatch_dtype(patches.dtype, [&](auto tag) {
        using T = decltype(tag);
        const auto read_patch = token_rows_of<T>().read_patch;
        T* patch = data<T>(patches);
        parallel_for(ctx, batch * kept, token_grain(length), [&](int64_t begin, int64_t end) {
            for (int64_t i = begin; i < end; ++i) {
                const int64_t b = i / kept, l = id != nullptr ? id[i] : i % kept;
                read_patch(patch + i * length,
                           image + b * layout.channels * layout.plane + corner_of(layout, l),
                           layout);
            }
        });
    });
}

void processor::patchify_backward(context& ctx, const view& dimages, const view& dpatches,
                                  const view* ids, const mim_patchify_params& params) {
    if (ctx.planning()) return;
    const patch_layout layout = layout_of(dimages, params);
    const int64_t batch = dpatches.shape[0], kept = dpatches.shape[1], length = dpatches.shape[2];
    const int32_t* id = data<int32_t>(ids);
    float* dimage = data<float>(dimages);
    dispatch_dtype(dpatches.dtype, [&](auto tag) {
        using T = decltype(tag);
        const auto add_channel = token_rows_of<T>().add_channel;
        const T* dpatch = data<T>(dpatches);
        parallel_for(ctx, batch * layout.channels, token_grain(layout.plane),
                     [&](int64_t begin, int64_t end) {
                         for (int64_t plane = begin; plane < end; ++plane) {
                             const int64_t b = plane / layout.channels, c = plane % layout.channels;
                             for (int64_t k = 0; k < kept; ++k) {
                                 const int64_t i = b * kept + k, l = id != nullptr ? id[i] : k;
                                 add_channel(dimage + plane * layout.plane + corner_of(layout, l),
                                             dpatch + i * length, layout, c);
                             }
                         }
                     });
    });
}

}  // namespace mim::cpu
