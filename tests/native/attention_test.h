// What the tests of attention share: its arguments in every layout, and the plain softmax formula in
// double.
#pragma once

#include "op_test.h"

namespace mim::test::of_attention {

using std::vector;

// How q, k, v and their gradients lie in memory; all are seen as (B, T, H, D).
enum layout : int64_t {
    dense = 0,        // (B, T, H, D) each
    packed = 1,       // thirds of one (B, T, 3, H, D)
    heads_first = 2,  // (B, H, T, D) each
};

struct operand {
    tensor memory;
    layout lies;
    int third;

    mim_view view() {
        if (lies == heads_first) return *memory.permuted({0, 2, 1, 3});
        if (lies == dense) return *memory.view();
        mim_view v = *memory.slice(2, third, third + 1);
        for (int axis = 2; axis < 4; ++axis) {
            v.shape[axis] = v.shape[axis + 1];
            v.stride[axis] = v.stride[axis + 1];
        }
        v.rank = 4;
        return v;
    }
    double operator()(int64_t b, int64_t i, int64_t h, int64_t c) const {
        return lies == packed  ? memory(b, i, third, h, c)
               : lies == dense ? memory(b, i, h, c)
                               : memory(b, h, i, c);
    }
    // As (B, H, T, D), whatever the layout.
    vector<double> values(int64_t batch, int64_t tokens, int64_t heads, int64_t dim) const {
        vector<double> all;
        for (int64_t b = 0; b < batch; ++b)
            for (int64_t h = 0; h < heads; ++h)
                for (int64_t i = 0; i < tokens; ++i)
                    for (int64_t c = 0; c < dim; ++c) all.push_back((*this)(b, i, h, c));
        return all;
    }
};

struct shape {
    int64_t batch, queries, keys, heads, dim;  // queries and keys of an image
    int64_t windows = 1, entries = 1;

    int64_t rows() const { return queries / windows; }  // queries and keys of a window
    int64_t cols() const { return keys / windows; }
};

// Which of the optional arguments a call has.
enum part : int64_t {
    with_bias = 1,
    with_dbias = 2,
    with_windows = 4,
    with_mask = 8,
    with_table = 16,
    with_dtable = 32,
    everything = 63
};

struct problem {
    operand q, k, v, dout;
    operand out, dq, dk, dv;
    tensor bias, lse, dbias;
    tensor windows, mask, table, buckets, dtable;
    int64_t parts;
    mim_attention_params params;

    problem(harness& t, const shape& s, layout lies, int64_t parts)
        : q{memory(t, s, s.queries, lies, true), lies, 0},
          k{lies == packed ? q.memory : memory(t, s, s.keys, lies, true), lies, 1},
          v{lies == packed ? q.memory : memory(t, s, s.keys, lies, true), lies, 2},
          dout{memory(t, s, s.queries, dense, true), dense, 0},
          out{memory(t, s, s.queries, dense, false), dense, 0},
          dq{memory(t, s, s.queries, lies, false), lies, 0},
          dk{lies == packed ? dq.memory : memory(t, s, s.keys, lies, false), lies, 1},
          dv{lies == packed ? dq.memory : memory(t, s, s.keys, lies, false), lies, 2},
          bias(t.random_f32({s.heads, s.rows(), s.cols()})),
          lse(t.filled_f32({s.batch, s.heads, s.queries}, NAN)),
          dbias(t.filled_f32({s.heads, s.rows(), s.cols()}, 1)),  // backward must add
          windows(t.integers({s.windows, s.rows()}, t.permutation(s.windows * s.rows()))),
          mask(t.random_f32({s.windows, s.rows(), s.cols()})),
          table(t.random_f32({s.dim, s.entries}, 0.3)),
          buckets(t.integers({s.rows(), s.cols()}, random_ids(t, s.rows() * s.cols(), s.entries))),
          dtable(t.filled_f32({s.dim, s.entries}, 1)),
          parts(parts),
          params{sizeof params, float(1 / std::sqrt(double(s.dim)))} {}

    static vector<int64_t> random_ids(harness& t, int64_t count, int64_t limit) {
        vector<int64_t> ids;
        for (int64_t i = 0; i < count; ++i)
            ids.push_back(std::min(limit - 1, int64_t(t.uniform() * double(limit))));
        return ids;
    }

    static tensor memory(harness& t, const shape& s, int64_t tokens, layout lies, bool random) {
        const vector<int64_t> extents =
            lies == packed  ? vector<int64_t>{s.batch, tokens, 3, s.heads, s.dim}
            : lies == dense ? vector<int64_t>{s.batch, tokens, s.heads, s.dim}
                            : vector<int64_t>{s.batch, s.heads, tokens, s.dim};
        return random ? t.random(extents) : t.filled(extents, NAN);
    }

