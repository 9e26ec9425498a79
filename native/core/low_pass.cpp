// The low pass of images: argument checks (low_pass.h).
#include <cmath>

#include "core/context.h"

using namespace mim;

mim_status mim_low_pass(mim_context* ctx, const mim_view* y, const mim_view* x,
                        const mim_view* mean, const mim_view* std,
                        const mim_low_pass_params* params) {
    return guarded("mim_low_pass", [&] {
        require_present({MIM_ARG(ctx), MIM_ARG(y), MIM_ARG(x), MIM_ARG(mean), MIM_ARG(std)});
        require_params(params);
        if (params->mode != MIM_LOW_PASS_EXACT && params->mode != MIM_LOW_PASS_SYMMETRIC)
            fail_argument("params.mode is " + std::to_string(params->mode) +
                          ", expected a mim_low_pass_mode, 0 or 1");
        if (!(params->radius >= 0) || !std::isfinite(params->radius))
            fail_argument("params.radius is " + std::to_string(params->radius) +
                          ", expected at least 0 and finite");
        require_dense(*x, "x", 4);
        require_dtype(*x, "x", MIM_F32);
        const int64_t channels = x->shape[1];
        require_dense_shape(*y, "y", {x->shape[0], channels, x->shape[2], x->shape[3]});
        require_dense_shape(*mean, "mean", {channels});
        require_dense_shape(*std, "std", {channels});
        ctx->on_device({{y, "y"}, {x, "x"}, {mean, "mean"}, {std, "std"}});
        if (!ctx->planning() && overlap(*y, *x))
            fail_argument("y overlaps the memory of x, expected another");
        ctx->run().low_pass(*ctx, *y, *x, *mean, *std, *params);
    });
}
