// Masked depthwise convolution: argument checks (convolution.h).
#include "core/context.h"

using namespace mim;

namespace {

// x (B, H, W, C) and another of its shape and dtype, w (C, k, k), keep (B, H, W)
void require_maps(const view& x, const view& other, const char* other_name, const view& w,
                  const view* keep, const mim_depthwise_conv_params* params) {
    require_params(params);
    const int64_t kernel = params->kernel;
    if (kernel < 1 || kernel > 11 || kernel % 2 == 0)
        fail_argument("params.kernel is " + std::to_string(kernel) +
                      ", expected 1, 3, 5, 7, 9 or 11");
    require_dense(x, "x", 4);
    require_compute_dtype(x, "x");
    const int64_t batch = x.shape[0], height = x.shape[1], width = x.shape[2], dim = x.shape[3];
    require_dense_shape(other, other_name, {batch, height, width, dim}, x.dtype);
    require_dense_shape(w, "w", {dim, kernel, kernel});
    if (keep != nullptr) require_dense_shape(*keep, "keep", {batch, height, width});
}

// Each result needs neighbours of its token, so none may take the place of what is read.
void require_apart(const context& ctx, const view& a, const char* a_name, const view& b,
                   const char* b_name) {
    if (!ctx.planning() && overlap(a, b))
        fail_argument(std::string(a_name) + " overlaps the memory of " + b_name +
                      ", expected another");
}

}  // namespace

mim_status mim_depthwise_conv_forward(mim_context* ctx, const mim_view* y, const mim_view* x,
                                      const mim_view* w, const mim_view* bias, const mim_view* keep,
                                      const mim_depthwise_conv_params* params) {
    return guarded("mim_depthwise_conv_forward", [&] {
        require_present({MIM_ARG(ctx), MIM_ARG(y), MIM_ARG(x), MIM_ARG(w)});
        require_maps(*x, *y, "y", *w, keep, params);
        if (bias != nullptr) require_dense_shape(*bias, "bias", {x->shape[3]});
        ctx->on_device({{y, "y"}, {x, "x"}, {w, "w"}, {bias, "bias"}, {keep, "keep"}});
        require_apart(*ctx, *y, "y", *x, "x");
        ctx->run().depthwise_conv_forward(*ctx, *y, *x, *w, bias, keep, *params);
    });
}

mim_status mim_depthwise_conv_backward(mim_context* ctx, const mim_view* dx, const mim_view* dw,
                                       const mim_view* dbias, const mim_view* dy, const mim_view* x,
                                       const mim_view* w, const mim_view* keep,
                                       const mim_depthwise_conv_params* params) {
    return guarded("mim_depthwise_conv_backward", [&] {
        require_present({MIM_ARG(ctx), MIM_ARG(dy), MIM_ARG(x), MIM_ARG(w)});
        if (dx == nullptr && dw == nullptr && dbias == nullptr)
            fail_argument("dx, dw and dbias are null, expected at least one of them");
        require_maps(*x, *dy, "dy", *w, keep, params);
        const int64_t dim = x->shape[3], kernel = params->kernel;
        if (dx != nullptr)
            require_dense_shape(*dx, "dx", {x->shape[0], x->shape[1], x->shape[2], dim}, x->dtype);
        if (dw != nullptr) require_dense_shape(*dw, "dw", {dim, kernel, kernel});
        if (dbias != nullptr) require_dense_shape(*dbias, "dbias", {dim});
        ctx->on_device({{dx, "dx"},
                        {dw, "dw"},
                        {dbias, "dbias"},
                        {dy, "dy"},
                        {x, "x"},
                        {w, "w"},
                        {keep, "keep"}});
        if (dx != nullptr) {
            require_apart(*ctx, *dx, "dx", *dy, "dy");
            require_apart(*ctx, *dx, "dx", *x, "x");
        }
        ctx->run().depthwise_conv_backward(*ctx, dx, dw, dbias, *dy, *x, *w, keep, *params);
    });
}
