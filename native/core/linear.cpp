// Linear: argument checks (layers.h).
#include "core/context.h"

using namespace mim;

mim_status mim_linear_forward(mim_context* ctx, const mim_view* y, const mim_view* x,
                              const mim_view* w, const mim_view* bias) {
    return guarded("mim_linear_forward", [&] {
        require_present({MIM_ARG(ctx), MIM_ARG(y), MIM_ARG(x), MIM_ARG(w)});
        require_dense(*w, "w", 2);
        require_compute_dtype(*w, "w");
        require_view(*x, "x", 2);
        const int64_t rows = x->shape[0], inputs = w->shape[1], outputs = w->shape[0];
        require_rows(*x, "x", rows, inputs, w->dtype);
        require_rows(*y, "y", rows, outputs, w->dtype);
        if (bias != nullptr) require_dense_shape(*bias, "bias", {outputs});
        ctx->on_device({{y, "y"}, {x, "x"}, {w, "w"}, {bias, "bias"}});
        ctx->run().linear_forward(*ctx, *y, *x, *w, bias);
    });
}

mim_status mim_linear_backward(mim_context* ctx, const mim_view* dx, const mim_view* dw,
                               const mim_view* dbias, const mim_view* dy, const mim_view* x,
                               const mim_view* w) {
    return guarded("mim_linear_backward", [&] {
        require_present({MIM_ARG(ctx), MIM_ARG(dy), MIM_ARG(x), MIM_ARG(w)});
        require_dense(*w, "w", 2);
        require_compute_dtype(*w, "w");
        require_view(*x, "x", 2);
        const int64_t rows = x->shape[0], inputs = w->shape[1], outputs = w->shape[0];
        require_rows(*x, "x", rows, inputs, w->dtype);
        require_rows(*dy, "dy", rows, outputs, w->dtype);
        if (dx != nullptr) require_rows(*dx, "dx", rows, inputs, w->dtype);
        if (dw != nullptr) require_dense_shape(*dw, "dw", {outputs, inputs});
        if (dbias != nullptr) require_dense_shape(*dbias, "dbias", {outputs});
        ctx->on_device({{dx, "dx"}, {dw, "dw"}, {dbias, "dbias"}, {dy, "dy"}, {x, "x"}, {w, "w"}});
        ctx->run().linear_backward(*ctx, dx, dw, dbias, *dy, *x, *w);
    });
}
