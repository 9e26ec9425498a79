// Pixels to the values that a network reads: argument checks (targets.h).
#include "core/context.h"

using namespace mim;

mim_status mim_normalize_images(mim_context* ctx, const mim_view* y, const mim_view* x,
                                const mim_view* mean, const mim_view* std) {
    return guarded("mim_normalize_images", [&] {
        require_present({MIM_ARG(ctx), MIM_ARG(y), MIM_ARG(x), MIM_ARG(mean), MIM_ARG(std)});
        require_dense(*x, "x", 4);
        require_dtype(*x, "x", MIM_U8);
        const int64_t channels = x->shape[3];
        require_dense_shape(*y, "y", {x->shape[0], channels, x->shape[1], x->shape[2]});
        require_dense_shape(*mean, "mean", {channels});
        require_dense_shape(*std, "std", {channels});
        ctx->on_device({{y, "y"}, {x, "x"}, {mean, "mean"}, {std, "std"}});
        ctx->run().normalize_images(*ctx, *y, *x, *mean, *std);
    });
}
