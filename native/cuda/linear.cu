// Linear: the products are cuBLASLt's with the bias in their epilogue; the bias gradient is a sum
// over rows.
#include "cuda/column_sums.h"
#include "cuda/gpu.h"

namespace mim::cuda {

namespace {

__global__ void round_kernel(bf16* to, const float* from, int64_t count) {
    const int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i < count) to[i] = bf16(from[i]);
}

}  // namespace

// cuBLASLt adds a bias of the result's dtype alone.
void gpu::multiply(const matrix_product& product, void* c, const void* a, const void* b,
                   const float* bias, const product_scratch& scratch) {
    multiply_with(product, c, a, b, bias_in(product.c.dtype, bias, product.n, scratch.bias),
                  scratch);
}

const void* gpu::bias_in(int32_t dtype, const float* bias, int64_t count, bf16* rounded) {
    if (bias == nullptr || dtype != MIM_BF16) return bias;
    launch({blocks_for(count, 256), 256}, round_kernel, rounded, bias, count);
    return rounded;
}

void gpu::multiply_with(const matrix_product& product, void* c, const void* a, const void* b,
                        const void* bias, const product_scratch& scratch) {
    // field by field: between them lie bytes that are nobody's
    const auto& [m, n, k, lc, la, lb, has_bias, accumulate] = product;
    if (step_.takes(m, n, k, lc.dtype, lc.row_stride, lc.column_stride, la.dtype, la.row_stride,
                    la.column_stride, lb.dtype, lb.row_stride, lb.column_stride, has_bias,
                    accumulate, c, a, b, bias, scratch.workspace))
        matmul_.run(product, c, a, b, bias, scratch.workspace, stream_);
}

void gpu::linear_forward(context& ctx, const view& y, const view& x, const view& w,
                         const view* bias) {
    const product_scratch scratch(ctx, y.dtype, bias == nullptr ? 0 : w.shape[0]);
    if (ctx.planning()) return;
    // y (R, N) = x (R, K) w^T (K, N) + bias
    multiply({.m = x.shape[0],
              .n = w.shape[0],
              .k = w.shape[1],
              .c = layout_of(y),
              .a = layout_of(x),
              .b = layout_of(w).transposed(),
              .bias = bias != nullptr},
             y.data, x.data, w.data, data<float>(bias), scratch);
}

void gpu::linear_backward(context& ctx, const view* dx, const view* dw, const view* dbias,
                          const view& dy, const view& x, const view& w) {
    const int64_t rows = x.shape[0], outputs = w.shape[0], inputs = w.shape[1];
    const product_scratch scratch(ctx, dy.dtype, 0);
    const column_sums sums(ctx, rows, outputs, dbias != nullptr);
    if (ctx.planning()) return;
    if (dbias != nullptr) sums.add_rows(*this, data<float>(dbias), dy);
    if (dx != nullptr)  // dx (R, K) = dy (R, N) w (N, K)
        multiply({.m = rows,
                  .n = inputs,
                  .k = outputs,
                  .c = layout_of(*dx),
                  .a = layout_of(dy),
                  .b = layout_of(w)},
                 dx->data, dy.data, w.data, nullptr, scratch);
    if (dw != nullptr)  // dw (N, K) += dy^T (N, R) x (R, K)
        multiply({.m = outputs,
                  .n = inputs,
                  .k = rows,
                  .c = layout_of(*dw),
                  .a = layout_of(dy).transposed(),
                  .b = layout_of(x),
                  .accumulate = true},
                 dw->data, dy.data, x.data, nullptr, scratch);
}

}  // namespace mim::cuda
