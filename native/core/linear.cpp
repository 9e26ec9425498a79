// Linear: argument checks (layers.h).
#include "core/context.h"

using namespace mim;

namespace {

// A matrix whose columns are dense and whose rows may lie apart, but not on top of each other.
void require_rows(const view& v, const char* name, int64_t rows, int64_t cols, int32_t dtype) {
    require_last_axis_dense(v, name, 2);
    require_dtype(v, name, dtype);
    require_shape(v, name, {rows, cols});
    if (rows > 1 && v.stride[0] < cols)
        fail_argument(std::string(name) + " has row stride " + std::to_string(v.stride[0]) +
                      ", expected at least its " + std::to_string(cols) + " columns");
}

void require_activation(const mim_linear_params* params, const view* pre) {
    require_params(params);
    if (params->activation != MIM_ACTIVATION_NONE && params->activation != MIM_ACTIVATION_GELU)
        fail_argument("params.activation is " + std::to_string(params->activation) +
                      ", which is no mim_activation");
    if (params->activation == MIM_ACTIVATION_NONE && pre != nullptr)
        fail_argument("pre is given, expected NULL: params.activation is MIM_ACTIVATION_NONE");
}

}  // namespace

mim_status mim_linear_forward(mim_context* ctx, const mim_view* y, const mim_view* pre,
                              const mim_view* x, const mim_view* w, const mim_view* bias,
                              const mim_linear_params* params) {
    return guarded("mim_linear_forward", [&] {
        require_present({MIM_ARG(ctx), MIM_ARG(y), MIM_ARG(x), MIM_ARG(w)});
        require_activation(params, pre);
        require_dense(*w, "w", 2);
        require_compute_dtype(*w, "w");
        require_view(*x, "x", 2);
        const int64_t rows = x->shape[0], inputs = w->shape[1], outputs = w->shape[0];
        require_rows(*x, "x", rows, inputs, w->dtype);
        require_rows(*y, "y", rows, outputs, w->dtype);
        if (pre != nullptr) require_dense_shape(*pre, "pre", {rows, outputs}, w->dtype);
        if (bias != nullptr) require_dense_shape(*bias, "bias", {outputs});
        ctx->on_device({{y, "y"}, {pre, "pre"}, {x, "x"}, {w, "w"}, {bias, "bias"}});
        ctx->run().linear_forward(*ctx, *y, pre, *x, *w, bias, *params);
    });
}

mim_status mim_linear_backward(mim_context* ctx, const mim_view* dx, const mim_view* dw,
                               const mim_view* dbias, const mim_view* dy, const mim_view* x,
                               const mim_view* w, const mim_view* pre,
                               const mim_linear_params* params) {
    return guarded("mim_linear_backward", [&] {
        require_present({MIM_ARG(ctx), MIM_ARG(dy), MIM_ARG(x), MIM_ARG(w)});
        require_activation(params, pre);
        if (params->activation != MIM_ACTIVATION_NONE && pre == nullptr)
            fail_argument(
                "pre is null, expected the value saved by forward: params.activation is not "
                "MIM_ACTIVATION_NONE");
        require_dense(*w, "w", 2);
        require_compute_dtype(*w, "w");
        require_view(*x, "x", 2);
        const int64_t rows = x->shape[0], inputs = w->shape[1], outputs = w->shape[0];
        require_rows(*x, "x", rows, inputs, w->dtype);
        require_rows(*dy, "dy", rows, outputs, w->dtype);
        if (dx != nullptr) require_rows(*dx, "dx", rows, inputs, w->dtype);
        if (pre != nullptr) require_dense_shape(*pre, "pre", {rows, outputs}, w->dtype);
        if (dw != nullptr) require_dense_shape(*dw, "dw", {outputs, inputs});
        if (dbias != nullptr) require_dense_shape(*dbias, "dbias", {outputs});
        ctx->on_device({{dx, "dx"},
                        {dw, "dw"},
                        {dbias, "dbias"},
                        {dy, "dy"},
                        {x, "x"},
                        {w, "w"},
                        {pre, "pre"}});
        ctx->run().linear_backward(*ctx, dx, dw, dbias, *dy, *x, *w, pre, *params);
    });
}
