// Patchify: argument checks (tokens.h).
#include "core/ids.h"

using namespace mim;

namespace {

// Both directions take the same shapes; the names differ. Returns the number of patches L of an
// image.
int64_t require_patches(const view& patches, const char* patches_name, const view& images,
                        const char* images_name, const view* ids,
                        const mim_patchify_params* params) {
    require_params(params);
    require_dense(images, images_name, 4);
    require_dtype(images, images_name, MIM_F32);
    require_dense(patches, patches_name, 3);
    require_compute_dtype(patches, patches_name);
    const int64_t batch = images.shape[0], channels = images.shape[1], height = images.shape[2],
                  width = images.shape[3];
    for (const auto& [patch, side, name] : {std::tuple(params->patch_height, height, "height"),
                                            std::tuple(params->patch_width, width, "width")})
        if (patch < 1 || side % patch != 0)
            fail_argument(std::string("params.patch_") + name + " is " + std::to_string(patch) +
                          ", expected a divisor of the " + name + " of " + images_name + ", " +
                          std::to_string(side));
    if (params->order != MIM_PATCH_PIXELS_FIRST && params->order != MIM_PATCH_CHANNELS_FIRST)
        fail_argument("params.order is " + std::to_string(params->order) +
                      ", expected a mim_patch_order, 0 or 1");

    const int64_t grid = (height / params->patch_height) * (width / params->patch_width);
    const int64_t kept = ids != nullptr ? patches.shape[1] : grid;
    require_dense_shape(
        patches, patches_name,
        {batch, kept, int64_t(params->patch_height) * params->patch_width * channels},
        patches.dtype);
    if (ids != nullptr) require_dense_shape(*ids, "ids", {batch, kept}, MIM_I32);
    return grid;
}

}  // namespace

mim_status mim_patchify_forward(mim_context* ctx, const mim_view* patches, const mim_view* images,
                                const mim_view* ids, const mim_patchify_params* params) {
    return guarded("mim_patchify_forward", [&] {
        require_present({MIM_ARG(ctx), MIM_ARG(patches), MIM_ARG(images)});
        const int64_t grid = require_patches(*patches, "patches", *images, "images", ids, params);
        ctx->on_device({{patches, "patches"}, {images, "images"}, {ids, "ids"}});
        backend& device = ctx->run();
        if (ids != nullptr) require_ids(*ctx, *ids, "ids", grid);
        device.patchify_forward(*ctx, *patches, *images, ids, *params);
    });
}

mim_status mim_patchify_backward(mim_context* ctx, const mim_view* dimages,
                                 const mim_view* dpatches, const mim_view* ids,
                                 const mim_patchify_params* params) {
    return guarded("mim_patchify_backward", [&] {
        require_present({MIM_ARG(ctx), MIM_ARG(dimages), MIM_ARG(dpatches)});
        const int64_t grid =
            require_patches(*dpatches, "dpatches", *dimages, "dimages", ids, params);
        ctx->on_device({{dimages, "dimages"}, {dpatches, "dpatches"}, {ids, "ids"}});
        backend& device = ctx->run();
        if (ids != nullptr) require_ids(*ctx, *ids, "ids", grid);
        device.patchify_backward(*ctx, *dimages, *dpatches, ids, *params);
    });
}
