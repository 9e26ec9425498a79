// GELU: argument checks (layers.h).
#include "core/context.h"

using namespace mim;

mim_status mim_gelu_forward(mim_context* ctx, const mim_view* y, const mim_view* x) {
    return guarded("mim_gelu_forward", [&] {
        require_present({MIM_ARG(ctx), MIM_ARG(y), MIM_ARG(x)});
        require_dense(*x, "x");
        require_compute_dtype(*x, "x");
        require_dense(*y, "y");
        require_same_dtype(*y, "y", *x, "x");
        require_same_shape(*y, "y", *x, "x");
        ctx->on_device({{y, "y"}, {x, "x"}});
        ctx->run().gelu_forward(*ctx, *y, *x);
    });
}

mim_status mim_gelu_backward(mim_context* ctx, const mim_view* dx, const mim_view* dy,
                             const mim_view* x) {
    return guarded("mim_gelu_backward", [&] {
        require_present({MIM_ARG(ctx), MIM_ARG(dx), MIM_ARG(dy), MIM_ARG(x)});
        require_dense(*x, "x");
        require_compute_dtype(*x, "x");
        for (const auto& [v, name] : {std::pair(dx, "dx"), std::pair(dy, "dy")}) {
            require_dense(*v, name);
            require_same_dtype(*v, name, *x, "x");
            require_same_shape(*v, name, *x, "x");
        }
        ctx->on_device({{dx, "dx"}, {dy, "dy"}, {x, "x"}});
        ctx->run().gelu_backward(*ctx, *dx, *dy, *x);
    });
}
