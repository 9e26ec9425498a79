// Linear: the products are oneDNN's (matmul.h), the bias is in their epilogue, its gradient is a
// pass of our own.
#include "cpu/column_sums.h"
#include "cpu/matmul.h"
#include "cpu/processor.h"

namespace mim::cpu {

void processor::linear_forward(context& ctx, const view& y, const view& x, const view& w,
                               const view* bias) {
    // y (R, N) = x (R, K) w^T (K, N) + bias
    const auto xw = matmul::of({.m = x.shape[0],
                                .n = w.shape[0],
                                .k = w.shape[1],
                                .c = layout_of(y),
                                .a = layout_of(x),
                                .b = layout_of(w).transposed(),
                                .bias = bias != nullptr,
                                .threads = ctx.threads()});
    void* scratch = ctx.scratch<char>(xw->scratch_bytes());
    if (ctx.planning()) return;
    xw->run(y.data, x.data, w.data, data<float>(bias), scratch);
}

void processor::linear_backward(context& ctx, const view* dx, const view* dw, const view* dbias,
                                const view& dy, const view& x, const view& w) {
    const int64_t rows = x.shape[0], outputs = w.shape[0], inputs = w.shape[1];
    column_sums sums(ctx, outputs, dbias != nullptr);
    std::shared_ptr<const matmul> dx_product, dw_product;
    if (dx != nullptr)  // dx (R, K) = dy (R, N) w (N, K)
        dx_product = matmul::of({.m = rows,
                                 .n = inputs,
                                 .k = outputs,
                                 .c = layout_of(*dx),
                                 .a = layout_of(dy),
                                 .b = layout_of(w),
                                 .threads = ctx.threads()});
    if (dw != nullptr)  // dw (N, K) += dy^T (N, R) x (R, K)
        dw_product = matmul::of({.m = outputs,
                                 .n = inputs,
                                 .k = rows,
                                 .c = layout_of(*dw),
                                 .a = layout_of(dy).transposed(),
                                 .b = layout_of(x),
                                 .accumulate = true,
                                 .threads = ctx.threads()});
    void* scratch = ctx.scratch<char>(std::max(dx_product ? dx_product->scratch_bytes() : 0,
                                               dw_product ? dw_product->scratch_bytes() : 0));
    if (ctx.planning()) return;

    if (dbias != nullptr) {
        sums.clear();
        sums.add_rows(ctx, dy);
        sums.add_to(ctx, data<float>(dbias));
    }
    if (dx_product) dx_product->run(dx->data, dy.data, w.data, nullptr, scratch);
    if (dw_product) dw_product->run(dw->data, dy.data, x.data, nullptr, scratch);
}

}  // namespace mim::cpu
