// Attention on the GPU: fused kernels, no score ever in memory. bf16 runs on tensor cores with floats
// between the products; f32 runs the same kernels on multiply-adds. Which lane holds what is told in
// attention_products.h, each kernel's launch shape beside it.
#include <algorithm>

#include "cuda/attention_forward.h"
#include "cuda/attention_keys.h"
#include "cuda/attention_queries.h"
#include "cuda/attention_short.h"
#include "cuda/column_sums.h"
#include "cuda/gpu.h"

namespace mim::cuda {

namespace {

constexpr int64_t most_shared_bytes = 160 << 10;  // of a block; sm_80 has 163

struct optional_views {
    const view *bias, *windows, *mask, *table, *buckets;

    attention_positions positions() const {
        return {data<float>(bias), data<float>(mask), data<int32_t>(buckets),
                data<int32_t>(windows)};
    }
};

attention_sizes sizes_of(const view& q, const view& k, const optional_views& o) {
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

template <class T>
head_tokens<T> tokens_of(const view& v) {
    constexpr int64_t width = 16 / int64_t(sizeof(T));
    const bool aligned = reinterpret_cast<uintptr_t>(v.data) % 16 == 0 &&
                         v.stride[0] % width == 0 && v.stride[1] % width == 0 &&
                         v.stride[2] % width == 0;
    return {data<T>(v), v.stride[0], v.stride[1], v.stride[2], aligned};
}

// Calls body(std::integral_constant) of the head dimension that kernels are made for, the smallest
// that holds `dim`.
template <class Body>
void dispatch_dim(int64_t dim, Body&& body) {
    if (dim <= 32) return body(std::integral_constant<int, 32>{});
    if (dim <= 64) return body(std::integral_constant<int, 64>{});
    if (dim <= 80) return body(std::integral_constant<int, 80>{});
    body(std::integral_constant<int, 128>{});
}

template <class Body>
void dispatch(const view& q, Body&& body) {
    dispatch_dtype(q.dtype,
                   [&](auto tag) { dispatch_dim(q.shape[3], [&](auto dim) { body(tag, dim); }); });
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

int64_t query_tiles(const attention_sizes& s) {
    return (s.queries + block_rows - 1) / block_rows;
}

}  // namespace

void gpu::attention_forward(context& ctx, const view& out, const view& lse, const view& q,
                            const view& k, const view& v, const view* bias, const view* windows,
                            const view* mask, const view* table, const view* buckets,
                            const mim_attention_params& params) {
    const optional_views optional = {bias, windows, mask, table, buckets};
    const attention_sizes s = sizes_of(q, k, optional);
    dispatch(q, [&](auto tag, auto dimension) {
        using T = decltype(tag);
        constexpr int dim = decltype(dimension)::value;
        const table_rows<T, dim> rows(ctx, table);
        const bool fits = forward_shared_bytes<T, dim>(s, true) <= most_shared_bytes;
        float* products =
            table == nullptr || fits
                ? nullptr
                : ctx.scratch<float>(s.shared * s.heads * s.queries * int64_t(s.entries));
        if (ctx.planning()) return;
        launch({blocks_for(query_tiles(s) * s.shared * s.heads, 1), attention_threads,
                forward_shared_bytes<T, dim>(s, table != nullptr && fits)},
               attention_forward_kernel<T, dim>,
               attention_forward_arguments<T>{s, optional.positions(), tokens_of<T>(out),
                                              tokens_of<const T>(q), tokens_of<const T>(k),
                                              tokens_of<const T>(v), data<float>(lse),
                                              rows.make(*this), products, params.scale});
    });
}

namespace {

// Parts of dbias and dtable: as many blocks as fill the multiprocessors some times over, whatever GPU
// it is, so that the order of sums depends on the shape alone.
constexpr int64_t blocks_wanted = 1024;

int64_t chunk_of(const attention_sizes& s, int64_t blocks, bool in_parts) {
    if (!in_parts) return 1;
    const int64_t chunks = std::clamp<int64_t>(blocks_wanted / blocks, 1, s.shared);
    return (s.shared + chunks - 1) / chunks;
}

// Warps of a block that does all of a head, which queries and keys must not outgrow; 0 where it
// would need too much.
template <class T, int dim>
int short_warps(const attention_sizes& s, bool with_dbias) {
    const int64_t groups = (std::max(s.queries, s.keys) + group_rows - 1) / group_rows;
    const auto fits = [&](int64_t warps, int64_t bytes) {
        return groups <= warps && bytes <= most_shared_bytes;
    };
    if (fits(2, short_shared_bytes<T, dim, 2>(s, with_dbias))) return 2;
    if (fits(4, short_shared_bytes<T, dim, 4>(s, with_dbias))) return 4;
    if (fits(5, short_shared_bytes<T, dim, 5>(s, with_dbias))) return 5;
    return 0;
}

}  // namespace

void gpu::attention_backward(context& ctx, const view& dq, const view& dk, const view& dv,
                             const view* dbias, const view* dtable, const view& dout, const view& q,
                             const view& k, const view& v, const view* bias, const view* windows,
                             const view* mask, const view* table, const view* buckets,
                             const view& out, const view& lse, const mim_attention_params& params) {
    const optional_views optional = {bias, windows, mask, table, buckets};
    const attention_sizes s = sizes_of(q, k, optional);
    dispatch(q, [&](auto tag, auto dimension) {
        using T = decltype(tag);
        constexpr int dim = decltype(dimension)::value;
        const bool in_parts = dbias != nullptr || dtable != nullptr;
        const int warps = short_warps<T, dim>(s, dbias != nullptr);
        const int64_t tiles = warps > 0 ? 1 : query_tiles(s);
        const int64_t chunk = chunk_of(s, tiles * s.heads, in_parts);
        const int64_t chunks = (s.shared + chunk - 1) / chunk, blocks = tiles * s.heads * chunks;

        const table_rows<T, dim> rows_of_table(ctx, table);
        float *statistics = nullptr, *products = nullptr, *bucket_sums = nullptr;
        const bool fits = queries_shared_bytes<T, dim>(s, true) <= most_shared_bytes;
        if (warps == 0) {
            const int64_t rows = s.shared * s.heads * s.queries;
            statistics = ctx.scratch<float>(2 * rows);
            if (table != nullptr) products = ctx.scratch<float>(rows * s.entries);
            if (table != nullptr && !fits)
                bucket_sums =
                    ctx.scratch<float>(blocks * block_rows * int64_t(padded_entries(s.entries)));
        }
        const auto parts_of = [&](const view* gradient, int64_t parts) {
            return column_sums::of_parts(ctx, parts, gradient == nullptr ? 0 : elements(*gradient),
                                         gradient != nullptr);
        };
        const column_sums dbias_parts = parts_of(dbias, chunks);
        const column_sums dtable_parts = parts_of(dtable, blocks);
        if (ctx.planning()) return;

        const attention_backward_arguments<T> arguments = {
            .sizes = s,
            .positions = optional.positions(),
            .dq = tokens_of<T>(dq),
            .dk = tokens_of<T>(dk),
            .dv = tokens_of<T>(dv),
            .dout = tokens_of<const T>(dout),
            .q = tokens_of<const T>(q),
            .k = tokens_of<const T>(k),
            .v = tokens_of<const T>(v),
            .out = tokens_of<const T>(out),
            .lse = data<float>(lse),
            .table = rows_of_table.make(*this),
            .products = products,
            .bucket_sums = bucket_sums,
            .statistics = statistics,
            .dbias_parts = dbias_parts.parts(),
            .dtable_parts = dtable_parts.parts(),
            .chunk = chunk,
            .scale = params.scale,
            .exact = in_parts || std::is_same_v<T, float>};
        const auto run_short = [&](auto count) {
            constexpr int warps = decltype(count)::value;
            launch({blocks_for(blocks, 1), 32 * warps,
                    short_shared_bytes<T, dim, warps>(s, dbias != nullptr)},
                   attention_short_kernel<T, dim, warps>, arguments);
        };
        if (warps == 2) run_short(std::integral_constant<int, 2>{});
        if (warps == 4) run_short(std::integral_constant<int, 4>{});
        if (warps == 5) run_short(std::integral_constant<int, 5>{});
        if (warps == 0) {
            launch({blocks_for(blocks, 1), attention_threads,
                    queries_shared_bytes<T, dim>(s, table != nullptr && fits)},
                   attention_queries_kernel<T, dim>, arguments);
            const int64_t key_blocks = (s.keys + block_rows - 1) / block_rows * s.shared * s.heads;
            launch({blocks_for(key_blocks, 1), attention_threads, keys_shared_bytes<T, dim>()},
                   attention_keys_kernel<T, dim>, arguments);
        }
        dbias_parts.add_parts(*this, data<float>(dbias));
        dtable_parts.add_parts(*this, data<float>(dtable));
    });
}

}  // namespace mim::cuda
