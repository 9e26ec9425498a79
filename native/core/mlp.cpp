// The perceptron: argument checks (layers.h).
#include "core/context.h"

using namespace mim;

namespace {

struct mlp_sizes {
    int64_t rows, inputs, hidden, outputs;
    mlp_sizes(const view& x, const view& w1, const view& w2) {
        require_dense(w1, "w1", 2);
        require_compute_dtype(w1, "w1");
        require_view(x, "x", 2);
        require_view(w2, "w2", 2);
        rows = x.shape[0];
        hidden = w1.shape[0];
        inputs = w1.shape[1];
        outputs = w2.shape[0];
        require_dense_shape(w2, "w2", {outputs, hidden}, w1.dtype);
        require_rows(x, "x", rows, inputs, w1.dtype);
    }
};

}  // namespace

mim_status mim_mlp_forward(mim_context* ctx, const mim_view* y, const mim_view* pre,
                           const mim_view* x, const mim_view* w1, const mim_view* bias1,
                           const mim_view* w2, const mim_view* bias2) {
    return guarded("mim_mlp_forward", [&] {
        require_present({MIM_ARG(ctx), MIM_ARG(y), MIM_ARG(x), MIM_ARG(w1), MIM_ARG(w2)});
        const mlp_sizes s(*x, *w1, *w2);
        require_rows(*y, "y", s.rows, s.outputs, w1->dtype);
        if (pre != nullptr) require_dense_shape(*pre, "pre", {s.rows, s.hidden}, w1->dtype);
        if (bias1 != nullptr) require_dense_shape(*bias1, "bias1", {s.hidden});
        if (bias2 != nullptr) require_dense_shape(*bias2, "bias2", {s.outputs});
        ctx->on_device({{y, "y"},
                        {pre, "pre"},
                        {x, "x"},
                        {w1, "w1"},
                        {bias1, "bias1"},
                        {w2, "w2"},
                        {bias2, "bias2"}});
        ctx->run().mlp_forward(*ctx, *y, pre, *x, *w1, bias1, *w2, bias2);
    });
}

mim_status mim_mlp_backward(mim_context* ctx, const mim_view* dx, const mim_view* dw1,
                            const mim_view* dbias1, const mim_view* dw2, const mim_view* dbias2,
                            const mim_view* dy, const mim_view* x, const mim_view* pre,
                            const mim_view* w1, const mim_view* w2) {
    return guarded("mim_mlp_backward", [&] {
        require_present({MIM_ARG(ctx), MIM_ARG(dw1), MIM_ARG(dw2), MIM_ARG(dy), MIM_ARG(x),
                         MIM_ARG(pre), MIM_ARG(w1), MIM_ARG(w2)});
        const mlp_sizes s(*x, *w1, *w2);
        require_rows(*dy, "dy", s.rows, s.outputs, w1->dtype);
        require_dense_shape(*pre, "pre", {s.rows, s.hidden}, w1->dtype);
        if (dx != nullptr) require_rows(*dx, "dx", s.rows, s.inputs, w1->dtype);
        require_dense_shape(*dw1, "dw1", {s.hidden, s.inputs});
        if (dbias1 != nullptr) require_dense_shape(*dbias1, "dbias1", {s.hidden});
        require_dense_shape(*dw2, "dw2", {s.outputs, s.hidden});
        if (dbias2 != nullptr) require_dense_shape(*dbias2, "dbias2", {s.outputs});
        ctx->on_device({{dx, "dx"},
                        {dw1, "dw1"},
                        {dbias1, "dbias1"},
                        {dw2, "dw2"},
                        {dbias2, "dbias2"},
                        {dy, "dy"},
                        {x, "x"},
                        {pre, "pre"},
                        {w1, "w1"},
                        {w2, "w2"}});
        ctx->run().mlp_backward(*ctx, dx, *dw1, dbias1, *dw2, dbias2, *dy, *x, *pre, *w1, *w2);
    });
}
