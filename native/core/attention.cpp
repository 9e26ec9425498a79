// Attention: argument checks (attention.h).
#include <cmath>

#include "core/context.h"

using namespace mim;

namespace {

constexpr int64_t largest_dim = 128;

// (B, T, H, D), the last axis dense, in the dtype of q.
void require_heads(const view& v, const char* name, const view& q,
                   std::initializer_list<int64_t> shape) {
    require_last_axis_dense(v, name, 4);
    require_same_dtype(v, name, q, "q");
    require_shape(v, name, shape);
}

// A result has a place of its own for each element along each axis.
void require_writable(const view& v, const char* name) {
    for (int32_t i = 0; i < v.rank; ++i)
        if (v.shape[i] > 1 && v.stride[i] == 0)
            fail_argument(std::string(name) + " is a result but has stride 0 along axis " +
                          std::to_string(i));
}

// What forward and backward share: q, k and v agree, and so do out, lse and bias with them.
void require_attention(const view& out, const view& lse, const view& q, const view& k,
                       const view& v, const view* bias, const mim_attention_params* params) {
    require_params(params);
    if (!std::isfinite(params->scale))
        fail_argument("params.scale is " + std::to_string(params->scale) +
                      ", expected a finite number");
    require_last_axis_dense(q, "q", 4);
    require_compute_dtype(q, "q");
    const int64_t batch = q.shape[0], queries = q.shape[1], heads = q.shape[2], dim = q.shape[3];
    if (dim > largest_dim)
        fail_argument("q has a head dimension of " + std::to_string(dim) + ", expected 1 to " +
                      std::to_string(largest_dim));
    require_last_axis_dense(k, "k", 4);
    const int64_t keys = k.shape[1];
    require_heads(k, "k", q, {batch, keys, heads, dim});
    require_heads(v, "v", q, {batch, keys, heads, dim});
    require_heads(out, "out", q, {batch, queries, heads, dim});
    require_dense_shape(lse, "lse", {batch, heads, queries});
    if (bias != nullptr) require_dense_shape(*bias, "bias", {heads, queries, keys});
}

}  // namespace

mim_status mim_attention_forward(mim_context* ctx, const mim_view* out, const mim_view* lse,
                                 const mim_view* q, const mim_view* k, const mim_view* v,
                                 const mim_view* bias, const mim_attention_params* params) {
    return guarded("mim_attention_forward", [&] {
        require_present(
            {MIM_ARG(ctx), MIM_ARG(out), MIM_ARG(lse), MIM_ARG(q), MIM_ARG(k), MIM_ARG(v)});
        require_attention(*out, *lse, *q, *k, *v, bias, params);
        require_writable(*out, "out");
        ctx->on_device({{out, "out"}, {lse, "lse"}, {q, "q"}, {k, "k"}, {v, "v"}, {bias, "bias"}});
        ctx->run().attention_forward(*ctx, *out, *lse, *q, *k, *v, bias, *params);
    });
}

mim_status mim_attention_backward(mim_context* ctx, const mim_view* dq, const mim_view* dk,
                                  const mim_view* dv, const mim_view* dbias, const mim_view* dout,
                                  const mim_view* q, const mim_view* k, const mim_view* v,
                                  const mim_view* bias, const mim_view* out, const mim_view* lse,
                                  const mim_attention_params* params) {
    return guarded("mim_attention_backward", [&] {
        require_present({MIM_ARG(ctx), MIM_ARG(dq), MIM_ARG(dk), MIM_ARG(dv), MIM_ARG(dout),
                         MIM_ARG(q), MIM_ARG(k), MIM_ARG(v), MIM_ARG(out), MIM_ARG(lse)});
        require_attention(*out, *lse, *q, *k, *v, bias, params);
        const int64_t batch = q->shape[0], queries = q->shape[1], keys = k->shape[1];
        const int64_t heads = q->shape[2], dim = q->shape[3];
        require_heads(*dout, "dout", *q, {batch, queries, heads, dim});
        require_heads(*dq, "dq", *q, {batch, queries, heads, dim});
        require_heads(*dk, "dk", *q, {batch, keys, heads, dim});
        require_heads(*dv, "dv", *q, {batch, keys, heads, dim});
        for (const auto& [result, name] :
             {std::pair(dq, "dq"), std::pair(dk, "dk"), std::pair(dv, "dv")})
            require_writable(*result, name);
        if (dbias != nullptr) {
            if (bias == nullptr) fail_argument("dbias is given without bias");
            require_dense_shape(*dbias, "dbias", {heads, queries, keys});
        }
        ctx->on_device({{dq, "dq"},
                        {dk, "dk"},
                        {dv, "dv"},
                        {dbias, "dbias"},
                        {dout, "dout"},
                        {q, "q"},
                        {k, "k"},
                        {v, "v"},
                        {bias, "bias"},
                        {out, "out"},
                        {lse, "lse"}});
        ctx->run().attention_backward(*ctx, *dq, *dk, *dv, dbias, *dout, *q, *k, *v, bias, *out,
                                      *lse, *params);
    });
}
