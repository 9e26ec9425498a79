// Attention against the plain softmax formula in double.
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
    int64_t batch, queries, keys, heads, dim;
};

struct problem {
    operand q, k, v, dout;
    operand out, dq, dk, dv;
    tensor bias, lse, dbias;
    bool with_bias, with_dbias;
    mim_attention_params params;

    problem(mim::test::harness& t, const shape& s, layout lies, int64_t bias_mode)
        : q{memory(t, s, s.queries, lies, true), lies, 0},
          k{lies == packed ? q.memory : memory(t, s, s.keys, lies, true), lies, 1},
          v{lies == packed ? q.memory : memory(t, s, s.keys, lies, true), lies, 2},
          dout{memory(t, s, s.queries, dense, true), dense, 0},
          out{memory(t, s, s.queries, dense, false), dense, 0},
          dq{memory(t, s, s.queries, lies, false), lies, 0},
          dk{lies == packed ? dq.memory : memory(t, s, s.keys, lies, false), lies, 1},
          dv{lies == packed ? dq.memory : memory(t, s, s.keys, lies, false), lies, 2},
          bias(t.random_f32({s.heads, s.queries, s.keys})),
          lse(t.filled_f32({s.batch, s.heads, s.queries}, NAN)),
          dbias(t.filled_f32({s.heads, s.queries, s.keys}, 1)),  // backward must add
          with_bias(bias_mode > 0),
          with_dbias(bias_mode > 1),
          params{sizeof params, float(1 / std::sqrt(double(s.dim)))} {}

    static tensor memory(mim::test::harness& t, const shape& s, int64_t tokens, layout lies,
                         bool random) {
        const vector<int64_t> extents =
            lies == packed  ? vector<int64_t>{s.batch, tokens, 3, s.heads, s.dim}
            : lies == dense ? vector<int64_t>{s.batch, tokens, s.heads, s.dim}
                            : vector<int64_t>{s.batch, s.heads, tokens, s.dim};
        return random ? t.random(extents) : t.filled(extents, NAN);
    }

    mim_status forward(mim_context* ctx) {
        const mim_view o = out.view(), a = q.view(), b = k.view(), c = v.view();
        return mim_attention_forward(ctx, &o, lse, &a, &b, &c, with_bias ? bias.view() : nullptr,
                                     &params);
    }
    mim_status backward(mim_context* ctx) {
        const mim_view da = dq.view(), db = dk.view(), dc = dv.view(), d = dout.view();
        const mim_view a = q.view(), b = k.view(), c = v.view(), o = out.view();
        return mim_attention_backward(ctx, &da, &db, &dc, with_dbias ? dbias.view() : nullptr, &d,
                                      &a, &b, &c, with_bias ? bias.view() : nullptr, &o, lse,
                                      &params);
    }
};

// All (B, H, tokens, D), lse (B, H, T), dbias (H, T, S) counted from 1.
struct reference {
    vector<double> out, lse, dq, dk, dv, dbias;
};

