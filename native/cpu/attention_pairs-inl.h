// One task of attention in bf16, where the processor multiplies pairs of them: the same steps as
// with floats (attention.cpp), but every operand of a product but the table's is bf16.
//
// q, k, v and dout are bf16 already, so scores, their maximum and sum, dP and delta are as exact as
// with floats; scale is applied to sums, not to k, which it would round. P and dS are rounded once,
// as operands. out is divided by the sum of the rounded P, which takes out what the rounding of a row
// has in common. A row of dS sums to 0, but rounded it does not, so what all keys have in common, their
// mean, is taken out of dq again. The table is f32, and so are its products and gradient.
#if defined(MIM_CPU_ATTENTION_PAIRS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MIM_CPU_ATTENTION_PAIRS_INL_H
#undef MIM_CPU_ATTENTION_PAIRS_INL_H
#else
#define MIM_CPU_ATTENTION_PAIRS_INL_H
#endif

#include <cmath>

#include "cpu/attention_tasks-inl.h"
#include "cpu/pair_product-inl.h"

#if MIM_CPU_HAS_PAIRS
HWY_BEFORE_NAMESPACE();
namespace mim::cpu {
namespace HWY_NAMESPACE {

// The table and the rows that meet it, as floats; empty without a table.
struct table_memory {
    thread_matrices columns, rows, gradient;  // (D, U), (U, D) twice
    thread_matrices q_tile;                   // (tile, D)

    table_memory(context& ctx, const sizes& s, bool backward)
        : columns(ctx, s, s.entries > 0 ? s.dim_room : 0, ceil_div(s.entries, line) * line),
          rows(ctx, s, backward ? s.entries : 0, s.dim_room),
          gradient(ctx, s, backward ? s.entries : 0, s.dim_room),
          q_tile(ctx, s, s.entries > 0 ? s.tile : 0, s.dim_room) {}
};

template <class Pairs>
struct pair_forward_memory {
    thread_matrices rows;              // (S, D): k, then v
    thread_matrices k_columns;         // (D/2, S) pairs
    thread_matrices v_pairs;           // (S/2, D) pairs
    thread_matrices q_rows, p_rows;    // (tile, D), (tile, S)
    thread_matrices scores, out_tile;  // (tile, U + S), (tile, D) floats
    thread_matrices norms;             // (1, tile) floats
    table_memory table;

    pair_forward_memory(context& ctx, const sizes& s)
        : rows(ctx, s, s.keys, pair_room(s.dim)),
          k_columns(ctx, s, pair_room(s.dim), s.scores_room),
          v_pairs(ctx, s, ceil_div(s.keys, 2), s.dim_room),
          q_rows(ctx, s, s.tile, pair_room(s.dim)),
          p_rows(ctx, s, s.tile, pair_room(s.keys)),
          scores(ctx, s, s.tile, s.scores_room),
          out_tile(ctx, s, s.tile, s.dim_room),
          norms(ctx, s, 1, ceil_div(s.tile, line) * line),
          table(ctx, s, false) {}

