// Attention against the plain softmax formula in double.
#include <numeric>

#include "cpu/attention.h"
#include "op_test.h"

namespace {

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

    problem(mim::test::harness& t, const shape& s, layout lies, int64_t parts)
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

    static vector<int64_t> random_ids(mim::test::harness& t, int64_t count, int64_t limit) {
        vector<int64_t> ids;
        for (int64_t i = 0; i < count; ++i)
            ids.push_back(std::min(limit - 1, int64_t(t.uniform() * double(limit))));
        return ids;
    }

    static tensor memory(mim::test::harness& t, const shape& s, int64_t tokens, layout lies,
                         bool random) {
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

reference attention(const shape& s, const problem& p) {
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

void compare(mim::test::harness& t, const shape& s, const problem& p) {
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

vector<vector<double>> results(const problem& p) {
    return {p.out.memory.values(), p.lse.values(),   p.dq.memory.values(), p.dk.memory.values(),
            p.dv.memory.values(),  p.dbias.values(), p.dtable.values()};
}

}  // namespace

OP_TEST(attention, int64_t batch, int64_t queries, int64_t keys, int64_t heads, int64_t dim,
        int64_t lies, int64_t parts) {
    const shape s = {batch, queries, keys, heads, dim};
    problem p(t, s, layout(lies), parts);
    t.ok(p.forward(t.ctx()));
    t.ok(p.backward(t.ctx()));
    compare(t, s, p);
}
OP_CASES(attention, {1, 1, 1, 1, 1, dense, 0}, {2, 1, 1, 3, 16, dense, 3},
         {2, 3, 5, 3, 1, dense, 3}, {1, 5, 3, 2, 33, heads_first, 1}, {2, 1, 17, 2, 16, dense, 1},
         {3, 17, 17, 3, 33, packed, 3}, {1, 17, 1, 2, 7, dense, 0}, {2, 50, 50, 3, 64, packed, 0},
         {2, 50, 50, 3, 64, packed, 3}, {1, 49, 49, 5, 32, packed, 1},
         {1, 196, 50, 2, 64, dense, 3}, {2, 50, 197, 2, 64, heads_first, 0},
         {2, 197, 197, 3, 64, packed, 0}, {2, 197, 197, 3, 64, packed, 3},
         {1, 197, 197, 2, 80, packed, 0}, {1, 65, 65, 2, 128, packed, 1},
         {1, 130, 1100, 1, 24, dense, 3});
OP_CASES_BF16(attention, {2, 3, 5, 3, 1, dense, 3}, {3, 17, 17, 3, 33, packed, 3},
              {2, 50, 50, 3, 64, packed, 0}, {1, 65, 33, 2, 128, heads_first, 1},
              {1, 197, 197, 2, 80, packed, 3},
              // edges of the GPU's tiles of 16, 32 and 64 rows, and its head dimensions
              {2, 16, 16, 2, 32, packed, 0}, {1, 64, 64, 2, 64, packed, 3},
              {2, 63, 81, 2, 32, heads_first, 0}, {1, 64, 128, 2, 80, dense, 0},
              {1, 65, 129, 2, 64, dense, 3}, {1, 48, 96, 1, 128, dense, 3},
              {1, 33, 65, 1, 128, heads_first, 0}, {1, 100, 200, 1, 79, dense, 0},
              {1, 100, 31, 2, 72, dense, 0}, {1, 130, 90, 1, 127, dense, 1},
              {2, 32, 17, 2, 64, dense, 3}, {2, 65, 65, 2, 80, packed, 3},
              {1, 80, 49, 1, 64, heads_first, 0});

// Windows (W, T) with any mixture of the other arguments.
OP_TEST(attention_windows, int64_t batch, int64_t windows, int64_t tokens, int64_t heads,
        int64_t dim, int64_t entries, int64_t lies, int64_t parts) {
    const shape s = {batch, windows * tokens, windows * tokens, heads, dim, windows, entries};
    problem p(t, s, layout(lies), with_windows | parts);
    t.ok(p.forward(t.ctx()));
    t.ok(p.backward(t.ctx()));
    compare(t, s, p);
}
OP_CASES(attention_windows, {1, 1, 1, 1, 1, 1, dense, everything}, {2, 3, 1, 2, 5, 2, dense, 0},
         {2, 3, 5, 2, 8, 1, dense, 0}, {1, 4, 7, 3, 12, 1, packed, with_bias},
         {2, 4, 49, 3, 32, 1, packed, with_bias | with_dbias},
         {2, 4, 49, 3, 32, 1, packed, with_bias | with_dbias | with_mask},
         {1, 9, 16, 2, 16, 1, heads_first, with_mask},
         {2, 3, 9, 2, 16, 6, dense, with_table | with_dtable},
         {2, 2, 25, 2, 33, 7, packed, everything}, {1, 2, 70, 2, 24, 40, packed, everything});
OP_CASES_BF16(attention_windows, {2, 4, 49, 3, 32, 1, packed, with_bias | with_dbias | with_mask},
              {1, 3, 21, 2, 20, 9, heads_first, everything});

// The contextual position table, without windows.
OP_TEST(attention_table, int64_t batch, int64_t queries, int64_t keys, int64_t heads, int64_t dim,
        int64_t entries, int64_t lies, int64_t parts) {
    const shape s = {batch, queries, keys, heads, dim, 1, entries};
    problem p(t, s, layout(lies), with_table | parts);
    t.ok(p.forward(t.ctx()));
    t.ok(p.backward(t.ctx()));
    compare(t, s, p);
}
OP_CASES(attention_table, {1, 1, 1, 1, 1, 1, dense, with_dtable},
         {2, 5, 3, 2, 7, 1, dense, with_dtable}, {2, 50, 50, 3, 16, 50, packed, with_dtable},
         {2, 50, 50, 3, 64, 50, packed, with_dtable}, {2, 50, 50, 3, 12, 50, packed, with_dtable},
         {2, 50, 50, 2, 64, 50, packed, 0}, {2, 7, 19, 2, 16, 17, heads_first, with_dtable},
         {1, 70, 33, 2, 40, 64, dense, with_bias | with_dbias | with_dtable},
         {1, 9, 9, 1, 128, 300, dense, with_dtable}, {1, 197, 197, 2, 64, 50, packed, with_dtable});
OP_CASES_BF16(attention_table, {2, 50, 50, 3, 64, 50, packed, with_dtable},
              {2, 50, 50, 2, 12, 50, packed, 0}, {1, 70, 100, 2, 33, 20, dense, 0},
              {2, 65, 80, 1, 64, 90, dense, with_bias | with_dbias | with_dtable},
              {1, 9, 9, 1, 128, 300, dense, with_dtable},
              {2, 5, 9, 2, 12, 6, dense, with_bias | with_dbias | with_dtable});

// Swin's shifted windows: rolling an image, cutting it into squares and attending in each with the
// plain op is the same as one call with the rolled order of tokens as windows.
OP_TEST(attention_shifted_windows, int64_t height, int64_t width, int64_t side, int64_t shift) {
    const int64_t area = side * side, across = width / side, down = height / side;
    const shape s = {2, height * width, height * width, 2, 16, down * across};
    problem p(t, s, dense, with_windows | with_bias | with_mask | with_dbias);
    const auto roll = [&](auto pixels) {  // rows of `width` pixels, by -shift along both axes
        std::rotate(pixels.begin(), pixels.begin() + shift * width, pixels.end());
        for (int64_t y = 0; y < height; ++y) {
            const auto row = pixels.begin() + y * width;
            std::rotate(row, row + shift, row + width);
        }
        return pixels;
    };
    vector<int64_t> tokens(size_t(height * width), 0);
    std::iota(tokens.begin(), tokens.end(), 0);
    tokens = roll(tokens);
    const auto at = [&](int64_t w, int64_t i) {  // the pixel of the rolled image
        return (w / across * side + i / side) * width + w % across * side + i % side;
    };
    // Regions of the rolled image that were apart before: the last `shift` rows and columns came
    // from the other edge.
    const auto region = [&](int64_t pixel) {
        return (pixel / width >= height - shift) * 2 + (pixel % width >= width - shift);
    };
    for (int64_t w = 0; w < s.windows; ++w)
        for (int64_t i = 0; i < area; ++i) {
            p.windows.set(w * area + i, double(tokens[size_t(at(w, i))]));
            for (int64_t j = 0; j < area; ++j)
                p.mask.set((w * area + i) * area + j,
                           region(at(w, i)) == region(at(w, j)) ? 0 : -100);
        }
    t.ok(p.forward(t.ctx()));
    t.ok(p.backward(t.ctx()));
    compare(t, s, p);

    const shape one = {s.batch, area, area, s.heads, s.dim};
    for (int64_t w = 0; w < s.windows; ++w) {
        problem square(t, one, dense, with_bias);
        const int64_t channels = s.heads * s.dim;
        const auto cut = [&](const operand& from, operand& to) {
            for (int64_t b = 0; b < s.batch; ++b) {
                vector<vector<double>> pixels(size_t(s.queries), vector<double>(size_t(channels)));
                for (int64_t i = 0; i < s.queries * channels; ++i)
                    pixels[size_t(i / channels)][size_t(i % channels)] =
                        from.memory.at(b * s.queries * channels + i);
                pixels = roll(pixels);
                for (int64_t i = 0; i < area * channels; ++i)
                    to.memory.set(b * area * channels + i,
                                  pixels[size_t(at(w, i / channels))][size_t(i % channels)]);
            }
        };
        cut(p.q, square.q), cut(p.k, square.k), cut(p.v, square.v), cut(p.dout, square.dout);
        for (int64_t i = 0; i < p.bias.size(); ++i)
            square.bias.set(i, p.bias.at(i) + p.mask.at(w * area * area + i % (area * area)));
        t.ok(square.forward(t.ctx()));
        t.ok(square.backward(t.ctx()));
        problem got(t, one, dense, 0);
        cut(p.out, got.out), cut(p.dq, got.dq), cut(p.dk, got.dk), cut(p.dv, got.dv);
        t.near("rolled out", got.out.memory, square.out.memory.values());
        t.near("rolled dq", got.dq.memory, square.dq.memory.values());
        t.near("rolled dk", got.dk.memory, square.dk.memory.values());
        t.near("rolled dv", got.dv.memory, square.dv.memory.values());
    }
}
OP_CASES(attention_shifted_windows, {4, 4, 2, 1}, {6, 9, 3, 1}, {14, 14, 7, 3}, {4, 8, 4, 0});

OP_TEST(attention_derivative, int64_t lies, int64_t windows, int64_t parts) {
    const int64_t keys = layout(lies) == packed || windows > 1 ? 6 : 9;
    const shape s = {2, windows * 6, windows * keys, 2, 12, windows, 5};
    problem p(t, s, layout(lies), parts);
    t.ok(p.forward(t.ctx()));
    t.ok(p.backward(t.ctx()));
    const auto loss = [&] {
        t.ok(p.forward(t.ctx()));
        return dot(p.out.memory, p.dout.memory);
    };
    t.directional_derivative("dq", p.q.memory, p.dq.memory.values(), loss);  // packed: q, k and v
    if (layout(lies) != packed) {
        t.directional_derivative("dk", p.k.memory, p.dk.memory.values(), loss);
        t.directional_derivative("dv", p.v.memory, p.dv.memory.values(), loss);
    }
    t.directional_derivative("dbias", p.bias, problem::added(p.dbias), loss);
    if (p.has(with_table))
        // a step of the table moves a score D-fold, so a smaller one keeps the third order out
        t.directional_derivative("dtable", p.table, problem::added(p.dtable), loss, 3e-3);
}
OP_CASES(attention_derivative, {dense, 1, with_bias | with_dbias},
         {packed, 1, with_bias | with_dbias}, {heads_first, 1, with_bias | with_dbias},
         {dense, 3, everything}, {packed, 3, everything},
         {dense, 1, with_bias | with_dbias | with_table | with_dtable});

// Scores around +16384 or -16384 by row, differing by a few units. The large part of q.k and the
// small ones are multiples of 1/64 that f32 holds exactly, so all error is softmax's own.
OP_TEST(attention_sharp) {
    const shape s = {2, 17, 37, 2, 16};
    problem p(t, s, dense, 0);
    p.params.scale = 1;
    const auto fill = [&](operand& x, bool query) {
        for (int64_t i = 0; i < x.memory.size(); ++i) {
            const double small = std::floor(17 * t.uniform() - 8) / 8;
            const double large = query && i / s.dim % 2 ? -128 : 128;
            x.memory.set(i, i % s.dim == 0 ? large : small);
        }
    };
    fill(p.q, true);
    fill(p.k, false);
    t.ok(p.forward(t.ctx()));
    t.ok(p.backward(t.ctx()));
    // dq[0] = 128 sum_j dS_ij = 0 by cancellation, so rounding weighs 128 times as much there
    if (t.dtype() == MIM_F32) t.tolerance("dq", 4e-5);
    compare(t, s, p);
}
OP_CASES(attention_sharp, {});
OP_CASES_BF16(attention_sharp, {});

// Where one score is far above all others, out is that key's value and nothing else has a gradient.
OP_TEST(attention_one_hot) {
    const shape s = {1, 8, 19, 1, 4};
    problem p(t, s, dense, 0);
    p.params.scale = 1;
    for (int64_t j = 0; j < s.keys; ++j)
        for (int64_t c = 0; c < s.dim; ++c) p.k.memory.set(j * s.dim + c, c == 0 ? j : 1);
    for (int64_t i = 0; i < s.queries; ++i)
        for (int64_t c = 0; c < s.dim; ++c)
            p.q.memory.set(i * s.dim + c, c == 0 ? (i % 2 ? -1e4 : 1e4) : 1);
    t.ok(p.forward(t.ctx()));
    t.ok(p.backward(t.ctx()));
    for (int64_t i = 0; i < s.queries; ++i)
        for (int64_t c = 0; c < s.dim; ++c)
            t.exact("out", p.out(0, i, 0, c), p.v(0, i % 2 ? 0 : s.keys - 1, 0, c));
    for (const double g : p.dq.memory.values()) t.exact("dq", std::fabs(g), 0);
    for (const double g : p.dk.memory.values()) t.exact("dk", std::fabs(g), 0);
    for (int64_t j = 1; j < s.keys - 1; ++j)
        for (int64_t c = 0; c < s.dim; ++c) t.exact("dv", p.dv(0, j, 0, c), 0);
}
OP_CASES(attention_one_hot, {});
OP_CASES_BF16(attention_one_hot, {});

// Keys that a bias closes (-inf, or as good as that) are as if they were not there.
OP_TEST(attention_closed_keys, int64_t infinite) {
    const shape s = {2, 21, 35, 2, 16};
    problem p(t, s, dense, with_bias | with_dbias);
    const auto closed = [](int64_t j) { return j % 3 == 0 || j > 30; };
    for (int64_t i = 0; i < p.bias.size(); ++i)
        if (closed(i % s.keys)) p.bias.set(i, infinite ? -INFINITY : -1e9);
    t.ok(p.forward(t.ctx()));
    t.ok(p.backward(t.ctx()));
    compare(t, s, p);
    for (int64_t b = 0; b < s.batch; ++b)
        for (int64_t j = 0; j < s.keys; ++j)
            for (int64_t h = 0; closed(j) && h < s.heads; ++h) {
                for (int64_t c = 0; c < s.dim; ++c) {
                    t.exact("dk", p.dk(b, j, h, c), 0);
                    t.exact("dv", p.dv(b, j, h, c), 0);
                }
                for (int64_t i = 0; i < s.queries; ++i) t.exact("dbias", p.dbias(h, i, j), 1);
            }
}
OP_CASES(attention_closed_keys, {0}, {1});
OP_CASES_BF16(attention_closed_keys, {1});

// Repeated runs give the same bits. So does any number of threads, but for dbias and dtable, whose
// sums over the batch are cut where a thread's work begins; there the values must agree.
OP_TEST(attention_repeats, int64_t batch, int64_t heads, int64_t windows, int64_t parts) {
    const int64_t keys = windows > 1 ? 23 : 31;
    const shape s = {batch, windows * 23, windows * keys, heads, 20, windows, 11};
    problem p(t, s, dense, parts);
    const auto run = [&](int32_t threads) {
        const mim_context_params params = {sizeof params, t.device(), 0, threads};
        mim_context* ctx = nullptr;
        t.ok(mim_context_create(&ctx, &params));
        for (int64_t i = 0; i < p.dbias.size(); ++i) p.dbias.set(i, 1);
        for (int64_t i = 0; i < p.dtable.size(); ++i) p.dtable.set(i, 1);
        t.ok(p.forward(ctx));
        t.ok(p.backward(ctx));
        t.ok(mim_context_synchronize(ctx));
        mim_context_destroy(ctx);
        return results(p);
    };
    const vector<vector<double>> one = run(1);
    compare(t, s, p);
    for (const int32_t threads : {2, 3, 5, 16}) {
        vector<vector<double>> some = run(threads);
        compare(t, s, p);
        EXPECT_EQ(some, run(threads)) << threads << " threads";
        std::copy(one.end() - 2, one.end(), some.end() - 2);
        EXPECT_EQ(some, one) << threads << " threads against one";
    }
}
OP_CASES(attention_repeats, {1, 1, 1, with_bias | with_dbias}, {1, 5, 1, with_bias | with_dbias},
         {7, 1, 1, with_bias | with_dbias}, {5, 3, 1, with_bias | with_dbias},
         {5, 3, 1, with_table | with_dtable}, {2, 3, 4, everything}, {1, 2, 5, everything},
         {3, 1, 2, with_windows | with_table | with_dtable});
OP_CASES_BF16(attention_repeats, {5, 3, 1, with_bias | with_dbias}, {2, 3, 2, everything});

// Planning counts scratch and touches nothing, the ids neither; the run after it needs no more than
// was counted.
OP_TEST(attention_planning, int64_t windows, int64_t parts) {
    const shape s = {2, windows * 50, windows * 50, 3, 64, windows, 50};
    problem p(t, s, packed, parts);
    const mim_context_params params = {sizeof params, t.device(), 0, 2};
    mim_context* planner = nullptr;
    mim_context_info planned = {}, used = {};
    planned.size = used.size = sizeof used;
    t.ok(mim_context_create(&planner, &params));
    t.ok(mim_context_set_planning(planner, 1));
    const double token = p.windows.at(0), bucket = p.buckets.at(0);
    p.windows.set(0, -1);
    p.buckets.set(0, -1);
    t.ok(p.forward(planner));
    t.ok(p.backward(planner));
    t.ok(mim_context_get_info(planner, &planned));
    for (const double x : p.lse.values()) EXPECT_TRUE(std::isnan(x));
    for (const double x : p.dbias.values()) t.exact("dbias", x, 1);
    for (const double x : p.dtable.values()) t.exact("dtable", x, 1);

    t.ok(mim_context_set_planning(planner, 0));
    p.windows.set(0, token);
    p.buckets.set(0, bucket);
    t.ok(p.forward(planner));
    t.ok(p.backward(planner));
    t.ok(mim_context_synchronize(planner));
    t.ok(mim_context_get_info(planner, &used));
    compare(t, s, p);
    EXPECT_GT(planned.scratch_peak, 0);
    EXPECT_EQ(planned.scratch_peak, used.scratch_peak);
    mim_context_destroy(planner);
}
OP_CASES(attention_planning, {1, with_bias | with_dbias}, {3, everything});

OP_TEST(attention_errors) {
    const shape s = {2, 5, 7, 3, 8};
    problem p(t, s, dense, with_bias | with_dbias);
    const mim_status bad = MIM_ERROR_INVALID_ARGUMENT;
    const mim_view out = p.out.view(), q = p.q.view(), k = p.k.view(), v = p.v.view();
    const auto forward = [&](const mim_view* o, const mim_view* lse, const mim_view* a,
                             const mim_view* b, const mim_view* c, const mim_view* bias) {
        return mim_attention_forward(t.ctx(), o, lse, a, b, c, bias, nullptr, nullptr, nullptr,
                                     nullptr, &p.params);
    };
    t.fails(forward(&out, p.lse, nullptr, &k, &v, nullptr), bad,
            {"mim_attention_forward", "q is null"});
    t.fails(forward(&out, p.lse, &q, &k, &q, nullptr), bad, {"v", "(2, 5, 3, 8)", "(2, 7, 3, 8)"});
    t.fails(forward(&k, p.lse, &q, &k, &v, nullptr), bad, {"out", "(2, 7, 3, 8)", "(2, 5, 3, 8)"});
    t.fails(forward(&out, p.lse, &q, p.bias, &v, nullptr), bad,
            {"k has rank 3", "expected rank 4"});
    t.fails(forward(&out, p.lse, &q, &k, &v, p.lse), bad, {"bias", "(2, 3, 5)", "(3, 5, 7)"});
    t.fails(forward(&out, p.bias, &q, &k, &v, nullptr), bad, {"lse", "(3, 5, 7)", "(2, 3, 5)"});

    tensor narrow = t.with_values({2, 7, 3, 8}, vector<double>(2 * 7 * 3 * 8), MIM_BF16);
    t.fails(forward(&out, p.lse, &q, narrow, &v, nullptr), bad, {"k", "bf16", "f32"});
    tensor wide = t.random({1, 2, 1, 129});
    t.fails(forward(wide, p.lse, wide, wide, wide, nullptr), bad, {"q", "129", "1 to 128"});
    tensor turned = t.random({2, 7, 8, 3});
    t.fails(forward(&out, p.lse, &q, turned.permuted({0, 1, 3, 2}), &v, nullptr), bad,
            {"k", "stride 3", "last axis"});
    mim_view folded = out;
    folded.stride[1] = 0;
    t.fails(forward(&folded, p.lse, &q, &k, &v, nullptr), bad, {"out", "stride 0", "axis 1"});
    p.params.scale = NAN;
    t.fails(p.forward(t.ctx()), bad, {"params.scale"});
    p.params = {4, 1};
    t.fails(p.forward(t.ctx()), bad, {"params.size"});

    p.params = {sizeof p.params, 1};
    p.parts = with_dbias;
    t.fails(p.backward(t.ctx()), bad, {"mim_attention_backward", "dbias", "without bias"});
    p.parts = with_bias | with_dbias;
    p.dk.memory = t.random({2, 5, 3, 8});
    t.fails(p.backward(t.ctx()), bad, {"mim_attention_backward", "dk", "(2, 5, 3, 8)"});
}
OP_CASES(attention_errors, {});

OP_TEST(attention_position_errors) {
    const shape s = {2, 6, 6, 3, 8, 2, 5};
    problem p(t, s, dense, everything);
    const mim_status bad = MIM_ERROR_INVALID_ARGUMENT;
    const mim_view out = p.out.view(), q = p.q.view(), k = p.k.view(), v = p.v.view();
    const mim_view *bias = p.bias, *windows = p.windows, *mask = p.mask;
    const mim_view *table = p.table, *buckets = p.buckets;
    const auto forward = [&](const mim_view* b, const mim_view* w, const mim_view* m,
                             const mim_view* e, const mim_view* u) {
        return mim_attention_forward(t.ctx(), &out, p.lse, &q, &k, &v, b, w, m, e, u, &p.params);
    };
    tensor wrong = t.random_f32({2, 3, 4});
    t.fails(forward(bias, nullptr, mask, nullptr, nullptr), bad, {"mask is given without windows"});
    t.fails(forward(wrong, windows, nullptr, nullptr, nullptr), bad,
            {"bias", "(2, 3, 4)", "(3, 3, 3)"});
    t.fails(forward(nullptr, windows, wrong, nullptr, nullptr), bad,
            {"mask", "(2, 3, 4)", "(2, 3, 3)"});
    t.fails(forward(nullptr, wrong, nullptr, nullptr, nullptr), bad,
            {"windows has rank 3", "expected rank 2"});
    t.fails(forward(nullptr, table, nullptr, nullptr, nullptr), bad, {"windows", "f32", "i32"});
    tensor few = t.integers({1, 5}, {0, 1, 2, 3, 4});
    t.fails(forward(nullptr, few, nullptr, nullptr, nullptr), bad,
            {"windows is i32 (1, 5)", "expected a place for each of the 6 tokens of q"});
    t.fails(forward(nullptr, nullptr, nullptr, table, nullptr), bad,
            {"table is given without buckets"});
    t.fails(forward(nullptr, nullptr, nullptr, nullptr, buckets), bad,
            {"buckets is given without table"});
    tensor other = t.random_f32({7, 5});
    t.fails(forward(nullptr, windows, nullptr, other, buckets), bad, {"table", "(7, 5)", "(8, 5)"});
    t.fails(forward(nullptr, windows, nullptr, wrong, buckets), bad,
            {"table has rank 3", "expected rank 2"});
    t.fails(forward(nullptr, nullptr, nullptr, table, buckets), bad,
            {"buckets", "(3, 3)", "(6, 6)"});
    tensor floats = t.random_f32({3, 3});
    t.fails(forward(nullptr, windows, nullptr, table, floats), bad, {"buckets", "f32", "i32"});
    tensor repeated = t.integers({2, 3}, {0, 1, 2, 3, 1, 4});
    const bool values_are_checked = t.device() == MIM_CPU;
    if (values_are_checked) {
        t.fails(forward(nullptr, repeated, nullptr, nullptr, nullptr), bad,
                {"mim_attention_forward", "windows holds 1 at (0, 1) and again at (1, 1)",
                 "expected each of 0 to 5 once"});
        tensor outside = t.integers({2, 3}, {0, 1, 2, 3, 6, 4});
        t.fails(forward(nullptr, outside, nullptr, nullptr, nullptr), bad,
                {"windows holds 6 at (1, 1)", "expected 0 to 5"});
        for (const int64_t value : {-1, 5}) {
            tensor far = t.integers({3, 3}, {0, 1, 2, 3, 4, 0, value, 1, 2});
            t.fails(forward(nullptr, windows, nullptr, table, far), bad,
                    {"buckets holds " + std::to_string(value) + " at (2, 0)", "expected 0 to 4"});
        }
    }
    tensor keys = t.random({2, 4, 3, 8});
    t.fails(mim_attention_forward(t.ctx(), &out, p.lse, &q, keys, keys, nullptr, windows, nullptr,
                                  nullptr, nullptr, &p.params),
            bad, {"k has 4 tokens", "those of q with windows, 6"});

    p.parts = with_dtable;
    t.fails(p.backward(t.ctx()), bad, {"mim_attention_backward", "dtable is given without table"});
    p.parts = everything;
    p.dtable = t.random_f32({8, 4});
    t.fails(p.backward(t.ctx()), bad, {"dtable", "(8, 4)", "(8, 5)"});
    p.dtable = t.random_f32({8, 5});
    p.dbias = t.random_f32({3, 3, 2});
    t.fails(p.backward(t.ctx()), bad, {"dbias", "(3, 3, 2)", "(3, 3, 3)"});
    p.dbias = t.random_f32({3, 3, 3});
    p.windows = repeated;
    if (values_are_checked)
        t.fails(p.backward(t.ctx()), bad, {"mim_attention_backward", "windows holds 1"});
}
OP_CASES(attention_position_errors, {});

// ---- the kernel of bf16 pairs ----

// The cases above again, through the kernel that multiplies pairs of bf16, with the processor's dot
// product emulated. Only AVX-512 has that kernel.
struct emulated_pairs {
    emulated_pairs() { mim::cpu::emulate_bf16_pairs(true); }
    ~emulated_pairs() { mim::cpu::emulate_bf16_pairs(false); }
};

// On a processor without bf16 dot products the kernel of pairs, which rounds P and dS, must give
// other bits than floats do, or the cases below would test floats once more.
OP_TEST(attention_pairs_emulated) {
    __builtin_cpu_init();
    const bool kernel = t.device() == MIM_CPU && __builtin_cpu_supports("avx512bw");
    if (kernel && __builtin_cpu_supports("avx512bf16")) GTEST_SKIP() << "pairs either way";
    const shape s = {2, 50, 50, 3, 64};
    problem p(t, s, packed, 0);
    t.ok(p.forward(t.ctx()));
    t.ok(p.backward(t.ctx()));
    const vector<vector<double>> floats = results(p);
    const emulated_pairs on;
    t.ok(p.forward(t.ctx()));
    t.ok(p.backward(t.ctx()));
    const vector<vector<double>> pairs = results(p);
    for (const size_t i : {0, 2, 3, 4}) EXPECT_EQ(kernel, floats[i] != pairs[i]);
}
OP_CASES_BF16(attention_pairs_emulated, {});

OP_TEST(attention_pairs, int64_t batch, int64_t queries, int64_t keys, int64_t heads, int64_t dim,
        int64_t lies, int64_t parts) {
    const emulated_pairs on;
    attention_body(t, batch, queries, keys, heads, dim, lies, parts);
}
OP_CASES_BF16(attention_pairs, {1, 1, 1, 1, 1, dense, 0}, {2, 3, 5, 3, 1, dense, 3},
              {1, 5, 3, 2, 33, heads_first, 1}, {2, 1, 17, 2, 16, dense, 1},
              {3, 17, 17, 3, 33, packed, 3}, {1, 17, 1, 2, 7, dense, 0},
              {2, 50, 50, 3, 64, packed, 0}, {1, 49, 49, 5, 32, packed, 1},
              {2, 33, 31, 2, 8, dense, 3}, {1, 65, 33, 2, 128, heads_first, 1},
              {1, 196, 50, 2, 127, dense, 3}, {1, 197, 197, 2, 64, packed, 0},
              {1, 197, 197, 2, 80, packed, 3}, {1, 130, 1100, 1, 24, dense, 3});

OP_TEST(attention_pairs_windows, int64_t batch, int64_t windows, int64_t tokens, int64_t heads,
        int64_t dim, int64_t entries, int64_t lies, int64_t parts) {
    const emulated_pairs on;
    attention_windows_body(t, batch, windows, tokens, heads, dim, entries, lies, parts);
}
OP_CASES_BF16(attention_pairs_windows, {2, 3, 1, 2, 5, 2, dense, 0},
              {2, 4, 49, 3, 32, 1, packed, with_bias | with_dbias | with_mask},
              {1, 9, 16, 2, 16, 1, heads_first, with_mask},
              {2, 2, 25, 2, 33, 7, packed, everything}, {1, 2, 70, 2, 24, 40, packed, everything});

OP_TEST(attention_pairs_table, int64_t batch, int64_t queries, int64_t keys, int64_t heads,
        int64_t dim, int64_t entries, int64_t lies, int64_t parts) {
    const emulated_pairs on;
    attention_table_body(t, batch, queries, keys, heads, dim, entries, lies, parts);
}
OP_CASES_BF16(attention_pairs_table, {1, 1, 1, 1, 1, 1, dense, with_dtable},
              {2, 50, 50, 3, 64, 50, packed, with_dtable}, {2, 50, 50, 2, 12, 50, packed, 0},
              {2, 7, 19, 2, 16, 17, heads_first, with_dtable},
              {1, 70, 33, 2, 40, 64, dense, with_bias | with_dbias | with_dtable},
              {1, 9, 9, 1, 128, 300, dense, with_dtable});

OP_TEST(attention_pairs_sharp) {
    const emulated_pairs on;
    // here dS is rounded, and dq[0] = 128 sum_j dS_ij does not cancel: 0.09 in all, in any arithmetic
    // that rounds dS to bf16
    t.tolerance("dq", 0.2);
    attention_sharp_body(t);
}
OP_CASES_BF16(attention_pairs_sharp, {});

OP_TEST(attention_pairs_one_hot) {
    const emulated_pairs on;
    attention_one_hot_body(t);
}
OP_CASES_BF16(attention_pairs_one_hot, {});

OP_TEST(attention_pairs_closed_keys, int64_t infinite) {
    const emulated_pairs on;
    attention_closed_keys_body(t, infinite);
}
OP_CASES_BF16(attention_pairs_closed_keys, {0}, {1});

OP_TEST(attention_pairs_repeats, int64_t batch, int64_t heads, int64_t windows, int64_t parts) {
    const emulated_pairs on;
    attention_repeats_body(t, batch, heads, windows, parts);
}
OP_CASES_BF16(attention_pairs_repeats, {5, 3, 1, with_bias | with_dbias}, {2, 3, 2, everything});

OP_TEST(attention_pairs_planning, int64_t windows, int64_t parts) {
    const emulated_pairs on;
    attention_planning_body(t, windows, parts);
}
OP_CASES_BF16(attention_pairs_planning, {1, with_bias | with_dbias}, {3, everything});