reference attention(const shape& s, const problem& p) {
    const auto q = p.q.values(s.batch, s.queries, s.heads, s.dim);
    const auto k = p.k.values(s.batch, s.keys, s.heads, s.dim);
    const auto v = p.v.values(s.batch, s.keys, s.heads, s.dim);
    const auto dout = p.dout.values(s.batch, s.queries, s.heads, s.dim);
    const auto bias = p.bias.values();
    reference r;
    r.out.resize(q.size());
    r.dq.resize(q.size());
    r.dk.resize(k.size());
    r.dv.resize(k.size());
    r.dbias.assign(bias.size(), 1);
    const double scale = p.params.scale;
    vector<double> prob(size_t(s.keys)), dprob(size_t(s.keys));
    for (int64_t bh = 0; bh < s.batch * s.heads; ++bh)
        for (int64_t i = 0; i < s.queries; ++i) {
            const double* qi = &q[size_t((bh * s.queries + i) * s.dim)];
            const double* doi = &dout[size_t((bh * s.queries + i) * s.dim)];
            double* oi = &r.out[size_t((bh * s.queries + i) * s.dim)];
            double* dqi = &r.dq[size_t((bh * s.queries + i) * s.dim)];
            const int64_t bias_row = (bh % s.heads * s.queries + i) * s.keys;
            double top = -INFINITY, sum = 0, delta = 0;
            for (int64_t j = 0; j < s.keys; ++j) {
                const double* kj = &k[size_t((bh * s.keys + j) * s.dim)];
                double score = p.with_bias ? bias[size_t(bias_row + j)] : 0;
                for (int64_t c = 0; c < s.dim; ++c) score += scale * qi[c] * kj[c];
                prob[size_t(j)] = score;
                top = std::max(top, score);
            }
            for (double& x : prob) sum += x = std::exp(x - top);
            r.lse.push_back(top + std::log(sum));
            for (int64_t j = 0; j < s.keys; ++j) {
                const double* vj = &v[size_t((bh * s.keys + j) * s.dim)];
                double& dpj = dprob[size_t(j)] = 0;
                prob[size_t(j)] /= sum;
                for (int64_t c = 0; c < s.dim; ++c) {
                    oi[c] += prob[size_t(j)] * vj[c];
                    dpj += doi[c] * vj[c];
                }
                delta += prob[size_t(j)] * dpj;
            }
            for (int64_t j = 0; j < s.keys; ++j) {
                const double ds = prob[size_t(j)] * (dprob[size_t(j)] - delta);
                r.dbias[size_t(bias_row + j)] += ds;
                for (int64_t c = 0; c < s.dim; ++c) {
                    const size_t jc = size_t((bh * s.keys + j) * s.dim + c);
                    r.dv[jc] += prob[size_t(j)] * doi[c];
                    r.dk[jc] += scale * ds * qi[c];
                    dqi[c] += scale * ds * k[jc];
                }
            }
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
    if (s.keys == 1) {  // one key has probability 1 whatever q and k are
        for (const double g : p.dq.values(s.batch, s.queries, s.heads, s.dim))
            EXPECT_NEAR(0, g, 1e-5);
        for (const double g : p.dk.values(s.batch, 1, s.heads, s.dim)) EXPECT_NEAR(0, g, 1e-5);
    } else {
        each("dq", p.dq, s.queries, want.dq);
        each("dk", p.dk, s.keys, want.dk);
    }
    t.near("lse", p.lse, want.lse);
    t.tolerance("lse", 4e-6);  // f32 whatever the storage
    for (size_t i = 0; i < want.dbias.size(); ++i) {
        const double got = p.dbias.at(int64_t(i));
        if (p.with_dbias)
            t.near("dbias", got, want.dbias[i]);
        else
            t.exact("dbias untouched", got, 1);
    }
}

vector<vector<double>> results(const problem& p) {
    return {p.out.memory.values(), p.lse.values(),       p.dq.memory.values(),
            p.dk.memory.values(),  p.dv.memory.values(), p.dbias.values()};
}

}  // namespace

OP_TEST(attention, int64_t batch, int64_t queries, int64_t keys, int64_t heads, int64_t dim,
        int64_t lies, int64_t bias_mode) {
    const shape s = {batch, queries, keys, heads, dim};
    problem p(t, s, layout(lies), bias_mode);
    t.ok(p.forward(t.ctx()));
    t.ok(p.backward(t.ctx()));
    compare(t, s, p);
}
OP_CASES(attention, {1, 1, 1, 1, 1, dense, 0}, {2, 1, 1, 3, 16, dense, 2},
         {2, 3, 5, 3, 1, dense, 2}, {1, 5, 3, 2, 33, heads_first, 1}, {2, 1, 17, 2, 16, dense, 1},
         {3, 17, 17, 3, 33, packed, 2}, {1, 17, 1, 2, 7, dense, 0}, {2, 50, 50, 3, 64, packed, 0},
         {2, 50, 50, 3, 64, packed, 2}, {1, 49, 49, 5, 32, packed, 1},
         {1, 196, 50, 2, 64, dense, 2}, {2, 50, 197, 2, 64, heads_first, 0},
         {2, 197, 197, 3, 64, packed, 0}, {2, 197, 197, 3, 64, packed, 2},
         {1, 197, 197, 2, 80, packed, 0}, {1, 65, 65, 2, 128, packed, 1},
         {1, 130, 1100, 1, 24, dense, 2});
OP_CASES_BF16(attention, {2, 3, 5, 3, 1, dense, 2}, {3, 17, 17, 3, 33, packed, 2},
              {2, 50, 50, 3, 64, packed, 0}, {1, 65, 33, 2, 128, heads_first, 1},
              {1, 197, 197, 2, 80, packed, 2});