    void pack_table(const sizes& s, const view* from) const {
        pack_table_columns(s, table.columns, from);
    }
};

template <class Pairs>
void forward_head(const sizes& s, const pair_forward_memory<Pairs>& memory, int64_t thread,
                  token_rows<bf16> out, token_rows<float> lse, const task_inputs<bf16>& in,
                  const task_inputs<bf16>& next, const score_terms& terms, float scale) {
    const matrix rows = memory.rows.of(thread), k_columns = memory.k_columns.of(thread);
    const matrix v_pairs = memory.v_pairs.of(thread), q_rows = memory.q_rows.of(thread);
    const matrix p_rows = memory.p_rows.of(thread), out_tile = memory.out_tile.of(thread);
    const matrix products = memory.scores.of(thread), p = products.from_column(s.entries);
    const matrix q_tile = memory.table.q_tile.of(thread);
    float* norm = memory.norms.of(thread).first;
    copy_rows(rows, in.k, 0, s.keys, s.dim);
    pair_columns(k_columns, rows, s.keys, s.dim);
    copy_rows(rows, in.v, 0, s.keys, s.dim);
    pair_rows(v_pairs, rows, s.keys, s.dim);
    for (int64_t first = 0; first < s.queries; first += s.tile) {
        const int64_t count = std::min(s.tile, s.queries - first);
        if (s.entries > 0) {
            pack_rows(q_tile, in.q, first, count, s.dim);
            product<reading::plain>(products, q_tile, memory.table.columns.of(thread), count,
                                    s.entries, s.dim);
        }
        copy_rows(q_rows, in.q, first, count, s.dim);
        pair_product<Pairs, reading::plain>(p, q_rows, k_columns, count, s.keys, s.dim, scale);
        for (int64_t i = 0; i < count; ++i) {
            next.fetch_row(s, first + i);
            const softmax_sum row =
                softmax_row(p.row(i), products.row(i), terms, first + i, s.keys);
            norm[i] = 1.0f / round_row<Pairs>(p_rows.row(i), p.row(i), s.keys);
            *lse[first + i] = row.max + std::log(row.sum);
        }
        pair_product<Pairs, reading::plain>(out_tile, p_rows, v_pairs, count, s.dim, s.keys);
        for (int64_t i = 0; i < count; ++i)
            unpack_row(out[first + i], out_tile.row(i), s.dim, norm[i]);
    }
}

template <class Pairs>
struct pair_backward_memory {
    thread_matrices rows;                      // (S, D): k, then v
    thread_matrices k_columns, v_columns;      // (D/2, S) pairs
    thread_matrices k_pairs;                   // (S/2, D) pairs
    thread_matrices dk_rows, dv_rows;          // (S, D) floats
    thread_matrices q_rows, q_pairs;           // (tile, D), (tile/2, D) pairs
    thread_matrices dout_rows, dout_pairs;     // the same
    thread_matrices p_rows, p_pairs;           // (tile, S), (tile/2, S) pairs
    thread_matrices ds_rows, ds_pairs;         // the same
    thread_matrices scores, dscores, dq_tile;  // (tile, U + S) twice, (tile, D) floats
    thread_matrices ds_sums, k_mean;           // (1, tile), (1, D) floats
    table_memory table;

    pair_backward_memory(context& ctx, const sizes& s)
        : rows(ctx, s, s.keys, pair_room(s.dim)),
          k_columns(ctx, s, pair_room(s.dim), s.scores_room),
          v_columns(ctx, s, pair_room(s.dim), s.scores_room),
          k_pairs(ctx, s, ceil_div(s.keys, 2), s.dim_room),
          dk_rows(ctx, s, s.keys, s.dim_room),
          dv_rows(ctx, s, s.keys, s.dim_room),
          q_rows(ctx, s, s.tile, pair_room(s.dim)),
          q_pairs(ctx, s, ceil_div(s.tile, 2), s.dim_room),
          dout_rows(ctx, s, s.tile, pair_room(s.dim)),
          dout_pairs(ctx, s, ceil_div(s.tile, 2), s.dim_room),
          p_rows(ctx, s, s.tile, pair_room(s.keys)),
          p_pairs(ctx, s, ceil_div(s.tile, 2), s.scores_room),
          ds_rows(ctx, s, s.tile, pair_room(s.keys)),
          ds_pairs(ctx, s, ceil_div(s.tile, 2), s.scores_room),
          scores(ctx, s, s.tile, s.scores_room),
          dscores(ctx, s, s.tile, s.scores_room),
          dq_tile(ctx, s, s.tile, s.dim_room),
          ds_sums(ctx, s, 1, ceil_div(s.tile, line) * line),
          k_mean(ctx, s, 1, s.dim_room),
          table(ctx, s, true) {}

