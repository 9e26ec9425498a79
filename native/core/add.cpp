// Sum of two tensors: argument checks (tensor.h).
#include "core/context.h"

using namespace mim;

mim_status mim_add(mim_context* ctx, const mim_view* y, const mim_view* a, const mim_view* b) {
    return guarded("mim_add", [&] {
        require_present({MIM_ARG(ctx), MIM_ARG(y), MIM_ARG(a), MIM_ARG(b)});
        require_dense(*a, "a");
        require_compute_dtype(*a, "a");
        for (const auto& [v, name] : {std::pair(b, "b"), std::pair(y, "y")}) {
            require_dense(*v, name);
            require_same_dtype(*v, name, *a, "a");
            require_same_shape(*v, name, *a, "a");
        }
        ctx->on_device({{y, "y"}, {a, "a"}, {b, "b"}});
        ctx->run().add(*ctx, *y, *a, *b);
    });
}