OP_TEST(attention_derivative, int64_t lies) {
    const shape s = {2, 6, layout(lies) == packed ? 6 : 9, 2, 12};
    problem p(t, s, layout(lies), 2);
    t.ok(p.forward(t.ctx()));
    t.ok(p.backward(t.ctx()));
    const auto loss = [&] {
        t.ok(p.forward(t.ctx()));
        return dot(p.out.memory, p.dout.memory);
    };
    vector<double> dbias = p.dbias.values();
    for (double& g : dbias) g -= 1;
    t.directional_derivative("dq", p.q.memory, p.dq.memory.values(), loss);  // packed: q, k and v
    if (layout(lies) != packed) {
        t.directional_derivative("dk", p.k.memory, p.dk.memory.values(), loss);
        t.directional_derivative("dv", p.v.memory, p.dv.memory.values(), loss);
    }
    t.directional_derivative("dbias", p.bias, dbias, loss);
}
OP_CASES(attention_derivative, {dense}, {packed}, {heads_first});

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
    t.tolerance("dq", t.dtype() == MIM_F32 ? 4e-5 : 1e-2);
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
    problem p(t, s, dense, 2);
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

// Repeated runs give the same bits. So does any number of threads, but for dbias, whose sum over
// the batch is cut where a thread's work begins; there the values must agree.
OP_TEST(attention_repeats, int64_t batch, int64_t heads) {
    const shape s = {batch, 23, 31, heads, 20};
    problem p(t, s, dense, 2);
    const auto run = [&](int32_t threads) {
        const mim_context_params params = {sizeof params, t.device(), 0, threads};
        mim_context* ctx = nullptr;
        t.ok(mim_context_create(&ctx, &params));
        for (int64_t i = 0; i < p.dbias.size(); ++i) p.dbias.set(i, 1);
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
        some.back() = one.back();
        EXPECT_EQ(some, one) << threads << " threads against one";
    }
}
OP_CASES(attention_repeats, {1, 1}, {1, 5}, {7, 1}, {5, 3});
OP_CASES_BF16(attention_repeats, {5, 3});

// Planning counts scratch and touches nothing; the run after it needs no more than was counted.
OP_TEST(attention_planning) {
    const shape s = {2, 50, 50, 3, 64};
    problem p(t, s, packed, 2);
    const mim_context_params params = {sizeof params, t.device(), 0, 2};
    mim_context* planner = nullptr;
    mim_context_info planned = {}, used = {};
    planned.size = used.size = sizeof used;
    t.ok(mim_context_create(&planner, &params));
    t.ok(mim_context_set_planning(planner, 1));
    t.ok(p.forward(planner));
    t.ok(p.backward(planner));
    t.ok(mim_context_get_info(planner, &planned));
    for (const double x : p.lse.values()) EXPECT_TRUE(std::isnan(x));
    for (const double x : p.dbias.values()) t.exact("dbias", x, 1);

    t.ok(mim_context_set_planning(planner, 0));
    t.ok(p.forward(planner));
    t.ok(p.backward(planner));
    t.ok(mim_context_synchronize(planner));
    t.ok(mim_context_get_info(planner, &used));
    compare(t, s, p);
    EXPECT_GT(planned.scratch_peak, 0);
    EXPECT_EQ(planned.scratch_peak, used.scratch_peak);
    mim_context_destroy(planner);
}
OP_CASES(attention_planning, {});

OP_TEST(attention_errors) {
    const shape s = {2, 5, 7, 3, 8};
    problem p(t, s, dense, 2);
    const mim_status bad = MIM_ERROR_INVALID_ARGUMENT;
    const mim_view out = p.out.view(), q = p.q.view(), k = p.k.view(), v = p.v.view();
    const auto forward = [&](const mim_view* o, const mim_view* lse, const mim_view* a,
                             const mim_view* b, const mim_view* c, const mim_view* bias) {
        return mim_attention_forward(t.ctx(), o, lse, a, b, c, bias, &p.params);
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
    p.with_bias = false;
    t.fails(p.backward(t.ctx()), bad, {"mim_attention_backward", "dbias", "without bias"});
    p.with_bias = true;
    p.dk.memory = t.random({2, 5, 3, 8});
    t.fails(p.backward(t.ctx()), bad, {"mim_attention_backward", "dk", "(2, 5, 3, 8)"});
}
OP_CASES(attention_errors, {});
