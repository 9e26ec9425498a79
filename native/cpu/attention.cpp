// Attention on the CPU. One task is one head of one window of one sample: its keys and values are
// packed as floats into a thread's scratch, then the queries pass by in tiles. A tile of scores
// (tile, S) lives in cache between two products and is never written elsewhere. Without windows an
// image is one window; with them, only the order changes in which rows are packed and unpacked.
//
//     forward   S = q (scale k)^T + bias + mask;  P = exp(S - max);  lse = max + log(sum P)
//               out = P v / sum P
//     backward  P = exp(S - lse);  dP = dout v^T;  delta = rowsum(P dP);  dS = P (dP - delta)
//               dv += P^T dout;  dk += scale dS^T q;  dq = dS (scale k);  dbias += dS
//
// A position table (D, U) is U more keys that stand before the others: the same products then give
//
//     forward   [R | S] = q [table | scale k^T],  S[i,j] += R[i, buckets[i,j]]
//     backward  dR[i,u] = the sum of dS[i,j] over the keys j of bucket u
//               [dtable^T; dk] += [dR | dS]^T q;  dq = [dR | dS] [table^T; scale k]
//
// Where the processor has dot products of bf16, another kernel takes bf16 (attention_pairs-inl.h); all
// that is above and around a task serves both.
//
// Tasks are independent but for dbias and dtable, so all else has the same bits for any number of
// threads.
#include <algorithm>
#include <atomic>
#include <cmath>

#include "cpu/attention.h"
#include "cpu/parallel.h"
#include "cpu/processor.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/attention.cpp"
#include "hwy/foreach_target.h"

#include "cpu/attention_pairs-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mim::cpu {
namespace HWY_NAMESPACE {

// ---- one task ----

// Turned or packed copies of what the products read, and their results; each thread has its own.
struct forward_memory {
    thread_matrices k_columns, v_rows;         // (D, U + S), (S, D)
    thread_matrices q_tile, scores, out_tile;  // (tile, D), (tile, U + S), (tile, D)
    thread_matrices norms;                     // (1, tile)

    forward_memory(context& ctx, const sizes& s)
        : k_columns(ctx, s, s.dim_room, s.scores_room),
          v_rows(ctx, s, s.keys, s.dim_room),
          q_tile(ctx, s, s.tile, s.dim_room),
          scores(ctx, s, s.tile, s.scores_room),
          out_tile(ctx, s, s.tile, s.dim_room),
          norms(ctx, s, 1, ceil_div(s.tile, line) * line) {}

    void pack_table(const sizes& s, const view* table) const {
        pack_table_columns(s, k_columns, table);
    }
};

template <class T>
void forward_head(const sizes& s, const forward_memory& memory, int64_t thread, token_rows<T> out,
                  token_rows<float> lse, const task_inputs<T>& in, const task_inputs<T>& next,
                  const score_terms& terms, float scale) {
    const matrix k_columns = memory.k_columns.of(thread), v_rows = memory.v_rows.of(thread);
    const matrix q_tile = memory.q_tile.of(thread), out_tile = memory.out_tile.of(thread);
    const matrix products = memory.scores.of(thread), p = products.from_column(s.entries);
    float* norm = memory.norms.of(thread).first;
    pack_columns(k_columns.from_column(s.entries), in.k, s.keys, s.dim, scale);
    pack_rows(v_rows, in.v, 0, s.keys, s.dim);
    for (int64_t first = 0; first < s.queries; first += s.tile) {
        const int64_t count = std::min(s.tile, s.queries - first);
        pack_rows(q_tile, in.q, first, count, s.dim);
        product<reading::plain>(products, q_tile, k_columns, count, s.entries + s.keys, s.dim);
        for (int64_t i = 0; i < count; ++i) {
            next.fetch_row(s, first + i);
            const softmax_sum row =
                softmax_row(p.row(i), products.row(i), terms, first + i, s.keys);
            norm[i] = 1.0f / row.sum;
            *lse[first + i] = row.max + std::log(row.sum);
        }
        product<reading::plain>(out_tile, p, v_rows, count, s.dim, s.keys);
        for (int64_t i = 0; i < count; ++i)
            unpack_row(out[first + i], out_tile.row(i), s.dim, norm[i]);
    }
}

struct backward_memory {
    thread_matrices k_columns, k_rows, dk_rows;  // (D, U + S), (U + S, D) twice
    thread_matrices v_columns, dv_rows;          // (D, S), (S, D)
    thread_matrices q_tile, dout_tile, dq_tile;  // (tile, D)
    thread_matrices scores, dscores;             // (tile, U + S)

