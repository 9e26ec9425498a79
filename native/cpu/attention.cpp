// Attention on the CPU. One task is one head of one sample: its keys and values are packed as
// floats into a thread's scratch, then the queries pass by in tiles. A tile of scores (tile, S)
// lives in cache between two products and is never written elsewhere.
//
//     forward   S = (scale q) k^T + bias;  P = exp(S - max);  lse = max + log(sum P)
//               out = P v / sum P
//     backward  P = exp(S - lse);  dP = dout v^T;  delta = rowsum(P dP);  dS = P (dP - delta)
//               dv += P^T dout;  dk += dS^T (scale q);  dq = scale dS k;  dbias += dS
//
// Tasks are independent but for dbias, so all else has the same bits for any number of threads.
#include <algorithm>
#include <cmath>

#include "cpu/parallel.h"
#include "cpu/processor.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/attention.cpp"
#include "hwy/foreach_target.h"

#include "cpu/product-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mim::cpu {
namespace HWY_NAMESPACE {

constexpr int64_t line = 16;  // floats of a cache line; a multiple of every lane count

constexpr int64_t ceil_div(int64_t a, int64_t b) {
    return (a + b - 1) / b;
}

struct sizes {
    int64_t batch, queries, keys, heads, dim;
    int64_t tile;       // query rows in a tile: the tiles of a head are nearly equal
    int64_t dim_room;   // floats from row to row where a row holds D
    int64_t keys_room;  // where it holds S: an odd number of lines, to use all sets of the cache
    int64_t threads;

