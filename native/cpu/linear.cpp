// Linear: the products are oneDNN's (matmul.h), the passes over rows before and after them are
// ours.
//
// The activation is a pass of its own behind the product, with and without a saved value `pre`:
// oneDNN could apply its erf as an epilogue, but a forward pass would then give other bits in
// training than in inference.
#include "cpu/column_sums.h"
#include "cpu/matmul.h"
#include "cpu/parallel.h"
#include "cpu/processor.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/linear.cpp"
#include "hwy/foreach_target.h"  // stays ahead of the others

#include "cpu/gelu-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mim::cpu {
namespace HWY_NAMESPACE {

constexpr int64_t rows_per_block = 4;

// y[r,n] = gelu(pre[r,n]); y and pre may be one.
void linear_activate(context& ctx, const view& y, const view& pre) {
    const int64_t rows = y.shape[0], cols = y.shape[1];
    dispatch_dtype(y.dtype, [&](auto tag) HWY_ATTR {
        using T = decltype(tag);
        parallel_for(ctx, rows, rows_per_block, [&](int64_t begin, int64_t end) HWY_ATTR {
            const float_lanes d;
            for (int64_t r = begin; r < end; ++r) {
                T* to = data<T>(y) + r * y.stride[0];
                const T* from = data<T>(pre) + r * pre.stride[0];
                for (int64_t n = 0; n < cols; n += lane_count())
                    store_some(gelu(d, load_some(d, from + n, cols - n)), d, to + n, cols - n);
            }
        });
    });
}

// dpre[r,n] = dy[r,n] gelu'(pre[r,n]), dense; the sums gather sum_r dpre[r,n], before dpre is
// rounded to its storage. Without an activation pre and dpre are null and dy itself is summed.
void linear_deactivate(context& ctx, void* dpre, const column_sums& sums, const view& dy,
                       const view* pre) {
    const int64_t rows = dy.shape[0], cols = dy.shape[1];
    dispatch_dtype(dy.dtype, [&](auto tag) HWY_ATTR {
        using T = decltype(tag);
        parallel_ranges(
            ctx, rows, rows_per_block, [&](int64_t begin, int64_t end, int64_t thread) HWY_ATTR {
                const float_lanes d;
                float* sum = sums.part(thread);
                for (int64_t r = begin; r < end; ++r) {
                    const T* gradient = data<T>(dy) + r * dy.stride[0];
                    for (int64_t n = 0; n < cols; n += lane_count()) {
                        const int64_t left = cols - n;
                        float_vector v = load_some(d, gradient + n, left);
                        if (pre != nullptr) {
                            const T* saved = data<T>(pre) + r * cols;
                            v = hn::Mul(v, gelu_derivative(d, load_some(d, saved + n, left)));
                            store_some(v, d, static_cast<T*>(dpre) + r * cols + n, left);
                        }
                        if (sum != nullptr)
                            store_some(hn::Add(load_some(d, sum + n, left), v), d, sum + n, left);
                    }
                }
            });
    });
}

}  // namespace HWY_NAMESPACE
}  // namespace mim::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mim::cpu {

HWY_EXPORT(linear_activate);
HWY_EXPORT(linear_deactivate);

namespace {

// Rows may be strided, columns are dense. A single row has no neighbour, so its stride says
// nothing.
matrix_layout layout(const view& v) {
    return {v.dtype, v.shape[0] == 1 ? v.shape[1] : v.stride[0], 1};
}

}  // namespace

void processor::linear_forward(context& ctx, const view& y, const view* pre, const view& x,
                               const view& w, const view* bias, const mim_linear_params& params) {
    const view& product = pre != nullptr ? *pre : y;
    // product (R, N) = x (R, K) w^T (K, N) + bias
    const auto xw = matmul::of({.m = x.shape[0],
                                .n = w.shape[0],
                                .k = w.shape[1],
                                .c = layout(product),
                                .a = layout(x),
                                .b = layout(w).transposed(),
                                .bias = bias != nullptr,
                                .threads = ctx.threads()});
    void* scratch = ctx.scratch<char>(xw->scratch_bytes());
    if (ctx.planning()) return;
    xw->run(product.data, x.data, w.data, data<float>(bias), scratch);
    if (params.activation == MIM_ACTIVATION_GELU)
        HWY_DYNAMIC_DISPATCH(linear_activate)(ctx, y, product);
}

void processor::linear_backward(context& ctx, const view* dx, const view* dw, const view* dbias,
                                const view& dy, const view& x, const view& w, const view* pre,
                                const mim_linear_params&) {
    const int64_t rows = x.shape[0], outputs = w.shape[0], inputs = w.shape[1];
    // dpre (R, N): dy where there is no activation
    matrix_layout dpre = layout(dy);
    void* dpre_data = dy.data;
    if (pre != nullptr) {
        dpre = layout(*pre);
        dpre_data = ctx.scratch<char>(rows * outputs * dtype_bytes(dy.dtype));
    }
    column_sums sums(ctx, outputs, dbias != nullptr);

    std::shared_ptr<const matmul> dx_product, dw_product;
    if (dx != nullptr)  // dx (R, K) = dpre (R, N) w (N, K)
        dx_product = matmul::of({.m = rows,
                                 .n = inputs,
                                 .k = outputs,
                                 .c = layout(*dx),
                                 .a = dpre,
                                 .b = layout(w),
                                 .threads = ctx.threads()});
    if (dw != nullptr)  // dw (N, K) += dpre^T (N, R) x (R, K)
        dw_product = matmul::of({.m = outputs,
                                 .n = inputs,
                                 .k = rows,
                                 .c = layout(*dw),
                                 .a = dpre.transposed(),
                                 .b = layout(x),
                                 .accumulate = true,
                                 .threads = ctx.threads()});
    void* scratch = ctx.scratch<char>(std::max(dx_product ? dx_product->scratch_bytes() : 0,
                                               dw_product ? dw_product->scratch_bytes() : 0));
    if (ctx.planning()) return;

    if (pre != nullptr || dbias != nullptr) {
        sums.clear();
        HWY_DYNAMIC_DISPATCH(linear_deactivate)(ctx, dpre_data, sums, dy, pre);
        sums.add_to(ctx, data<float>(dbias));
    }
    if (dx_product) dx_product->run(dx->data, dpre_data, w.data, nullptr, scratch);
    if (dw_product) dw_product->run(dw->data, dpre_data, x.data, nullptr, scratch);
}

}  // namespace mim::cpu
#endif
