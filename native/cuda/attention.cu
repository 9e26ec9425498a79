// Attention on the GPU: fused kernels, no score ever in memory. bf16 runs on tensor cores with floats
// between the products; f32 runs the same kernels on multiply-adds. Which lane holds what is told in
// attention_products.h, each kernel's launch shape beside it.
#include "cuda/attention_launch.h"

namespace mim::cuda {

MIM_ATTENTION_OF_DIM(extern, 32)
MIM_ATTENTION_OF_DIM(extern, 64)
MIM_ATTENTION_OF_DIM(extern, 80)
MIM_ATTENTION_OF_DIM(extern, 128)

namespace {

// Calls body(storage type, std::integral_constant) of the smallest head dimension that kernels are
// made for and that holds q's.
template <class Body>
void dispatch(const view& q, Body&& body) {
    dispatch_dtype(q.dtype, [&](auto tag) {
        const int64_t dim = q.shape[3];
        if (dim <= 32) return body(tag, std::integral_constant<int, 32>{});
        if (dim <= 64) return body(tag, std::integral_constant<int, 64>{});
        if (dim <= 80) return body(tag, std::integral_constant<int, 80>{});
        body(tag, std::integral_constant<int, 128>{});
    });
}

}  // namespace

void gpu::attention_forward(context& ctx, const view& out, const view& lse, const view& q,
                            const view& k, const view& v, const view* bias, const view* windows,
                            const view* mask, const view* table, const view* buckets,
                            const mim_attention_params& params) {
    dispatch(q, [&](auto tag, auto dim) {
        launch_attention_forward<decltype(tag), dim.value>(
            *this, ctx, {out, lse, q, k, v, {bias, windows, mask, table, buckets}, params.scale});
    });
}

void gpu::attention_backward(context& ctx, const view& dq, const view& dk, const view& dv,
                             const view* dbias, const view* dtable, const view& dout, const view& q,
                             const view& k, const view& v, const view* bias, const view* windows,
                             const view* mask, const view* table, const view* buckets,
                             const view& out, const view& lse, const mim_attention_params& params) {
    dispatch(q, [&](auto tag, auto dim) {
        launch_attention_backward<decltype(tag), dim.value>(*this, ctx,
                                                            {dq,
                                                             dk,
                                                             dv,
                                                             dbias,
                                                             dtable,
                                                             dout,
                                                             q,
                                                             k,
                                                             v,
                                                             out,
                                                             lse,
                                                             {bias, windows, mask, table, buckets},
                                                             params.scale});
    });
}

}  // namespace mim::cuda