    sizes(const context& ctx, const view& q, const view& k)
        : batch(q.shape[0]),
          queries(q.shape[1]),
          keys(k.shape[1]),
          heads(q.shape[2]),
          dim(q.shape[3]) {
        dim_room = ceil_div(dim, line) * line;
        keys_room = (ceil_div(keys, line) | 1) * line;
        const int64_t most = std::clamp<int64_t>(32768 / keys_room, 16, 64);
        tile = ceil_div(queries, ceil_div(queries, most));
        threads = std::min<int64_t>(ctx.threads(), tasks());
    }
    int64_t tasks() const { return batch * heads; }
};

// The same matrix for each thread.
struct thread_matrices {
    float* first;
    int64_t rows, stride;
    thread_matrices(context& ctx, const sizes& s, int64_t rows, int64_t stride)
        : first(ctx.scratch<float>(s.threads * rows * stride)), rows(rows), stride(stride) {}
    matrix of(int64_t thread) const { return {first + thread * rows * stride, stride}; }
};

// The tokens of one head of one sample.
template <class T>
struct token_rows {
    T* first;
    int64_t stride;
    T* operator[](int64_t token) const { return first + token * stride; }
};

template <class T>
token_rows<T> head_of(const view& v, int64_t sample, int64_t head) {
    return {data<T>(v) + sample * v.stride[0] + head * v.stride[2], v.stride[1]};
}

// ---- packing ----

// to[i, :] = scale from[first + i, :]; the lanes behind D become 0.
template <class T>
void pack_rows(const matrix& to, token_rows<const T> from, int64_t first, int64_t count,
               int64_t dim, float scale = 1.0f) {
    const float_lanes d;
    const float_vector factor = hn::Set(d, scale);
    for (int64_t i = 0; i < count; ++i)
        for (int64_t c = 0; c < dim; c += lane_count())
            hn::StoreU(hn::Mul(load_some(d, from[first + i] + c, dim - c), factor), d,
                       to.row(i) + c);
}

// to[:] = scale from[:]
template <class T>
HWY_INLINE void unpack_row(T* to, const float* from, int64_t dim, float scale) {
    const float_lanes d;
    const float_vector factor = hn::Set(d, scale);
    for (int64_t c = 0; c < dim; c += lane_count())
        store_some(hn::Mul(hn::LoadU(d, from + c), factor), d, to + c, dim - c);
}

#if HWY_TARGET != HWY_SCALAR
// Stores each group of 4 lanes on its own, `step` floats apart.
template <class D>
HWY_INLINE void store_fours(D d, hn::Vec<D> v, float* to, int64_t step) {
    if constexpr (hn::MaxLanes(D()) == 4) {
        hn::StoreU(v, d, to);
    } else {
        const hn::Half<D> half;
        store_fours(half, hn::LowerHalf(half, v), to, step);
        store_fours(half, hn::UpperHalf(half, v), to + int64_t(hn::MaxLanes(half)) / 4 * step,
                    step);
    }
}
#endif

// to[c, i] = from[i, c], with zeros from `count` up to a whole vector. `to` has dim_room rows.
template <class T>
void pack_columns(const matrix& to, token_rows<const T> from, int64_t count, int64_t dim) {
    const float_lanes d;
#if HWY_TARGET == HWY_SCALAR
    for (int64_t i = 0; i < count; ++i)
        for (int64_t c = 0; c < dim; ++c) to.row(c)[i] = hn::GetLane(load(d, from[i] + c));
#else
    // Four tokens at a time: within each group of 4 lanes a 4 x 4 matrix is turned.
    const hn::Repartition<double, float_lanes> pairs;
    const auto interleave_lower = [=](float_vector a, float_vector b) HWY_ATTR {
        return hn::BitCast(
            d, hn::InterleaveLower(pairs, hn::BitCast(pairs, a), hn::BitCast(pairs, b)));
    };
    const auto interleave_upper = [=](float_vector a, float_vector b) HWY_ATTR {
        return hn::BitCast(
            d, hn::InterleaveUpper(pairs, hn::BitCast(pairs, a), hn::BitCast(pairs, b)));
    };
    for (int64_t i = 0; i < ceil_div(count, lane_count()) * lane_count(); i += 4) {
        for (int64_t c = 0; c < dim; c += lane_count()) {
            float_vector row[4];
            for (int64_t r = 0; r < 4; ++r)
                row[r] = i + r < count ? load_some(d, from[i + r] + c, dim - c) : hn::Zero(d);
            const float_vector low01 = hn::InterleaveLower(d, row[0], row[1]);
            const float_vector low23 = hn::InterleaveLower(d, row[2], row[3]);
            const float_vector high01 = hn::InterleaveUpper(d, row[0], row[1]);
            const float_vector high23 = hn::InterleaveUpper(d, row[2], row[3]);
            const int64_t step = 4 * to.stride;
            store_fours(d, interleave_lower(low01, low23), to.row(c) + i, step);
            store_fours(d, interleave_upper(low01, low23), to.row(c + 1) + i, step);
            store_fours(d, interleave_lower(high01, high23), to.row(c + 2) + i, step);
            store_fours(d, interleave_upper(high01, high23), to.row(c + 3) + i, step);
        }
    }
#endif
}

// ---- rows of a tile ----

// score[j] + bias[j], and -inf behind the last key: there the exponential becomes 0.
HWY_INLINE float_vector biased(const float* score, const float* bias, int64_t j, int64_t keys) {
    const float_lanes d;
    const float_vector lowest = hn::Set(d, -std::numeric_limits<float>::infinity());
    float_vector s = hn::LoadU(d, score + j);
    if (bias != nullptr) s = hn::Add(s, load_some(d, bias + j, keys - j));
    return keys - j >= lane_count() ? s
                                    : hn::IfThenElse(hn::FirstN(d, size_t(keys - j)), s, lowest);
}

struct softmax_sum {
    float max, sum;
};

// Turns a row of scores into exp(score + bias - max).
HWY_INLINE softmax_sum softmax_row(float* score, const float* bias, int64_t keys) {
    const float_lanes d;
    const int64_t lanes = lane_count();
    float_vector max = hn::Set(d, -std::numeric_limits<float>::infinity());
    for (int64_t j = 0; j < keys; j += lanes) {
        const float_vector s = biased(score, bias, j, keys);
        hn::StoreU(s, d, score + j);
        max = hn::Max(max, s);
    }
    const float top = max_of_lanes(d, max);
    float_vector sum = hn::Zero(d);
    for (int64_t j = 0; j < keys; j += lanes) {
        const float_vector p = exp(d, hn::Sub(hn::LoadU(d, score + j), hn::Set(d, top)));
        hn::StoreU(p, d, score + j);
        sum = hn::Add(sum, p);
    }
    return {top, sum_of_lanes(d, sum)};
}

// Turns a row of scores into P and a row of dP into dS, and adds dS to dbias.
//
// lse is rounded at its own size, which for scores in the thousands shifts exp(S - lse) by a common
// factor; dividing by the row's sum takes that out. And delta is summed from P dP rather than from
// dout out: `out` may have been rounded to bf16, and the row of dS should sum to 0.
HWY_INLINE void softmax_backward_row(float* score, float* dp, const float* bias, float* dbias,
                                     float lse, int64_t keys) {
    const float_lanes d;
    const int64_t lanes = lane_count();
    float_vector sums = hn::Zero(d), deltas = hn::Zero(d);
    for (int64_t j = 0; j < keys; j += lanes) {
        const float_vector p = exp(d, hn::Sub(biased(score, bias, j, keys), hn::Set(d, lse)));
        hn::StoreU(p, d, score + j);
        sums = hn::Add(sums, p);
        deltas = hn::MulAdd(p, hn::LoadU(d, dp + j), deltas);
    }
    const float norm = 1.0f / sum_of_lanes(d, sums);
    const float_vector factor = hn::Set(d, norm);
    const float_vector delta = hn::Set(d, norm * sum_of_lanes(d, deltas));
    for (int64_t j = 0; j < keys; j += lanes) {
        const float_vector p = hn::Mul(hn::LoadU(d, score + j), factor);
        const float_vector ds = hn::Mul(p, hn::Sub(hn::LoadU(d, dp + j), delta));
        hn::StoreU(p, d, score + j);
        hn::StoreU(ds, d, dp + j);
        if (dbias != nullptr)
            store_some(hn::Add(load_some(d, dbias + j, keys - j), ds), d, dbias + j, keys - j);
    }
}

// ---- one head of one sample ----

// Turned or packed copies of what the products read, and their results; each thread has its own.
struct forward_memory {
    thread_matrices k_columns, v_rows;         // (D, S), (S, D)
    thread_matrices q_tile, scores, out_tile;  // (tile, D), (tile, S), (tile, D)
    thread_matrices norms;                     // (1, tile)

