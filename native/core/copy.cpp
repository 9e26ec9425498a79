// Copy and fill: argument checks (tensor.h).
#include "core/context.h"

using namespace mim;

mim_status mim_copy(mim_context* ctx, const mim_view* dst, const mim_view* src) {
    return guarded("mim_copy", [&] {
        require_present({MIM_ARG(ctx), MIM_ARG(dst), MIM_ARG(src)});
        require_view(*dst, "dst");
        require_view(*src, "src");
        require_same_shape(*dst, "dst", *src, "src");
        const bool convertible = (dst->dtype == MIM_F32 || dst->dtype == MIM_BF16) &&
                                 (src->dtype == MIM_F32 || src->dtype == MIM_BF16);
        if (!convertible) require_same_dtype(*dst, "dst", *src, "src");
        for (const auto& [v, name] : {std::pair(dst, "dst"), std::pair(src, "src")})
            if (v->device != MIM_CPU && v->device != ctx->device_kind())
                fail_argument(std::string(name) +
                              " lies on neither the CPU nor the context's device");
        ctx->run().copy(*ctx, *dst, *src);
    });
}

mim_status mim_fill(mim_context* ctx, const mim_view* y, float value) {
    return guarded("mim_fill", [&] {
        require_present({MIM_ARG(ctx), MIM_ARG(y)});
        require_dense(*y, "y");
        require_compute_dtype(*y, "y");
        ctx->on_device({{y, "y"}});
        ctx->run().fill(*ctx, *y, value);
    });
}