    bool has(part p) const { return (parts & p) != 0; }
    const mim_view* if_present(tensor& x, part p) { return has(p) ? x.view() : nullptr; }

    mim_status forward(mim_context* ctx) {
        const mim_view o = out.view(), a = q.view(), b = k.view(), c = v.view();
        return mim_attention_forward(ctx, &o, lse, &a, &b, &c, if_present(bias, with_bias),
                                     if_present(windows, with_windows), if_present(mask, with_mask),
                                     if_present(table, with_table), if_present(buckets, with_table),
                                     &params);
    }
    mim_status backward(mim_context* ctx) {
        const mim_view da = dq.view(), db = dk.view(), dc = dv.view(), d = dout.view();
        const mim_view a = q.view(), b = k.view(), c = v.view(), o = out.view();
        return mim_attention_backward(
            ctx, &da, &db, &dc, if_present(dbias, with_dbias), if_present(dtable, with_dtable), &d,
            &a, &b, &c, if_present(bias, with_bias), if_present(windows, with_windows),
            if_present(mask, with_mask), if_present(table, with_table),
            if_present(buckets, with_table), &o, lse, &params);
    }
    // A parameter's gradient, without the 1 it was filled with.
    static vector<double> added(const tensor& gradient) {
        vector<double> g = gradient.values();
        for (double& x : g) x -= 1;
        return g;
    }
};

// One head of one window, whatever it was cut from: q (T, D), k (S, D), the scores added to it
// (T, S), and the table (D, U) with the buckets (T, S).
struct head_reference {
    int64_t rows, cols, dim, entries;
    double scale;
    vector<double> q, k, v, dout, added, table, buckets;
    vector<double> out, lse, dq, dk, dv, ds, dtable;

