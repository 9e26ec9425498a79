// LayerScale and stochastic depth: argument checks (layers.h).
#include "core/context.h"

using namespace mim;

namespace {

// x and y (R, C), gamma (C), sample_scale (S) where S divides R
void require_scales(const view& y, const char* y_name, const view& x, const char* x_name,
                    const view* gamma, const view* sample_scale) {
    require_dense(x, x_name, 2);
    require_compute_dtype(x, x_name);
    require_dense_shape(y, y_name, {x.shape[0], x.shape[1]}, x.dtype);
    if (gamma == nullptr && sample_scale == nullptr)
        fail_argument("gamma and sample_scale are null, expected at least one of them");
    if (gamma != nullptr) require_dense_shape(*gamma, "gamma", {x.shape[1]});
    if (sample_scale != nullptr) {
        require_dense(*sample_scale, "sample_scale", 1);
        require_dtype(*sample_scale, "sample_scale", MIM_F32);
        if (x.shape[0] % sample_scale->shape[0] != 0)
            fail_argument("sample_scale is " + describe(*sample_scale) +
                          ", expected a length that divides the " + std::to_string(x.shape[0]) +
                          " rows of " + x_name);
    }
}

}  // namespace

mim_status mim_layer_scale_forward(mim_context* ctx, const mim_view* y, const mim_view* x,
                                   const mim_view* gamma, const mim_view* sample_scale) {
    return guarded("mim_layer_scale_forward", [&] {
        require_present({MIM_ARG(ctx), MIM_ARG(y), MIM_ARG(x)});
        require_scales(*y, "y", *x, "x", gamma, sample_scale);
        ctx->on_device({{y, "y"}, {x, "x"}, {gamma, "gamma"}, {sample_scale, "sample_scale"}});
        ctx->run().layer_scale_forward(*ctx, *y, *x, gamma, sample_scale);
    });
}

mim_status mim_layer_scale_backward(mim_context* ctx, const mim_view* dx, const mim_view* dgamma,
                                    const mim_view* dy, const mim_view* x, const mim_view* gamma,
                                    const mim_view* sample_scale) {
    return guarded("mim_layer_scale_backward", [&] {
        require_present({MIM_ARG(ctx), MIM_ARG(dx), MIM_ARG(dy)});
        require_scales(*dx, "dx", *dy, "dy", gamma, sample_scale);
        if (dgamma != nullptr) {
            if (gamma == nullptr) fail_argument("dgamma is given, expected NULL: gamma is null");
            if (x == nullptr)
                fail_argument("x is null, expected the value saved by forward: dgamma is given");
            require_dense_shape(*dgamma, "dgamma", {dy->shape[1]});
        }
        if (x != nullptr) require_dense_shape(*x, "x", {dy->shape[0], dy->shape[1]}, dy->dtype);
        ctx->on_device({{dx, "dx"},
                        {dgamma, "dgamma"},
                        {dy, "dy"},
                        {x, "x"},
                        {gamma, "gamma"},
                        {sample_scale, "sample_scale"}});
        ctx->run().layer_scale_backward(*ctx, *dx, dgamma, *dy, x, gamma, sample_scale);
    });
}
