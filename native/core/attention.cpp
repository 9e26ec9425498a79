// Attention: argument checks (attention.h).
#include <cmath>

#include "core/ids.h"

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

// The arguments that say where tokens stand; each may be null.
struct position {
    const view *bias, *windows, *mask, *table, *buckets;
};

// All tokens of an image in windows (W, T): queries and keys are the same tokens.
void require_windows(const position& p, int64_t queries, int64_t keys) {
    if (p.windows == nullptr) {
        if (p.mask != nullptr) fail_argument("mask is given without windows");
        return;
    }
    require_dense(*p.windows, "windows", 2);
    require_dtype(*p.windows, "windows", MIM_I32);
    if (elements(*p.windows) != queries)
        fail_argument("windows is " + describe(*p.windows) + ", expected a place for each of the " +
                      std::to_string(queries) + " tokens of q");
    if (keys != queries)
        fail_argument("k has " + std::to_string(keys) +
                      " tokens, expected those of q with windows, " + std::to_string(queries));
    const int64_t tokens = p.windows->shape[1];
    if (p.mask != nullptr)
        require_dense_shape(*p.mask, "mask", {p.windows->shape[0], tokens, tokens});
}

// What forward and backward share: q, k and v agree, and so do all others with them.
void require_attention(const view& out, const view& lse, const view& q, const view& k,
                       const view& v, const position& p, const mim_attention_params* params) {
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

    require_windows(p, queries, keys);
    const int64_t rows = p.windows == nullptr ? queries : p.windows->shape[1];
    const int64_t cols = p.windows == nullptr ? keys : rows;
    if (p.bias != nullptr) require_dense_shape(*p.bias, "bias", {heads, rows, cols});
    if (p.table == nullptr && p.buckets != nullptr) fail_argument("buckets is given without table");
    if (p.table != nullptr) {
        if (p.buckets == nullptr) fail_argument("table is given without buckets");
        require_dense(*p.table, "table", 2);
        require_dense_shape(*p.table, "table", {dim, p.table->shape[1]});
        require_dense_shape(*p.buckets, "buckets", {rows, cols}, MIM_I32);
    }
}

// Kernels follow these without looking. After context::run().
void require_indices(context& ctx, const position& p) {
    if (p.windows != nullptr) require_permutation(ctx, *p.windows, "windows");
    if (p.buckets != nullptr) require_ids(ctx, *p.buckets, "buckets", p.table->shape[1]);
}

// The gradient of an optional parameter: absent, or of the parameter's shape.
void require_gradient(const view* gradient, const char* name, const view* of, const char* of_name) {
    if (gradient == nullptr) return;
    if (of == nullptr) fail_argument(std::string(name) + " is given without " + of_name);
    require_dense(*gradient, name);
    require_dtype(*gradient, name, MIM_F32);
    require_same_shape(*gradient, name, *of, of_name);
}

}  // namespace

mim_status mim_attention_forward(mim_context* ctx, const mim_view* out, const mim_view* lse,
                                 const mim_view* q, const mim_view* k, const mim_view* v,
                                 const mim_view* bias, const mim_view* windows,
                                 const mim_view* mask, const mim_view* table,
                                 const mim_view* buckets, const mim_attention_params* params) {
    return guarded("mim_attention_forward", [&] {
        require_present(
            {MIM_ARG(ctx), MIM_ARG(out), MIM_ARG(lse), MIM_ARG(q), MIM_ARG(k), MIM_ARG(v)});
        const position p = {bias, windows, mask, table, buckets};
        require_attention(*out, *lse, *q, *k, *v, p, params);
        require_writable(*out, "out");
        ctx->on_device({{out, "out"},
                        {lse, "lse"},
                        {q, "q"},
                        {k, "k"},
                        {v, "v"},
                        {bias, "bias"},
                        {windows, "windows"},
                        {mask, "mask"},
                        {table, "table"},
                        {buckets, "buckets"}});
        backend& device = ctx->run();
        require_indices(*ctx, p);
        device.attention_forward(*ctx, *out, *lse, *q, *k, *v, bias, windows, mask, table, buckets,
                                 *params);
    });
}

mim_status mim_attention_backward(mim_context* ctx, const mim_view* dq, const mim_view* dk,
                                  const mim_view* dv, const mim_view* dbias, const mim_view* dtable,
                                  const mim_view* dout, const mim_view* q, const mim_view* k,
                                  const mim_view* v, const mim_view* bias, const mim_view* windows,
                                  const mim_view* mask, const mim_view* table,
                                  const mim_view* buckets, const mim_view* out, const mim_view* lse,
                                  const mim_attention_params* params) {
    return guarded("mim_attention_backward", [&] {
        require_present({MIM_ARG(ctx), MIM_ARG(dq), MIM_ARG(dk), MIM_ARG(dv), MIM_ARG(dout),
                         MIM_ARG(q), MIM_ARG(k), MIM_ARG(v), MIM_ARG(out), MIM_ARG(lse)});
        const position p = {bias, windows, mask, table, buckets};
        require_attention(*out, *lse, *q, *k, *v, p, params);
        const int64_t batch = q->shape[0], queries = q->shape[1], keys = k->shape[1];
        const int64_t heads = q->shape[2], dim = q->shape[3];
        require_heads(*dout, "dout", *q, {batch, queries, heads, dim});
        require_heads(*dq, "dq", *q, {batch, queries, heads, dim});
        require_heads(*dk, "dk", *q, {batch, keys, heads, dim});
        require_heads(*dv, "dv", *q, {batch, keys, heads, dim});
        for (const auto& [result, name] :
             {std::pair(dq, "dq"), std::pair(dk, "dk"), std::pair(dv, "dv")})
            require_writable(*result, name);
        require_gradient(dbias, "dbias", bias, "bias");
        require_gradient(dtable, "dtable", table, "table");
        ctx->on_device({{dq, "dq"},
                        {dk, "dk"},
                        {dv, "dv"},
                        {dbias, "dbias"},
                        {dtable, "dtable"},
                        {dout, "dout"},
                        {q, "q"},
                        {k, "k"},
                        {v, "v"},
                        {bias, "bias"},
                        {windows, "windows"},
                        {mask, "mask"},
                        {table, "table"},
                        {buckets, "buckets"},
                        {out, "out"},
                        {lse, "lse"}});
        backend& device = ctx->run();
        require_indices(*ctx, p);
        device.attention_backward(*ctx, *dq, *dk, *dv, dbias, dtable, *dout, *q, *k, *v, bias,
                                  windows, mask, table, buckets, *out, *lse, *params);
    });
}