    void compute() {
        out.assign(q.size(), 0), dq.assign(q.size(), 0);
        dk.assign(k.size(), 0), dv.assign(k.size(), 0);
        lse.assign(size_t(rows), 0), ds.assign(size_t(rows * cols), 0);
        dtable.assign(table.size(), 0);
        for (int64_t i = 0; i < rows; ++i) query(i);
    }
    void query(int64_t i) {
        vector<double> prob(size_t(cols), 0.0), dprob(size_t(cols), 0.0);
        const double *qi = &q[size_t(i * dim)], *doi = &dout[size_t(i * dim)];
        double top = -INFINITY, sum = 0, delta = 0;
        const auto bucket = [&](int64_t j) { return int64_t(buckets[size_t(i * cols + j)]); };
        for (int64_t j = 0; j < cols; ++j) {
            double score = added[size_t(i * cols + j)];
            for (int64_t c = 0; c < dim; ++c) {
                score += scale * qi[c] * k[size_t(j * dim + c)];
                if (!table.empty()) score += qi[c] * table[size_t(c * entries + bucket(j))];
            }
            prob[size_t(j)] = score;
            top = std::max(top, score);
        }
        for (double& x : prob) sum += x = std::exp(x - top);
        lse[size_t(i)] = top + std::log(sum);
        for (int64_t j = 0; j < cols; ++j) {
            prob[size_t(j)] /= sum;
            for (int64_t c = 0; c < dim; ++c) {
                out[size_t(i * dim + c)] += prob[size_t(j)] * v[size_t(j * dim + c)];
                dprob[size_t(j)] += doi[c] * v[size_t(j * dim + c)];
            }
            delta += prob[size_t(j)] * dprob[size_t(j)];
        }
        for (int64_t j = 0; j < cols; ++j) {
            const double g = prob[size_t(j)] * (dprob[size_t(j)] - delta);
            ds[size_t(i * cols + j)] = g;
            for (int64_t c = 0; c < dim; ++c) {
                const size_t ic = size_t(i * dim + c), jc = size_t(j * dim + c);
                dv[jc] += prob[size_t(j)] * doi[c];
                dk[jc] += scale * g * qi[c];
                dq[ic] += scale * g * k[jc];
                if (table.empty()) continue;
                const size_t entry = size_t(c * entries + bucket(j));
                dq[ic] += g * table[entry];
                dtable[entry] += g * qi[c];
            }
        }
    }
};

// All (B, H, tokens, D), lse (B, H, T), dbias (H, T, S) and dtable (D, U) counted from 1. Windows are
// cut out of the image token by token and put back.
struct reference {
    vector<double> out, lse, dq, dk, dv, dbias, dtable;
};

inline reference attention(const shape& s, const problem& p) {
    const auto q = p.q.values(s.batch, s.queries, s.heads, s.dim);
    const auto k = p.k.values(s.batch, s.keys, s.heads, s.dim);
    const auto v = p.v.values(s.batch, s.keys, s.heads, s.dim);
    const auto dout = p.dout.values(s.batch, s.queries, s.heads, s.dim);
    reference r;
    r.out.resize(q.size()), r.dq.resize(q.size()), r.dk.resize(k.size()), r.dv.resize(k.size());
    r.lse.resize(size_t(s.batch * s.heads * s.queries));
    r.dbias.assign(size_t(p.bias.size()), 1);
    r.dtable.assign(size_t(p.table.size()), 1);
    const int64_t rows = s.rows(), cols = s.cols();
    for (int64_t bh = 0; bh < s.batch * s.heads; ++bh)
        for (int64_t w = 0; w < s.windows; ++w) {
            head_reference head = {rows, cols, s.dim, s.entries, p.params.scale};
            const auto place = [&](int64_t tokens, int64_t i) {
                const int64_t token = p.has(with_windows) ? int64_t(p.windows(w, i)) : i;
                return size_t((bh * tokens + token) * s.dim);
            };
            const auto cut = [&](vector<double>& to, const vector<double>& from, int64_t tokens,
                                 int64_t count) {
                for (int64_t i = 0; i < count; ++i)
                    to.insert(to.end(), &from[place(tokens, i)], &from[place(tokens, i)] + s.dim);
            };
            const auto put = [&](vector<double>& to, const vector<double>& from, int64_t tokens,
                                 int64_t count) {
                for (int64_t i = 0; i < count; ++i)
                    std::copy_n(&from[size_t(i * s.dim)], s.dim, &to[place(tokens, i)]);
            };
            cut(head.q, q, s.queries, rows), cut(head.dout, dout, s.queries, rows);
            cut(head.k, k, s.keys, cols), cut(head.v, v, s.keys, cols);
            for (int64_t i = 0; i < rows; ++i)
                for (int64_t j = 0; j < cols; ++j)
                    head.added.push_back((p.has(with_bias) ? p.bias(bh % s.heads, i, j) : 0) +
                                         (p.has(with_mask) ? p.mask(w, i, j) : 0));
            if (p.has(with_table)) head.table = p.table.values(), head.buckets = p.buckets.values();
            head.compute();
            put(r.out, head.out, s.queries, rows), put(r.dq, head.dq, s.queries, rows);
            put(r.dk, head.dk, s.keys, cols), put(r.dv, head.dv, s.keys, cols);
            for (int64_t i = 0; i < rows; ++i)
                r.lse[place(s.queries, i) / size_t(s.dim)] = head.lse[size_t(i)];
            for (int64_t ij = 0; ij < rows * cols; ++ij)
                r.dbias[size_t(bh % s.heads * rows * cols + ij)] += head.ds[size_t(ij)];
            for (size_t e = 0; e < head.dtable.size(); ++e) r.dtable[e] += head.dtable[e];
        }
    return r;
}

inline void compare(harness& t, const shape& s, const problem& p) {
    const reference want = attention(s, p);
    const auto each = [&](const char* name, const operand& got, int64_t tokens,
                          const vector<double>& wanted) {
        const vector<double> values = got.values(s.batch, tokens, s.heads, s.dim);
        for (size_t i = 0; i < values.size(); ++i) t.near(name, values[i], wanted[i]);
    };
    each("out", p.out, s.queries, want.out);
    each("dv", p.dv, s.keys, want.dv);
    if (s.cols() == 1) {  // one key has probability 1 whatever q and k are
        for (const double g : p.dq.values(s.batch, s.queries, s.heads, s.dim))
            EXPECT_NEAR(0, g, 1e-5);
        for (const double g : p.dk.values(s.batch, s.keys, s.heads, s.dim)) EXPECT_NEAR(0, g, 1e-5);
    } else {
        each("dq", p.dq, s.queries, want.dq);
        each("dk", p.dk, s.keys, want.dk);
    }
    t.near("lse", p.lse, want.lse);
    t.tolerance("lse", 4e-6);  // f32 whatever the storage
    const auto parameter = [&](const char* name, bool wanted, const tensor& got,
                               const vector<double>& values) {
        if (wanted)
            t.near(name, got, values);
        else
            for (const double x : got.values()) t.exact((name + std::string(" untouched")), x, 1);
    };
    parameter("dbias", p.has(with_dbias), p.dbias, want.dbias);
    parameter("dtable", p.has(with_dtable), p.dtable, want.dtable);
}

inline vector<vector<double>> results(const problem& p) {
    return {p.out.memory.values(), p.lse.values(),   p.dq.memory.values(), p.dk.memory.values(),
            p.dv.memory.values(),  p.dbias.values(), p.dtable.values()};
}

}  // namespace mim::test::of_attention
