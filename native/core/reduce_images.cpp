// Images at a lower resolution: argument checks (targets.h).
#include "core/context.h"

using namespace mim;

mim_status mim_reduce_images(mim_context* ctx, const mim_view* y, const mim_view* x,
                             const mim_reduce_images_params* params) {
    return guarded("mim_reduce_images", [&] {
        require_present({MIM_ARG(ctx), MIM_ARG(y), MIM_ARG(x)});
        require_params(params);
        require_dense(*x, "x", 4);
        require_dtype(*x, "x", MIM_F32);
        const int64_t factor = params->factor, height = x->shape[2], width = x->shape[3];
        if (factor < 1 || height % factor != 0 || width % factor != 0)
            fail_argument("params.factor is " + std::to_string(factor) +
                          ", expected at least 1 and a divisor of the height and the width of x, " +
                          std::to_string(height) + " and " + std::to_string(width));
        require_dense_shape(*y, "y", {x->shape[0], x->shape[1], height / factor, width / factor});
        ctx->on_device({{y, "y"}, {x, "x"}});
        ctx->run().reduce_images(*ctx, *y, *x, *params);
    });
}
