// Gradient norm: argument checks (optimizer.h).
#include "core/context.h"

using namespace mim;

mim_status mim_gradient_norm(mim_context* ctx, const mim_view* norm, const mim_view* grad) {
    return guarded("mim_gradient_norm", [&] {
        require_present({MIM_ARG(ctx), MIM_ARG(norm), MIM_ARG(grad)});
        require_dense_shape(*norm, "norm", {1});
        require_dense(*grad, "grad", 1);
        require_dtype(*grad, "grad", MIM_F32);
        ctx->on_device({{norm, "norm"}, {grad, "grad"}});
        ctx->run().gradient_norm(*ctx, *norm, *grad);
    });
}
