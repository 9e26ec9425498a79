// Gather against its definition.
#include "thread_count.h"

OP_TEST(gather_tokens, int64_t batch, int64_t tokens, int64_t kept, int64_t dim, int64_t first) {
    const int64_t patches = tokens - first;
    const mim_gather_tokens_params p = {sizeof p, int32_t(first)};
    std::vector<int64_t> chosen;
    for (int64_t b = 0; b < batch; ++b) {
        const std::vector<int64_t> shuffle = t.permutation(patches);
        chosen.insert(chosen.end(), shuffle.begin(), shuffle.begin() + kept);
    }
    tensor x = t.random({batch, tokens, dim}), dy = t.random({batch, kept, dim}),
           ids = t.integers({batch, kept}, chosen);
    tensor y = t.filled({batch, kept, dim}, NAN), dx = t.filled({batch, tokens, dim}, NAN);

    t.ok(mim_gather_tokens_forward(t.ctx(), y, x, ids, &p));
    t.ok(mim_gather_tokens_backward(t.ctx(), dx, dy, ids, &p));
    std::vector<double> want(size_t(dx.size()), 0.0);
    for (int64_t b = 0; b < batch; ++b)
        for (int64_t k = 0; k < kept; ++k)
            for (int64_t c = 0; c < dim; ++c) {
                const int64_t l = first + chosen[size_t(b * kept + k)];
                t.exact("y", y(b, k, c), x(b, l, c));
                want[size_t((b * tokens + l) * dim + c)] = dy(b, k, c);
            }
    for (int64_t i = 0; i < dx.size(); ++i) t.exact("dx", dx.at(i), want[size_t(i)]);
    t.directional_derivative("dx", x, want, [&] {
        t.ok(mim_gather_tokens_forward(t.ctx(), y, x, ids, &p));
        return dot(y, dy);
    });
    mim::test::same_bits_for_any_thread_count(t, [&](mim_context* ctx) {
        tensor a = t.filled({batch, kept, dim}, 7), b = t.filled({batch, tokens, dim}, 7);
        t.ok(mim_gather_tokens_forward(ctx, a, x, ids, &p));
        t.ok(mim_gather_tokens_backward(ctx, b, dy, ids, &p));
        return mim::test::joined({a, b});
    });
}
OP_CASES(gather_tokens, {1, 1, 1, 1, 0}, {2, 9, 4, 7, 0}, {2, 9, 4, 7, 1}, {3, 5, 5, 3, 0},
         {3, 7, 5, 3, 2}, {8, 197, 49, 384, 1});
OP_CASES_BF16(gather_tokens, {1, 1, 1, 1, 0}, {2, 9, 4, 7, 1}, {8, 197, 49, 384, 1});

// The CPU refuses ids that name nothing, a GPU cannot: what they ask for is NaN, and nothing else is touched.
OP_TEST(gather_tokens_of_nothing) {
    tensor x = t.random({2, 4, 3}), y = t.filled({2, 3, 3}, 7), dx = t.filled({2, 4, 3}, 7),
           ids = t.integers({2, 3}, {0, 3, 1 << 30, -1, 1, 2});
    const mim_gather_tokens_params p = {sizeof p, 1};
    t.ok(mim_gather_tokens_forward(t.ctx(), y, x, ids, &p));
    t.ok(mim_gather_tokens_backward(t.ctx(), dx, y, ids, &p));
    for (int64_t b = 0; b < 2; ++b)
        for (int64_t c = 0; c < 3; ++c) {
            t.exact("y", y(b, b, c), x(b, b == 0 ? 1 : 2, c));
            EXPECT_TRUE(std::isnan(y(0, 1, c)) && std::isnan(y(0, 2, c)) && std::isnan(y(1, 0, c)));
            t.exact("dx", dx(b, b == 0 ? 1 : 2, c), y(b, b, c));
            t.exact("dx of no token", dx(b, 0, c), 0);
        }
}
OP_CASES_ON(MIM_CUDA, gather_tokens_of_nothing, {});

OP_TEST(gather_tokens_errors) {
    tensor x = t.random({2, 4, 3}), y = t.random({2, 2, 3}), ids = t.integers({2, 2}, {0, 3, 1, 2});
    tensor narrow = t.random({2, 2, 2}), fewer = t.random({1, 2, 3}),
           long_ids = t.integers({2, 2}, {0, 1, 0, 1}, MIM_I64);
    const mim_gather_tokens_params p = {sizeof p, 0}, after = {sizeof p, 1}, beyond = {sizeof p, 4};
    const mim_status invalid = MIM_ERROR_INVALID_ARGUMENT;
    t.fails(mim_gather_tokens_forward(t.ctx(), narrow, x, ids, &p), invalid,
            {"mim_gather_tokens_forward", "y has shape (2, 2, 2), expected (2, 2, 3)"});
    t.fails(mim_gather_tokens_backward(t.ctx(), x, fewer, ids, &p), invalid,
            {"mim_gather_tokens_backward", "dy has shape (1, 2, 3), expected (2, 2, 3)"});
    t.fails(mim_gather_tokens_forward(t.ctx(), y, x, long_ids, &p), invalid, {"ids", "i64", "i32"});
    t.fails(mim_gather_tokens_forward(t.ctx(), y, x, nullptr, &p), invalid, {"ids is null"});
    t.fails(mim_gather_tokens_forward(t.ctx(), y, x, ids, nullptr), invalid, {"params is null"});
    t.fails(mim_gather_tokens_forward(t.ctx(), y, x, ids, &beyond), invalid,
            {"params.first is 4", "tokens of x, 4"});
    t.fails(mim_gather_tokens_forward(t.ctx(), y, x.permuted({0, 2, 1}), ids, &p), invalid,
            {"x is not dense"});
    if (t.device() != MIM_CPU) return;  // values are only looked at where they can be read
    tensor high = t.integers({2, 2}, {0, 3, 1, 4}), twice = t.integers({2, 2}, {0, 3, 2, 2});
    t.fails(mim_gather_tokens_forward(t.ctx(), y, x, high, &p), invalid,
            {"ids holds 4 at (1, 1), expected 0 to 3"});
    t.fails(mim_gather_tokens_backward(t.ctx(), x, y, twice, &p), invalid,
            {"ids holds 2 at (1, 0) and again at (1, 1)"});
    t.fails(mim_gather_tokens_forward(t.ctx(), y, x, ids, &after), invalid,
            {"ids holds 3 at (0, 1), expected 0 to 2"});
    const mim_view nowhere = mim::test::without_memory(high);
    t.ok(mim_context_set_planning(t.ctx(), 1));
    t.ok(mim_gather_tokens_backward(t.ctx(), x, y, &nowhere, &p));
    t.ok(mim_context_set_planning(t.ctx(), 0));
}
OP_CASES(gather_tokens_errors, {});