    backward_memory(context& ctx, const sizes& s)
        : k_columns(ctx, s, s.dim_room, s.scores_room),
          k_rows(ctx, s, s.entries + s.keys, s.dim_room),
          dk_rows(ctx, s, s.entries + s.keys, s.dim_room),
          v_columns(ctx, s, s.dim_room, s.scores_room),
          dv_rows(ctx, s, s.keys, s.dim_room),
          q_tile(ctx, s, s.tile, s.dim_room),
          dout_tile(ctx, s, s.tile, s.dim_room),
          dq_tile(ctx, s, s.tile, s.dim_room),
          scores(ctx, s, s.tile, s.scores_room),
          dscores(ctx, s, s.tile, s.scores_room) {}

    void pack_table(const sizes& s, const view* table) const {
        pack_table_columns(s, k_columns, table);
        pack_table_rows(s, k_rows, table);
    }
};

// dbias (T, S) is this head's, dtable_rows (U, D) this thread's; both may be null.
template <class T>
void backward_head(const sizes& s, const backward_memory& memory, int64_t thread, token_rows<T> dq,
                   token_rows<T> dk, token_rows<T> dv, float* dbias, float* dtable_rows,
                   const task_inputs<T>& in, const task_inputs<T>& next, const score_terms& terms,
                   token_rows<float> lse, float scale) {
    const matrix k_columns = memory.k_columns.of(thread), v_columns = memory.v_columns.of(thread);
    const matrix k_rows = memory.k_rows.of(thread), q_tile = memory.q_tile.of(thread);
    const matrix dk_rows = memory.dk_rows.of(thread), dv_rows = memory.dv_rows.of(thread);
    const matrix dq_tile = memory.dq_tile.of(thread), dout_tile = memory.dout_tile.of(thread);
    const matrix products = memory.scores.of(thread), p = products.from_column(s.entries);
    const matrix dproducts = memory.dscores.of(thread), ds = dproducts.from_column(s.entries);
    pack_columns(k_columns.from_column(s.entries), in.k, s.keys, s.dim, scale);
    pack_columns(v_columns, in.v, s.keys, s.dim, 1.0f);
    pack_rows(k_rows.from_row(s.entries), in.k, 0, s.keys, s.dim, scale);
    for (int64_t first = 0; first < s.queries; first += s.tile) {
        const int64_t count = std::min(s.tile, s.queries - first);
        pack_rows(q_tile, in.q, first, count, s.dim);
        pack_rows(dout_tile, in.dout, first, count, s.dim);
        product<reading::plain>(products, q_tile, k_columns, count, s.entries + s.keys, s.dim);
        product<reading::plain>(ds, dout_tile, v_columns, count, s.keys, s.dim);  // dP so far
        for (int64_t i = 0; i < count; ++i) {
            next.fetch_row(s, first + i);
            softmax_backward_row(p.row(i), products.row(i), terms, ds.row(i), dbias,
                                 *lse[first + i], first + i, s.keys);
        }
        if (s.entries > 0)
            sum_by_bucket(dproducts, ds, terms.buckets + first * s.keys, count, s.entries, s.keys);
        const bool add = first > 0;
        product<reading::transposed>(dv_rows, p, dout_tile, s.keys, s.dim, count, add);
        product<reading::transposed>(dk_rows, dproducts, q_tile, s.entries + s.keys, s.dim, count,
                                     add);
        product<reading::plain>(dq_tile, dproducts, k_rows, count, s.dim, s.entries + s.keys);
        for (int64_t i = 0; i < count; ++i) unpack_row(dq[first + i], dq_tile.row(i), s.dim, 1.0f);
    }
    for (int64_t j = 0; j < s.keys; ++j) {
        unpack_row(dk[j], dk_rows.row(s.entries + j), s.dim, scale);
        unpack_row(dv[j], dv_rows.row(j), s.dim, 1.0f);
    }
    if (dtable_rows != nullptr)
        for (int64_t i = 0; i < s.entries * s.dim_room; ++i) dtable_rows[i] += dk_rows.first[i];
}

// ---- all tasks ----

// Calls body(task, next task, thread) for every task; the last of a thread is its own next. A bias is
// shared by the windows and the batch, so with one the tasks of a head follow each other; otherwise
// the heads of a window do, which lie together. first_task, if given, receives where each thread
// began.
template <class Body>
void for_each_task(const context& ctx, const sizes& s, bool by_head, int64_t* first_task,
                   Body&& body) {
    const int64_t shared = s.batch * s.windows;
    const auto task_at = [=](int64_t i) {
        const int64_t head = by_head ? i / shared : i % s.heads;
        const int64_t window = by_head ? i % shared : i / s.heads;
        return task{window / s.windows, window % s.windows, head};
    };
    parallel_ranges(ctx, s.tasks(), 1, [&](int64_t begin, int64_t end, int64_t thread) HWY_ATTR {
        if (first_task != nullptr) first_task[thread] = begin;
        for (int64_t i = begin; i < end; ++i)
            body(task_at(i), task_at(std::min(i + 1, end - 1)), thread);
    });
}

// Where threads add dS. Tasks go head by head, and each thread has a contiguous range of them. The
// thread that has a head's first window adds to dbias itself; one that begins in the middle of a
// head adds that head's part to a matrix of its own, and these are added to dbias at the end, in
// the order of threads. So no thread waits, and the order is fixed for a number of threads.
struct dbias_sums {
    float* dbias;                                 // (H, T, S); null if not wanted
    int64_t windows, shared, threads, head_size;  // shared: tasks of a head
    float* parts = nullptr;                       // (threads, T, S)
    int64_t* first_task = nullptr;