    forward_memory(context& ctx, const sizes& s)
        : k_columns(ctx, s, s.dim_room, s.keys_room),
          v_rows(ctx, s, s.keys, s.dim_room),
          q_tile(ctx, s, s.tile, s.dim_room),
          scores(ctx, s, s.tile, s.keys_room),
          out_tile(ctx, s, s.tile, s.dim_room),
          norms(ctx, s, 1, ceil_div(s.tile, line) * line) {}
};

// lse (T) and bias (T, S) are this head's; bias may be null.
template <class T>
void forward_head(const sizes& s, const forward_memory& memory, int64_t thread, token_rows<T> out,
                  float* lse, token_rows<const T> q, token_rows<const T> k, token_rows<const T> v,
                  const float* bias, float scale) {
    const matrix k_columns = memory.k_columns.of(thread), v_rows = memory.v_rows.of(thread);
    const matrix q_tile = memory.q_tile.of(thread), out_tile = memory.out_tile.of(thread);
    const matrix p = memory.scores.of(thread);
    float* norm = memory.norms.of(thread).first;
    pack_columns(k_columns, k, s.keys, s.dim);
    pack_rows(v_rows, v, 0, s.keys, s.dim);
    for (int64_t first = 0; first < s.queries; first += s.tile) {
        const int64_t count = std::min(s.tile, s.queries - first);
        pack_rows(q_tile, q, first, count, s.dim, scale);
        product<reading::plain>(p, q_tile, k_columns, count, s.keys, s.dim);
        for (int64_t i = 0; i < count; ++i) {
            const float* bias_row = bias == nullptr ? nullptr : bias + (first + i) * s.keys;
            const softmax_sum row = softmax_row(p.row(i), bias_row, s.keys);
            norm[i] = 1.0f / row.sum;
            lse[first + i] = row.max + std::log(row.sum);
        }
        product<reading::plain>(out_tile, p, v_rows, count, s.dim, s.keys);
        for (int64_t i = 0; i < count; ++i)
            unpack_row(out[first + i], out_tile.row(i), s.dim, norm[i]);
    }
}

struct backward_memory {
    thread_matrices k_columns, v_columns, k_rows, dk_rows, dv_rows;  // (D, S) twice, (S, D)
    thread_matrices q_tile, dout_tile, dq_tile;                      // (tile, D)
    thread_matrices scores, dscores;                                 // (tile, S)