    void pack_table(const sizes& s, const view* from) const {
        pack_table_columns(s, table.columns, from);
        pack_table_rows(s, table.rows, from);
    }
};

template <class Pairs>
void backward_head(const sizes& s, const pair_backward_memory<Pairs>& memory, int64_t thread,
                   token_rows<bf16> dq, token_rows<bf16> dk, token_rows<bf16> dv, float* dbias,
                   float* dtable_rows, const task_inputs<bf16>& in, const task_inputs<bf16>& next,
                   const score_terms& terms, token_rows<float> lse, float scale) {
    const matrix rows = memory.rows.of(thread), k_columns = memory.k_columns.of(thread);
    const matrix v_columns = memory.v_columns.of(thread), k_pairs = memory.k_pairs.of(thread);
    const matrix dk_rows = memory.dk_rows.of(thread), dv_rows = memory.dv_rows.of(thread);
    const matrix q_rows = memory.q_rows.of(thread), q_pairs = memory.q_pairs.of(thread);
    const matrix dout_rows = memory.dout_rows.of(thread), dq_tile = memory.dq_tile.of(thread);
    const matrix dout_pairs = memory.dout_pairs.of(thread);
    const matrix p_rows = memory.p_rows.of(thread), p_pairs = memory.p_pairs.of(thread);
    const matrix ds_rows = memory.ds_rows.of(thread), ds_pairs = memory.ds_pairs.of(thread);
    const matrix products = memory.scores.of(thread), p = products.from_column(s.entries);
    const matrix dproducts = memory.dscores.of(thread), ds = dproducts.from_column(s.entries);
    const matrix q_tile = memory.table.q_tile.of(thread);
    const matrix table_gradient = memory.table.gradient.of(thread);
    float *ds_sum = memory.ds_sums.of(thread).first, *k_mean = memory.k_mean.of(thread).first;
    mean_of_rows(k_mean, in.k, s.keys, s.dim);
    copy_rows(rows, in.k, 0, s.keys, s.dim);
    pair_columns(k_columns, rows, s.keys, s.dim);
    pair_rows(k_pairs, rows, s.keys, s.dim);
    copy_rows(rows, in.v, 0, s.keys, s.dim);
    pair_columns(v_columns, rows, s.keys, s.dim);
    for (int64_t first = 0; first < s.queries; first += s.tile) {
        const int64_t count = std::min(s.tile, s.queries - first);
        const bool add = first > 0;
        copy_rows(q_rows, in.q, first, count, s.dim);
        pair_rows(q_pairs, q_rows, count, s.dim);
        copy_rows(dout_rows, in.dout, first, count, s.dim);
        pair_rows(dout_pairs, dout_rows, count, s.dim);
        if (s.entries > 0) {
            pack_rows(q_tile, in.q, first, count, s.dim);
            product<reading::plain>(products, q_tile, memory.table.columns.of(thread), count,
                                    s.entries, s.dim);
        }
        pair_product<Pairs, reading::plain>(p, q_rows, k_columns, count, s.keys, s.dim, scale);
        pair_product<Pairs, reading::plain>(ds, dout_rows, v_columns, count, s.keys, s.dim);
        for (int64_t i = 0; i < count; ++i) {
            next.fetch_row(s, first + i);
            softmax_backward_row(p.row(i), products.row(i), terms, ds.row(i), dbias,
                                 *lse[first + i], first + i, s.keys);
            round_row<Pairs>(p_rows.row(i), p.row(i), s.keys);
            ds_sum[i] = round_row<Pairs>(ds_rows.row(i), ds.row(i), s.keys);
        }
        pair_rows(p_pairs, p_rows, count, s.keys);
        pair_rows(ds_pairs, ds_rows, count, s.keys);
        pair_product<Pairs, reading::transposed>(dv_rows, p_pairs, dout_pairs, s.keys, s.dim, count,
                                                 1, add);
        pair_product<Pairs, reading::transposed>(dk_rows, ds_pairs, q_pairs, s.keys, s.dim, count,
                                                 1, add);
        pair_product<Pairs, reading::plain>(dq_tile, ds_rows, k_pairs, count, s.dim, s.keys, scale);
        if (s.entries > 0) {
            sum_by_bucket(dproducts, ds, terms.buckets + first * s.keys, count, s.entries, s.keys);
            product<reading::transposed>(table_gradient, dproducts, q_tile, s.entries, s.dim, count,
                                         add);
            product<reading::plain>(dq_tile, dproducts, memory.table.rows.of(thread), count, s.dim,
                                    s.entries, true);
        }
        for (int64_t i = 0; i < count; ++i) {
            add_row(dq_tile.row(i), k_mean, s.dim, -scale * ds_sum[i]);
            unpack_row(dq[first + i], dq_tile.row(i), s.dim, 1.0f);
        }
    }
    for (int64_t j = 0; j < s.keys; ++j) {
        unpack_row(dk[j], dk_rows.row(j), s.dim, scale);
        unpack_row(dv[j], dv_rows.row(j), s.dim, 1.0f);
    }
    if (dtable_rows != nullptr)
        for (int64_t i = 0; i < s.entries * s.dim_room; ++i)
            dtable_rows[i] += table_gradient.first[i];
}

}  // namespace HWY_NAMESPACE
}  // namespace mim::cpu
HWY_AFTER_NAMESPACE();
#endif

#endif  // once per instruction set