    dbias_sums(context& ctx, const sizes& s, const view* dbias)
        : dbias(data<float>(dbias)),
          windows(s.windows),
          shared(s.batch * s.windows),
          threads(s.threads),
          head_size(s.queries * s.keys) {
        if (dbias == nullptr || threads == 1 || shared == 1) return;
        parts = ctx.scratch<float>(threads * head_size);
        first_task = ctx.scratch<int64_t>(threads);
    }
    bool begins_inside(int64_t thread) const {
        return parts != nullptr && first_task[thread] % shared != 0;
    }

    // The (T, S) to which this thread adds the dS of this task.
    float* of(const task& t, int64_t thread) const {
        if (dbias == nullptr) return nullptr;
        if (!begins_inside(thread) || t.head != first_task[thread] / shared)
            return dbias + t.head * head_size;
        float* part = parts + thread * head_size;
        if (t.sample * windows + t.window == first_task[thread] % shared)
            std::fill_n(part, head_size, 0.0f);
        return part;
    }

    void add_parts(const context& ctx) const {
        if (parts == nullptr) return;
        parallel_for(ctx, head_size, 1024, [&](int64_t begin, int64_t end) HWY_ATTR {
            for (int64_t thread = 1; thread < threads; ++thread) {
                if (!begins_inside(thread)) continue;
                float* to = dbias + first_task[thread] / shared * head_size;
                const float* part = parts + thread * head_size;
                for (int64_t i = begin; i < end; ++i) to[i] += part[i];
            }
        });
    }
};

// All tasks share the table, so each thread sums the gradient of its own, turned, and these are
// added to dtable in the order of threads.
struct dtable_sums {
    float* dtable;  // (D, U); null if not wanted
    int64_t threads, entries, dim, dim_room;
    float* parts = nullptr;  // (threads, U, D)

