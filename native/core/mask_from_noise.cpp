// Random masks from noise: argument checks (tokens.h).
#include <cmath>
#include <limits>

#include "core/context.h"

using namespace mim;

namespace {

// Noise that is not a number has no place in an order. Like ids, it is looked at on the CPU alone.
void require_ordered(const context& ctx, const view& noise) {
    if (ctx.device_kind() != MIM_CPU || ctx.planning()) return;
    const float* values = data<float>(noise);
    for (int64_t i = 0, count = elements(noise); i < count; ++i)
        if (std::isnan(values[i]))
            fail_argument("noise holds NaN at (" + std::to_string(i / noise.shape[1]) + ", " +
                          std::to_string(i % noise.shape[1]) +
                          "), expected numbers that can be ordered");
}

}  // namespace

mim_status mim_mask_from_noise(mim_context* ctx, const mim_view* ids_keep,
                               const mim_view* ids_masked, const mim_view* ids_restore,
                               const mim_view* mask, const mim_view* noise) {
    return guarded("mim_mask_from_noise", [&] {
        require_present({MIM_ARG(ctx), MIM_ARG(ids_keep), MIM_ARG(ids_masked), MIM_ARG(ids_restore),
                         MIM_ARG(mask), MIM_ARG(noise)});
        require_dense(*noise, "noise", 2);
        require_dtype(*noise, "noise", MIM_F32);
        const int64_t batch = noise->shape[0], patches = noise->shape[1];
        if (patches > std::numeric_limits<int32_t>::max())
            fail_argument("noise is " + describe(*noise) +
                          ", expected no more patches than an i32 can count");
        require_dense_shape(*ids_restore, "ids_restore", {batch, patches}, MIM_I32);
        require_dense_shape(*mask, "mask", {batch, patches});
        require_dense(*ids_keep, "ids_keep", 2);
        require_dense_shape(*ids_keep, "ids_keep", {batch, ids_keep->shape[1]}, MIM_I32);
        if (ids_keep->shape[1] >= patches)
            fail_argument("ids_keep is " + describe(*ids_keep) +
                          ", expected to keep less than the " + std::to_string(patches) +
                          " patches of noise");
        require_dense_shape(*ids_masked, "ids_masked", {batch, patches - ids_keep->shape[1]},
                            MIM_I32);
        ctx->on_device({{ids_keep, "ids_keep"},
                        {ids_masked, "ids_masked"},
                        {ids_restore, "ids_restore"},
                        {mask, "mask"},
                        {noise, "noise"}});
        require_ordered(*ctx, *noise);
        ctx->run().mask_from_noise(*ctx, *ids_keep, *ids_masked, *ids_restore, *mask, *noise);
    });
}
