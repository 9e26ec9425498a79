// The tasks of attention: what one head of one window of one sample reads, and a thread's scratch.
#if defined(MIM_CPU_ATTENTION_TASKS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MIM_CPU_ATTENTION_TASKS_INL_H
#undef MIM_CPU_ATTENTION_TASKS_INL_H
#else
#define MIM_CPU_ATTENTION_TASKS_INL_H
#endif

#include <algorithm>

#include "core/context.h"
#include "cpu/attention.h"
#include "cpu/attention_rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mim::cpu {
namespace HWY_NAMESPACE {

struct sizes {
    int64_t batch, windows, queries, keys, heads, dim;  // queries and keys of one window
    int64_t entries;      // U, the columns of the table; 0 without one
    int64_t tile;         // query rows in a tile: the tiles of a head are nearly equal
    int64_t dim_room;     // floats from row to row where a row holds D
    int64_t scores_room;  // where it holds U + S: an odd number of lines, to use all sets of the
                          // cache
    int64_t threads;

    sizes(const context& ctx, const view& q, const view& k, const position_views& p)
        : batch(q.shape[0]),
          windows(p.windows == nullptr ? 1 : p.windows->shape[0]),
          queries(q.shape[1] / windows),
          keys(k.shape[1] / windows),
          heads(q.shape[2]),
          dim(q.shape[3]),
          entries(p.table == nullptr ? 0 : p.table->shape[1]) {
        dim_room = ceil_div(dim, line) * line;
        // the keys are padded to whole vectors wherever they begin
        scores_room = (ceil_div(entries + ceil_div(keys, line) * line, line) | 1) * line;
        const int64_t most = std::clamp<int64_t>(32768 / scores_room, 16, 64);
        tile = ceil_div(queries, ceil_div(queries, most));
        threads = std::min<int64_t>(ctx.threads(), tasks());
    }
    int64_t tasks() const { return batch * windows * heads; }
};

struct task {
    int64_t sample, window, head;
};

// The same matrix for each thread.
struct thread_matrices {
    float* first;
    int64_t rows, stride;
    thread_matrices(context& ctx, const sizes& s, int64_t rows, int64_t stride)
        : first(ctx.scratch<float>(s.threads * rows * stride)), rows(rows), stride(stride) {}
    matrix of(int64_t thread) const { return {first + thread * rows * stride, stride}; }
};

// ---- one task of an argument ----

inline const int32_t* order_of(const position_views& p, const sizes& s, const task& t) {
    return p.windows == nullptr ? nullptr : data<int32_t>(p.windows) + t.window * s.queries;
}

template <class T>
token_rows<T> tokens_of(const view& v, const task& t, const int32_t* order) {
    return {data<T>(v) + t.sample * v.stride[0] + t.head * v.stride[2], v.stride[1], order};
}

// The scratch of pairs, where there is such a kernel (attention_pairs-inl.h).
template <class Pairs>
struct pair_forward_memory;
template <class Pairs>
struct pair_backward_memory;

// What a task reads of its image.
template <class T>
struct task_inputs {
    token_rows<const T> q, k, v;
    token_rows<const T> dout = {};  // backward only

    // A head's tokens lie far apart, so the processor does not foresee which lines come next. While
    // one task computes it asks for the next one's rows, a few at a time.
    HWY_INLINE void fetch_row(const sizes& s, int64_t i) const {
        fetch(q, i, s.queries, s.dim);
        fetch(k, i, s.keys, s.dim);
        fetch(v, i, s.keys, s.dim);
        fetch(dout, i, s.queries, s.dim);
    }
};

inline token_rows<float> lse_of(const view& lse, const sizes& s, const task& t,
                                const int32_t* order) {
    const int64_t row = t.sample * s.heads + t.head;
    return {data<float>(lse) + row * s.windows * s.queries, 1, order};
}

inline score_terms terms_of(const position_views& p, const sizes& s, const task& t) {
    const int64_t size = s.queries * s.keys;
    return {p.bias == nullptr ? nullptr : data<float>(p.bias) + t.head * size,
            p.mask == nullptr ? nullptr : data<float>(p.mask) + t.window * size,
            data<int32_t>(p.buckets)};
}

// Each thread's copy of the table as the first columns, and the first rows, of its keys.
inline void pack_table_columns(const sizes& s, const thread_matrices& k_columns,
                               const view* table) {
    if (table == nullptr) return;
    for (int64_t thread = 0; thread < s.threads; ++thread) {
        const matrix to = k_columns.of(thread);
        std::fill_n(to.first, s.dim_room * to.stride, 0.0f);
        for (int64_t c = 0; c < s.dim; ++c)
            std::copy_n(data<float>(table) + c * s.entries, s.entries, to.row(c));
    }
}

inline void pack_table_rows(const sizes& s, const thread_matrices& k_rows, const view* table) {
    if (table == nullptr) return;
    for (int64_t thread = 0; thread < s.threads; ++thread) {
        const matrix to = k_rows.of(thread);
        std::fill_n(to.first, s.entries * s.dim_room, 0.0f);
        for (int64_t u = 0; u < s.entries; ++u)
            for (int64_t c = 0; c < s.dim; ++c)
                to.row(u)[c] = data<float>(table)[c * s.entries + u];
    }
}

}  // namespace HWY_NAMESPACE
}  // namespace mim::cpu
HWY_AFTER_NAMESPACE();

#endif  // once per instruction set
