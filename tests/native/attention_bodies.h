// The tests of attention that every one of its kernels must pass.
#pragma once

#include "attention_test.h"

using namespace mim::test::of_attention;

OP_TEST(attention, int64_t batch, int64_t queries, int64_t keys, int64_t heads, int64_t dim,
        int64_t lies, int64_t parts) {
    const shape s = {batch, queries, keys, heads, dim};
    problem p(t, s, layout(lies), parts);
    t.ok(p.forward(t.ctx()));
    t.ok(p.backward(t.ctx()));
    compare(t, s, p);
}

// Windows (W, T) with any mixture of the other arguments.
OP_TEST(attention_windows, int64_t batch, int64_t windows, int64_t tokens, int64_t heads,
        int64_t dim, int64_t entries, int64_t lies, int64_t parts) {
    const shape s = {batch, windows * tokens, windows * tokens, heads, dim, windows, entries};
    problem p(t, s, layout(lies), with_windows | parts);
    t.ok(p.forward(t.ctx()));
    t.ok(p.backward(t.ctx()));
    compare(t, s, p);
}

// The contextual position table, without windows.
OP_TEST(attention_table, int64_t batch, int64_t queries, int64_t keys, int64_t heads, int64_t dim,
        int64_t entries, int64_t lies, int64_t parts) {
    const shape s = {batch, queries, keys, heads, dim, 1, entries};
    problem p(t, s, layout(lies), with_table | parts);
    t.ok(p.forward(t.ctx()));
    t.ok(p.backward(t.ctx()));
    compare(t, s, p);
}

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
    // dq[0] = 128 sum_j dS_ij = 0 by cancellation, so rounding weighs 128 times as much there: a kernel
    // that rounds dS to bf16 must take out what that leaves of a row's sum
    if (t.dtype() == MIM_F32) t.tolerance("dq", 4e-5);
    compare(t, s, p);
}

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
