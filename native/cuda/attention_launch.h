// What attention launches for one dtype and head dimension. attention_dim*.cu make these functions, so
// that the kernels are compiled side by side.
#pragma once

#include <algorithm>

#include "cuda/attention_forward.h"
#include "cuda/attention_keys.h"
#include "cuda/attention_queries.h"
#include "cuda/attention_short.h"
#include "cuda/column_sums.h"
#include "cuda/gpu.h"

namespace mim::cuda {

constexpr int64_t most_shared_bytes = 160 << 10;  // of a block; sm_80 has 163

struct optional_views {
    const view *bias, *windows, *mask, *table, *buckets;
};

struct attention_forward_views {
    const view &out, &lse, &q, &k, &v;
    optional_views optional;
    float scale;
};

struct attention_backward_views {
    const view &dq, &dk, &dv;
    const view *dbias, *dtable;
    const view &dout, &q, &k, &v, &out, &lse;
    optional_views optional;
    float scale;
};

template <class T, int dim>
void launch_attention_forward(gpu& device, context& ctx, const attention_forward_views& views);
template <class T, int dim>
void launch_attention_backward(gpu& device, context& ctx, const attention_backward_views& views);

inline attention_sizes sizes_of(const view& q, const view& k, const optional_views& o) {
    const int64_t windows = o.windows == nullptr ? 1 : o.windows->shape[0];
    attention_sizes s;
    s.shared = q.shape[0] * windows;
    s.windows = int32_t(windows);
    s.queries = int32_t(q.shape[1] / windows);
    s.keys = int32_t(k.shape[1] / windows);
    s.heads = int32_t(q.shape[2]);
    s.dim = int32_t(q.shape[3]);
    s.entries = o.table == nullptr ? 0 : int32_t(o.table->shape[1]);
    return s;
}

inline attention_positions positions_of(const optional_views& o) {
    return {data<float>(o.bias), data<float>(o.mask), data<int32_t>(o.buckets),
            data<int32_t>(o.windows)};
}

template <class T>
head_tokens<T> tokens_of(const view& v) {
    constexpr int64_t width = 16 / int64_t(sizeof(T));
    const bool aligned = reinterpret_cast<uintptr_t>(v.data) % 16 == 0 &&
                         v.stride[0] % width == 0 && v.stride[1] % width == 0 &&
                         v.stride[2] % width == 0;
    return {data<T>(v), v.stride[0], v.stride[1], v.stride[2], aligned};
}

// Calls body(std::bool_constant) of whether kernels must be of the `placed` kind.
template <class T, class Body>
void dispatch_placed(const optional_views& o, float scale, Body&& body) {
    if constexpr (!std::is_same_v<T, float>)
        if (o.bias == nullptr && o.mask == nullptr && o.buckets == nullptr && scale > 0)
            return body(std::false_type{});
    body(std::true_type{});
}

inline int64_t tiles_of(int64_t rows, int64_t tile = block_rows) {
    return (rows + tile - 1) / tile;
}

// A copy of the table in rows of `dim`.
template <class T, int dim>
class table_rows {
public:
    table_rows(context& ctx, const view* table) : table_(table) {
        if (table != nullptr) rows_ = ctx.scratch<T>(table_parts<T> * size());
    }
    const T* make(gpu& device) const {
        if (table_ != nullptr)
            device.launch({blocks_for(size(), 256), 256}, split_table_kernel<T, dim>, rows_,
                          data<const float>(table_), int(table_->shape[1]), int(table_->shape[0]));
        return rows_;
    }

private:
    int64_t size() const { return int64_t(padded_entries(int(table_->shape[1]))) * dim; }
    const view* table_;
    T* rows_ = nullptr;
};

template <class T, int dim>
void launch_attention_forward(gpu& device, context& ctx, const attention_forward_views& views) {
    const optional_views& optional = views.optional;
    const attention_sizes s = sizes_of(views.q, views.k, optional);
    const table_rows<T, dim> table(ctx, optional.table);
    const bool fits = forward_shared_bytes<T, dim>(s, true) <= most_shared_bytes;
    float* products = s.entries == 0 || fits
                          ? nullptr
                          : ctx.scratch<float>(s.shared * s.heads * s.queries * int64_t(s.entries));
    if (ctx.planning()) return;
    const attention_forward_arguments<T> arguments = {.sizes = s,
                                                      .positions = positions_of(optional),
                                                      .out = tokens_of<T>(views.out),
                                                      .q = tokens_of<const T>(views.q),
                                                      .k = tokens_of<const T>(views.k),
                                                      .v = tokens_of<const T>(views.v),
                                                      .lse = data<float>(views.lse),
                                                      .table = table.make(device),
                                                      .products = products,
                                                      .scale = views.scale};
    const int warps = forward_warps(s);
    const int64_t blocks = tiles_of(s.queries, warps * group_rows) * s.shared * s.heads;
    dispatch_placed<T>(optional, views.scale, [&](auto placed) {
        device.launch({blocks_for(blocks, 1), unsigned(32 * warps),
                       forward_shared_bytes<T, dim>(s, s.entries > 0 && fits)},
                      attention_forward_kernel<T, dim, placed.value>, arguments);
    });
}

// Parts of dbias and dtable: as many blocks as fill the multiprocessors some times over, whatever GPU
// it is, so that the order of sums depends on the shape alone.
constexpr int64_t blocks_wanted = 1024;

// How many samples and windows a block does, one after the other, where `blocks` do one of each.
inline int64_t chunk_of(const attention_sizes& s, int64_t blocks, bool in_parts) {
    if (!in_parts) return 1;
    const int64_t chunks = std::clamp<int64_t>(blocks_wanted / blocks, 1, s.shared);
    return (s.shared + chunks - 1) / chunks;
}

// Warps of a block that does all of a head, which queries and keys must not outgrow; 0 where it would
// need too much. Floats have one such kernel, for they need no speed.
template <class T, int dim>
int short_warps(const attention_sizes& s, bool with_dbias) {
    const int64_t groups = (std::max(s.queries, s.keys) + group_rows - 1) / group_rows;
    if (groups <= 4 && short_shared_bytes<T, dim, 4>(s, with_dbias) <= most_shared_bytes) return 4;
    if (groups <= 5 && !std::is_same_v<T, float> &&
        short_shared_bytes<T, dim, 5>(s, with_dbias) <= most_shared_bytes)
        return 5;
    return 0;
}

template <class T, int dim>
void launch_attention_backward(gpu& device, context& ctx, const attention_backward_views& views) {
    const optional_views& optional = views.optional;
    const attention_sizes s = sizes_of(views.q, views.k, optional);
    const bool with_dbias = views.dbias != nullptr, with_table = optional.table != nullptr;
    const bool in_parts = with_dbias || views.dtable != nullptr;
    const int warps = short_warps<T, dim>(s, with_dbias);
    const int64_t tiles = warps > 0 ? 1 : tiles_of(s.queries);
    const int64_t chunk = chunk_of(s, tiles * s.heads, in_parts);
    const int64_t chunks = (s.shared + chunk - 1) / chunk, blocks = tiles * s.heads * chunks;

    const table_rows<T, dim> table(ctx, optional.table);
    float *statistics = nullptr, *products = nullptr, *bucket_sums = nullptr;
    const bool fits = queries_shared_bytes<T, dim>(s, true) <= most_shared_bytes;
    if (warps == 0) {
        const int64_t rows = s.shared * s.heads * s.queries;
        statistics = ctx.scratch<float>(2 * rows);
        if (with_table) products = ctx.scratch<float>(rows * s.entries);
        if (with_table && !fits)
            bucket_sums = ctx.scratch<float>(blocks * block_rows * padded_entries(s.entries));
    }
    const auto parts_of = [&](const view* gradient, int64_t parts) {
        return column_sums::of_parts(ctx, parts, gradient == nullptr ? 0 : elements(*gradient),
                                     gradient != nullptr);
    };
    const column_sums dbias_parts = parts_of(views.dbias, chunks);
    const column_sums dtable_parts = parts_of(views.dtable, blocks);
    if (ctx.planning()) return;

    const attention_backward_arguments<T> arguments = {
        .sizes = s,
        .positions = positions_of(optional),
        .dq = tokens_of<T>(views.dq),
        .dk = tokens_of<T>(views.dk),
        .dv = tokens_of<T>(views.dv),
        .dout = tokens_of<const T>(views.dout),
        .q = tokens_of<const T>(views.q),
        .k = tokens_of<const T>(views.k),
        .v = tokens_of<const T>(views.v),
        .out = tokens_of<const T>(views.out),
        .lse = data<float>(views.lse),
        .table = table.make(device),
        .products = products,
        .bucket_sums = bucket_sums,
        .statistics = statistics,
        .dbias_parts = dbias_parts.parts(),
        .dtable_parts = dtable_parts.parts(),
        .chunk = chunk,
        .scale = views.scale,
        .exact = in_parts || std::is_same_v<T, float>};
    dispatch_placed<T>(optional, views.scale, [&](auto placed) {
        if (warps == 4)
            return device.launch(
                {blocks_for(blocks, 1), 32 * 4, short_shared_bytes<T, dim, 4>(s, with_dbias)},
                attention_short_kernel<T, dim, 4, placed.value>, arguments);
        if constexpr (!std::is_same_v<T, float>)
            if (warps == 5)
                return device.launch(
                    {blocks_for(blocks, 1), 32 * 5, short_shared_bytes<T, dim, 5>(s, with_dbias)},
                    attention_short_kernel<T, dim, 5, placed.value>, arguments);
        device.launch({blocks_for(blocks, 1), attention_threads,
                       queries_shared_bytes<T, dim>(s, with_table && fits)},
                      attention_queries_kernel<T, dim, placed.value>, arguments);
        device.launch({blocks_for(tiles_of(s.keys) * s.shared * s.heads, 1), attention_threads,
                       keys_shared_bytes<T, dim>()},
                      attention_keys_kernel<T, dim, placed.value>, arguments);
    });
    dbias_parts.add_parts(device, data<float>(views.dbias));
    dtable_parts.add_parts(device, data<float>(views.dtable));
}

// Makes, or with `extern` announces, all of a head dimension.
#define MIM_ATTENTION_OF_DTYPE(where, T, dim)                                             \
    where template void launch_attention_forward<T, dim>(gpu&, context&,                  \
                                                         const attention_forward_views&); \
    where template void launch_attention_backward<T, dim>(gpu&, context&,                 \
                                                          const attention_backward_views&);
#define MIM_ATTENTION_OF_DIM(where, dim)     \
    MIM_ATTENTION_OF_DTYPE(where, bf16, dim) \
    MIM_ATTENTION_OF_DTYPE(where, float, dim)

}  // namespace mim::cuda