    backward_memory(context& ctx, const sizes& s)
        : k_columns(ctx, s, s.dim_room, s.keys_room),
          v_columns(ctx, s, s.dim_room, s.keys_room),
          k_rows(ctx, s, s.keys, s.dim_room),
          dk_rows(ctx, s, s.keys, s.dim_room),
          dv_rows(ctx, s, s.keys, s.dim_room),
          q_tile(ctx, s, s.tile, s.dim_room),
          dout_tile(ctx, s, s.tile, s.dim_room),
          dq_tile(ctx, s, s.tile, s.dim_room),
          scores(ctx, s, s.tile, s.keys_room),
          dscores(ctx, s, s.tile, s.keys_room) {}
};

// lse (T), bias and dbias (T, S) are this head's; bias and dbias may be null.
template <class T>
void backward_head(const sizes& s, const backward_memory& memory, int64_t thread, token_rows<T> dq,
                   token_rows<T> dk, token_rows<T> dv, float* dbias, token_rows<const T> dout,
                   token_rows<const T> q, token_rows<const T> k, token_rows<const T> v,
                   const float* bias, const float* lse, float scale) {
    const matrix k_columns = memory.k_columns.of(thread), v_columns = memory.v_columns.of(thread);
    const matrix k_rows = memory.k_rows.of(thread), q_tile = memory.q_tile.of(thread);
    const matrix dk_rows = memory.dk_rows.of(thread), dv_rows = memory.dv_rows.of(thread);
    const matrix dq_tile = memory.dq_tile.of(thread), dout_tile = memory.dout_tile.of(thread);
    const matrix p = memory.scores.of(thread), ds = memory.dscores.of(thread);
    pack_columns(k_columns, k, s.keys, s.dim);
    pack_columns(v_columns, v, s.keys, s.dim);
    pack_rows(k_rows, k, 0, s.keys, s.dim);
    for (int64_t first = 0; first < s.queries; first += s.tile) {
        const int64_t count = std::min(s.tile, s.queries - first);
        pack_rows(q_tile, q, first, count, s.dim, scale);
        pack_rows(dout_tile, dout, first, count, s.dim);
        product<reading::plain>(p, q_tile, k_columns, count, s.keys, s.dim);
        product<reading::plain>(ds, dout_tile, v_columns, count, s.keys, s.dim);  // dP so far
        for (int64_t i = 0; i < count; ++i) {
            const int64_t row = (first + i) * s.keys;
            softmax_backward_row(p.row(i), ds.row(i), bias == nullptr ? nullptr : bias + row,
                                 dbias == nullptr ? nullptr : dbias + row, lse[first + i], s.keys);
        }
        const bool add = first > 0;
        product<reading::transposed>(dv_rows, p, dout_tile, s.keys, s.dim, count, add);
        product<reading::transposed>(dk_rows, ds, q_tile, s.keys, s.dim, count, add);
        product<reading::plain>(dq_tile, ds, k_rows, count, s.dim, s.keys);
        for (int64_t i = 0; i < count; ++i) unpack_row(dq[first + i], dq_tile.row(i), s.dim, scale);
    }
    for (int64_t j = 0; j < s.keys; ++j) {
        unpack_row(dk[j], dk_rows.row(j), s.dim, 1.0f);
        unpack_row(dv[j], dv_rows.row(j), s.dim, 1.0f);
    }
}

// ---- all heads ----

// Calls body(sample, head, thread) for every task. A bias is shared by the batch, so with one the
// samples of a head follow each other; otherwise the heads of a sample do, which lie together.
// first_task, if given, receives where each thread began.
template <class Body>
void for_each_task(const context& ctx, const sizes& s, bool by_head, int64_t* first_task,
                   Body&& body) {
    parallel_ranges(ctx, s.tasks(), 1, [&](int64_t begin, int64_t end, int64_t thread) HWY_ATTR {
        if (first_task != nullptr) first_task[thread] = begin;
        for (int64_t task = begin; task < end; ++task) {
            if (by_head)
                body(task % s.batch, task / s.batch, thread);
            else
                body(task / s.heads, task % s.heads, thread);
        }
    });
}

// Where threads add dS. Tasks go head by head, and each thread has a contiguous range of them. The
// thread that has a head's first sample adds to dbias itself; one that begins in the middle of a
// head adds that head's part to a matrix of its own, and these are added to dbias at the end, in
// the order of threads. So no thread waits, and the order is fixed for a number of threads.
struct dbias_sums {
    float* dbias;  // (H, T, S); null if not wanted
    int64_t batch, threads, head_size;
    float* parts = nullptr;  // (threads, T, S)
    int64_t* first_task = nullptr;

    dbias_sums(context& ctx, const sizes& s, const view* dbias)
        : dbias(data<float>(dbias)),
          batch(s.batch),
          threads(s.threads),
          head_size(s.queries * s.keys) {
        if (dbias == nullptr || s.threads == 1 || s.batch == 1) return;
        parts = ctx.scratch<float>(threads * head_size);
        first_task = ctx.scratch<int64_t>(threads);
    }
    bool begins_inside(int64_t thread) const {
        return parts != nullptr && first_task[thread] % batch != 0;
    }