    dtable_sums(context& ctx, const sizes& s, const view* dtable)
        : dtable(data<float>(dtable)),
          threads(s.threads),
          entries(s.entries),
          dim(s.dim),
          dim_room(s.dim_room) {
        if (dtable != nullptr) parts = ctx.scratch<float>(threads * entries * dim_room);
    }
    float* of(int64_t thread) const {
        return parts == nullptr ? nullptr : parts + thread * entries * dim_room;
    }
    void clear() const {
        if (parts != nullptr) std::fill_n(parts, threads * entries * dim_room, 0.0f);
    }

    void add_parts(const context& ctx) const {
        if (parts == nullptr) return;
        parallel_for(ctx, dim, line, [&](int64_t begin, int64_t end) HWY_ATTR {
            for (int64_t thread = 0; thread < threads; ++thread)
                for (int64_t c = begin; c < end; ++c)
                    for (int64_t u = 0; u < entries; ++u)
                        dtable[c * entries + u] += of(thread)[u * dim_room + c];
        });
    }
};

template <class T, class Memory>
void forward_tasks(context& ctx, const view& out, const view& lse, const view& q, const view& k,
                   const view& v, const position_views& positions, float scale) {
    const sizes s(ctx, q, k, positions);
    const Memory memory(ctx, s);
    if (ctx.planning()) return;
    memory.pack_table(s, positions.table);
    const auto inputs_of = [&](const task& t) HWY_ATTR {
        const int32_t* order = order_of(positions, s, t);
        return task_inputs<T>{tokens_of<const T>(q, t, order), tokens_of<const T>(k, t, order),
                              tokens_of<const T>(v, t, order)};
    };
    const auto body = [&](const task& t, const task& next, int64_t thread) HWY_ATTR {
        const int32_t* order = order_of(positions, s, t);
        forward_head(s, memory, thread, tokens_of<T>(out, t, order), lse_of(lse, s, t, order),
                     inputs_of(t), inputs_of(next), terms_of(positions, s, t), scale);
    };
    for_each_task(ctx, s, positions.bias != nullptr, nullptr, body);
}

template <class T, class Memory>
void backward_tasks(context& ctx, const view& dq, const view& dk, const view& dv, const view* dbias,
                    const view* dtable, const view& dout, const view& q, const view& k,
                    const view& v, const position_views& positions, const view& lse, float scale) {
    const sizes s(ctx, q, k, positions);
    const Memory memory(ctx, s);
    const dbias_sums bias_sums(ctx, s, dbias);
    const dtable_sums table_sums(ctx, s, dtable);
    if (ctx.planning()) return;
    memory.pack_table(s, positions.table);
    table_sums.clear();
    const auto inputs_of = [&](const task& t) HWY_ATTR {
        const int32_t* order = order_of(positions, s, t);
        return task_inputs<T>{tokens_of<const T>(q, t, order), tokens_of<const T>(k, t, order),
                              tokens_of<const T>(v, t, order), tokens_of<const T>(dout, t, order)};
    };
    const auto body = [&](const task& t, const task& next, int64_t thread) HWY_ATTR {
        const int32_t* order = order_of(positions, s, t);
        backward_head(s, memory, thread, tokens_of<T>(dq, t, order), tokens_of<T>(dk, t, order),
                      tokens_of<T>(dv, t, order), bias_sums.of(t, thread), table_sums.of(thread),
                      inputs_of(t), inputs_of(next), terms_of(positions, s, t),
                      lse_of(lse, s, t, order), scale);
    };
    for_each_task(ctx, s, positions.bias != nullptr, bias_sums.first_task, body);
    bias_sums.add_parts(ctx);
    table_sums.add_parts(ctx);
}

// Calls body(storage type, arithmetic of its products).
template <class Body>
void dispatch_arithmetic(int32_t dtype, [[maybe_unused]] bf16_pairs pairs, Body&& body) {
#if MIM_CPU_HAS_PAIRS
    if (dtype == MIM_BF16 && pairs == bf16_pairs::hardware) return body(bf16{}, hardware_pairs{});
    if (dtype == MIM_BF16 && pairs == bf16_pairs::emulated) return body(bf16{}, emulated_pairs{});
#endif
    dispatch_dtype(dtype, [&](auto tag) HWY_ATTR { body(tag, float_arithmetic{}); });
}

template <class Arithmetic, class OfFloats, class OfPairs>
using choose_memory =
    std::conditional_t<std::is_same_v<Arithmetic, float_arithmetic>, OfFloats, OfPairs>;

void attention_forward(context& ctx, const view& out, const view& lse, const view& q, const view& k,
                       const view& v, const position_views& positions, float scale,
                       bf16_pairs pairs) {
    dispatch_arithmetic(q.dtype, pairs, [&](auto tag, auto arithmetic) HWY_ATTR {
        using A = decltype(arithmetic);
        using memory = choose_memory<A, forward_memory, pair_forward_memory<A>>;
        forward_tasks<decltype(tag), memory>(ctx, out, lse, q, k, v, positions, scale);
    });
}

void attention_backward(context& ctx, const view& dq, const view& dk, const view& dv,
                        const view* dbias, const view* dtable, const view& dout, const view& q,
                        const view& k, const view& v, const position_views& positions,
                        const view& lse, float scale, bf16_pairs pairs) {
    dispatch_arithmetic(q.dtype, pairs, [&](auto tag, auto arithmetic) HWY_ATTR {
        using A = decltype(arithmetic);
        using memory = choose_memory<A, backward_memory, pair_backward_memory<A>>;
        backward_tasks<decltype(tag), memory>(ctx, dq, dk, dv, dbias, dtable, dout, q, k, v,
                                              positions, lse, scale);
    });
}

}  // namespace HWY_NAMESPACE
}  // namespace mim::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mim::cpu {

HWY_EXPORT(attention_forward);
HWY_EXPORT(attention_backward);

namespace {

std::atomic<bool> emulated = false;

bf16_pairs pairs_of(const processor& p) {
    if (emulated) return bf16_pairs::emulated;
    return p.has_bf16() ? bf16_pairs::hardware : bf16_pairs::none;
}

}  // namespace

void emulate_bf16_pairs(bool on) {
    emulated = on;
}

void processor::attention_forward(context& ctx, const view& out, const view& lse, const view& q,
                                  const view& k, const view& v, const view* bias,
                                  const view* windows, const view* mask, const view* table,
                                  const view* buckets, const mim_attention_params& params) {
    HWY_DYNAMIC_DISPATCH(attention_forward)
    (ctx, out, lse, q, k, v, {bias, windows, mask, table, buckets}, params.scale, pairs_of(*this));
}

// `out` is not needed here: see softmax_backward_row.
void processor::attention_backward(context& ctx, const view& dq, const view& dk, const view& dv,
                                   const view* dbias, const view* dtable, const view& dout,
                                   const view& q, const view& k, const view& v, const view* bias,
                                   const view* windows, const view* mask, const view* table,
                                   const view* buckets, const view&, const view& lse,
                                   const mim_attention_params& params) {
    HWY_DYNAMIC_DISPATCH(attention_backward)
    (ctx, dq, dk, dv, dbias, dtable, dout, q, k, v, {bias, windows, mask, table, buckets}, lse,
     params.scale, pairs_of(*this));
}

}  // namespace mim::cpu
#endif