    // The (T, S) to which this thread adds the dS of this task.
    float* of(int64_t sample, int64_t head, int64_t thread) const {
        if (dbias == nullptr) return nullptr;
        if (!begins_inside(thread) || head != first_task[thread] / batch)
            return dbias + head * head_size;
        float* part = parts + thread * head_size;
        if (sample == first_task[thread] % batch) std::fill_n(part, head_size, 0.0f);
        return part;
    }

    void add_parts(const context& ctx) const {
        if (parts == nullptr) return;
        parallel_for(ctx, head_size, 1024, [&](int64_t begin, int64_t end) HWY_ATTR {
            for (int64_t thread = 1; thread < threads; ++thread) {
                if (!begins_inside(thread)) continue;
                float* to = dbias + first_task[thread] / batch * head_size;
                const float* part = parts + thread * head_size;
                for (int64_t i = begin; i < end; ++i) to[i] += part[i];
            }
        });
    }
};

void attention_forward(context& ctx, const view& out, const view& lse, const view& q, const view& k,
                       const view& v, const view* bias, const mim_attention_params& params) {
    const sizes s(ctx, q, k);
    const forward_memory memory(ctx, s);
    if (ctx.planning()) return;
    const auto task = [&](auto tag, int64_t b, int64_t h, int64_t thread) HWY_ATTR {
        using T = decltype(tag);
        forward_head(s, memory, thread, head_of<T>(out, b, h),
                     data<float>(lse) + (b * s.heads + h) * s.queries, head_of<const T>(q, b, h),
                     head_of<const T>(k, b, h), head_of<const T>(v, b, h),
                     bias == nullptr ? nullptr : data<float>(bias) + h * s.queries * s.keys,
                     params.scale);
    };
    dispatch_dtype(q.dtype, [&](auto tag) HWY_ATTR {
        for_each_task(ctx, s, bias != nullptr, nullptr,
                      [&](int64_t b, int64_t h, int64_t t) HWY_ATTR { task(tag, b, h, t); });
    });
}

void attention_backward(context& ctx, const view& dq, const view& dk, const view& dv,
                        const view* dbias, const view& dout, const view& q, const view& k,
                        const view& v, const view* bias, const view& lse,
                        const mim_attention_params& params) {
    const sizes s(ctx, q, k);
    const backward_memory memory(ctx, s);
    const dbias_sums sums(ctx, s, dbias);
    if (ctx.planning()) return;
    const auto task = [&](auto tag, int64_t b, int64_t h, int64_t thread) HWY_ATTR {
        using T = decltype(tag);
        backward_head(s, memory, thread, head_of<T>(dq, b, h), head_of<T>(dk, b, h),
                      head_of<T>(dv, b, h), sums.of(b, h, thread), head_of<const T>(dout, b, h),
                      head_of<const T>(q, b, h), head_of<const T>(k, b, h),
                      head_of<const T>(v, b, h),
                      bias == nullptr ? nullptr : data<float>(bias) + h * s.queries * s.keys,
                      data<float>(lse) + (b * s.heads + h) * s.queries, params.scale);
    };
    dispatch_dtype(q.dtype, [&](auto tag) HWY_ATTR {
        for_each_task(ctx, s, bias != nullptr, sums.first_task,
                      [&](int64_t b, int64_t h, int64_t t) HWY_ATTR { task(tag, b, h, t); });
    });
    sums.add_parts(ctx);
}

}  // namespace HWY_NAMESPACE
}  // namespace mim::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mim::cpu {

HWY_EXPORT(attention_forward);
HWY_EXPORT(attention_backward);

void processor::attention_forward(context& ctx, const view& out, const view& lse, const view& q,
                                  const view& k, const view& v, const view* bias,
                                  const mim_attention_params& params) {
    HWY_DYNAMIC_DISPATCH(attention_forward)(ctx, out, lse, q, k, v, bias, params);
}

// `out` is not needed here: see softmax_backward_row.
void processor::attention_backward(context& ctx, const view& dq, const view& dk, const view& dv,
                                   const view* dbias, const view& dout, const view& q,
                                   const view& k, const view& v, const view* bias, const view&,
                                   const view& lse, const mim_attention_params& params) {
    HWY_DYNAMIC_DISPATCH(attention_backward)
    (ctx, dq, dk, dv, dbias, dout, q, k, v, bias, lse, params);
}

}  // namespace mim::cpu
#endif
