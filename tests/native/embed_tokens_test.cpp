// Encoder tokens against their definition: with and without a class token, positions, ids and a
// mask.
#include "thread_count.h"

// kept 0: all patches, without ids
OP_TEST(embed_tokens, int64_t batch, int64_t patches, int64_t kept, int64_t dim, int64_t extra,
        int64_t positioned, int64_t masked) {
    const int64_t count = kept != 0 ? kept : patches, tokens = extra + count;
    std::vector<int64_t> chosen;
    for (int64_t b = 0; b < batch; ++b) {
        const std::vector<int64_t> shuffle = t.permutation(patches);
        for (int64_t k = 0; k < count; ++k) chosen.push_back(kept != 0 ? shuffle[size_t(k)] : k);
    }
    if (kept > 1) chosen[1] = chosen[0];  // a patch that repeats
    tensor x = t.random({batch, count, dim}), dy = t.random({batch, tokens, dim}),
           ids = t.integers({batch, count}, chosen);
    // the first patch is masked, a batch of several has patches of both sorts; 0.25 masks wholly
    std::vector<double> covered(size_t(batch * count));
    for (double& m : covered) m = t.uniform() < 0.5 ? 0 : t.uniform() < 0.7 ? 1 : 0.25;
    covered.back() = 0;
    covered[0] = 1;
    tensor mask = t.with_values({batch, count}, covered, MIM_F32), mask_token = t.random_f32({dim});
    tensor cls = t.random_f32({dim}), position = t.random_f32({extra + patches, dim});
    tensor y = t.filled({batch, tokens, dim}, NAN), dx = t.filled({batch, count, dim}, NAN);
    tensor dcls = t.filled_f32({dim}, 1),
           dposition = t.filled_f32({extra + patches, dim}, 1);  // backward must add
    tensor dmask_token = t.filled_f32({dim}, 1);
    const mim_view* given = kept != 0 ? ids.view() : nullptr;
    const auto if_cls = [&](tensor& v) { return extra ? v.view() : nullptr; };
    const auto if_positioned = [&](tensor& v) { return positioned ? v.view() : nullptr; };
    const auto if_masked = [&](tensor& v) { return masked ? v.view() : nullptr; };

    t.ok(mim_embed_tokens_forward(t.ctx(), y, x, if_cls(cls), if_positioned(position), given,
                                  if_masked(mask), if_masked(mask_token)));
    t.ok(mim_embed_tokens_backward(t.ctx(), dx, if_cls(dcls), if_positioned(dposition),
                                   if_masked(dmask_token), dy, given, if_masked(mask)));
    std::vector<double> want_dcls(size_t(dim), 1.0), want_dposition(size_t(position.size()), 1.0);
    std::vector<double> want_dmask_token(size_t(dim), 1.0);
    for (int64_t b = 0; b < batch; ++b)
        for (int64_t i = 0; i < tokens; ++i)
            for (int64_t c = 0; c < dim; ++c) {
                const int64_t k = i - extra,
                              row = k < 0 ? 0 : extra + chosen[size_t(b * count + k)];
                const bool hidden = masked && k >= 0 && mask(b, k) != 0;
                const double source = k < 0    ? cls(c)
                                      : hidden ? mask_token(c)
                                               : x(b, k, c),
                             place = positioned ? position(row, c) : 0.0;
                t.near("y", y(b, i, c), source + place);
                if (k >= 0) t.exact("dx", dx(b, k, c), hidden ? 0 : dy(b, i, c));
                if (hidden) want_dmask_token[size_t(c)] += dy(b, i, c);
                if (k < 0) want_dcls[size_t(c)] += dy(b, i, c);
                if (positioned) want_dposition[size_t(row * dim + c)] += dy(b, i, c);
            }
    if (!extra) want_dcls.assign(size_t(dim), 1.0);
    t.tolerance("dcls", 1e-6);  // f32 whatever the tokens are
    t.tolerance("dposition", 1e-6);
    t.near("dcls", dcls, want_dcls);
    t.near("dposition", dposition, want_dposition);
    t.tolerance("dmask_token", 1e-6);
    t.near("dmask_token", dmask_token, want_dmask_token);

    if (t.dtype() == MIM_F32) {  // a finite difference needs the resolution
        const auto loss = [&] {
            t.ok(mim_embed_tokens_forward(t.ctx(), y, x, if_cls(cls), if_positioned(position),
                                          given, if_masked(mask), if_masked(mask_token)));
            return dot(y, dy);
        };
        for (double& w : want_dcls) w -= 1;
        for (double& w : want_dposition) w -= 1;
        for (double& w : want_dmask_token) w -= 1;
        t.directional_derivative("dx", x, dx.values(), loss);
        t.directional_derivative("dcls", cls, want_dcls, loss);
        t.directional_derivative("dposition", position, want_dposition, loss);
        t.directional_derivative("dmask_token", mask_token, want_dmask_token, loss);
    }
    mim::test::same_bits_for_any_thread_count(t, [&](mim_context* ctx) {
        tensor again = t.filled({batch, tokens, dim}, 7), d = t.filled({batch, count, dim}, 7);
        tensor a = t.filled_f32({dim}, 1), b = t.filled_f32({extra + patches, dim}, 1);
        tensor e = t.filled_f32({dim}, 1);
        t.ok(mim_embed_tokens_forward(ctx, again, x, if_cls(cls), if_positioned(position), given,
                                      if_masked(mask), if_masked(mask_token)));
        t.ok(mim_embed_tokens_backward(ctx, d, if_cls(a), if_positioned(b), if_masked(e), dy, given,
                                       if_masked(mask)));
        return mim::test::joined({again, d, a, b, e});
    });
}
OP_CASES(embed_tokens, {1, 1, 0, 1, 0, 1, 0}, {1, 1, 1, 1, 1, 1, 0}, {3, 9, 4, 7, 1, 1, 0},
         {3, 9, 4, 7, 0, 1, 0}, {3, 9, 0, 7, 1, 1, 0}, {2, 5, 4, 70, 1, 0, 0},
         {2, 5, 0, 70, 0, 0, 0}, {8, 196, 0, 192, 0, 1, 0}, {1, 1, 0, 1, 0, 1, 1},
         {1, 1, 1, 1, 1, 1, 1}, {3, 9, 4, 7, 1, 1, 1}, {3, 9, 0, 7, 1, 0, 1},
         {2, 5, 0, 70, 0, 0, 1},
         // more images than a GPU adds up at once
         {35, 5, 3, 8, 1, 1, 1}, {67, 3, 0, 3, 0, 1, 0});
OP_CASES_LARGE(embed_tokens, {8, 196, 49, 384, 1, 1, 0}, {8, 196, 0, 384, 1, 1, 1});
OP_CASES_BF16(embed_tokens, {1, 1, 1, 1, 1, 1, 0}, {3, 9, 4, 7, 1, 1, 0}, {2, 5, 4, 70, 1, 0, 0},
              {8, 196, 49, 384, 1, 1, 0}, {3, 9, 4, 7, 1, 1, 1}, {35, 5, 3, 16, 1, 1, 1});
OP_CASES_BF16_LARGE(embed_tokens, {8, 196, 0, 384, 1, 1, 1});

// Gradients that are not wanted are left out one by one; the class token may still be there.
OP_TEST(embed_tokens_unwanted) {
    tensor dy = t.random({2, 4, 5}), dx = t.filled({2, 3, 5}, NAN),
           dposition = t.filled_f32({4, 5}, 0);
    t.ok(mim_embed_tokens_backward(t.ctx(), dx, nullptr, dposition, nullptr, dy, nullptr, nullptr));
    for (int64_t c = 0; c < 5; ++c) {
        t.near("dposition of cls", dposition(0, c), dy(0, 0, c) + dy(1, 0, c));
        for (int64_t k = 0; k < 3; ++k) t.exact("dx", dx(1, k, c), dy(1, k + 1, c));
    }
    tensor mask = t.with_values({2, 3}, {0, 0, 0, 0, 1, 0}, MIM_F32);
    t.ok(mim_embed_tokens_backward(t.ctx(), dx, nullptr, nullptr, nullptr, dy, nullptr, mask));
    for (int64_t k = 0; k < 3; ++k)
        for (int64_t c = 0; c < 5; ++c)
            t.exact("dx behind a mask", dx(1, k, c), k == 1 ? 0 : dy(1, k + 1, c));
}
OP_CASES(embed_tokens_unwanted, {});
OP_CASES_BF16(embed_tokens_unwanted, {});

// The CPU refuses ids that name nothing, a GPU cannot: such tokens are NaN, and give no gradient.
OP_TEST(embed_tokens_of_nothing) {
    tensor x = t.random({1, 3, 2}), y = t.filled({1, 3, 2}, 7), dx = t.filled({1, 3, 2}, 7),
           position = t.random_f32({4, 2}), dposition = t.filled_f32({4, 2}, 1),
           ids = t.integers({1, 3}, {4, 2, -1});
    t.ok(mim_embed_tokens_forward(t.ctx(), y, x, nullptr, position, ids, nullptr, nullptr));
    t.ok(mim_embed_tokens_backward(t.ctx(), dx, nullptr, dposition, nullptr, x, ids, nullptr));
    for (int64_t c = 0; c < 2; ++c) {
        EXPECT_TRUE(std::isnan(y(0, 0, c)) && std::isnan(y(0, 2, c)));
        t.near("y", y(0, 1, c), x(0, 1, c) + position(2, c));
        for (int64_t l = 0; l < 4; ++l)
            t.near("dposition", dposition(l, c), l == 2 ? 1 + x(0, 1, c) : 1);
    }
}
OP_CASES_ON(MIM_CUDA, embed_tokens_of_nothing, {});

OP_TEST(embed_tokens_errors) {
    tensor x = t.random({2, 3, 5}), y = t.random({2, 4, 5}), cls = t.random_f32({5}),
           position = t.random_f32({9, 5});
    tensor ids = t.integers({2, 3}, {0, 1, 7, 2, 4, 3});
    const mim_status invalid = MIM_ERROR_INVALID_ARGUMENT;
    t.ok(mim_embed_tokens_forward(t.ctx(), y, x, cls, position, ids, nullptr, nullptr));
    t.fails(mim_embed_tokens_forward(t.ctx(), y, x, nullptr, position, ids, nullptr, nullptr),
            invalid, {"mim_embed_tokens_forward", "y has shape (2, 4, 5), expected (2, 3, 5)"});
    t.fails(mim_embed_tokens_forward(t.ctx(), y, x, cls, position, nullptr, nullptr, nullptr),
            invalid, {"position has shape (9, 5), expected (4, 5)"});
    tensor wrong = t.random_f32({4}), single = t.random_f32({1, 5});
    t.fails(mim_embed_tokens_forward(t.ctx(), y, x, wrong, position, ids, nullptr, nullptr),
            invalid, {"cls has shape (4), expected (5)"});
    t.fails(mim_embed_tokens_forward(t.ctx(), y, x, cls, single, ids, nullptr, nullptr), invalid,
            {"position", "(1, 5)", "class token"});
    t.fails(mim_embed_tokens_backward(t.ctx(), y, nullptr, nullptr, nullptr, x, nullptr, nullptr),
            invalid, {"mim_embed_tokens_backward", "dy has shape (2, 3, 5), expected (2, 4, 5)"});
    t.fails(mim_embed_tokens_backward(t.ctx(), x, wrong, nullptr, nullptr, y, nullptr, nullptr),
            invalid, {"dcls has shape (4)"});
    t.fails(mim_embed_tokens_backward(t.ctx(), x, cls, nullptr, nullptr, nullptr, nullptr, nullptr),
            invalid, {"dy is null"});
    tensor mask = t.filled_f32({2, 3}, 1), wide = t.filled_f32({2, 4}, 1);
    t.fails(mim_embed_tokens_forward(t.ctx(), y, x, cls, position, ids, mask, nullptr), invalid,
            {"mask_token is null, expected one beside mask"});
    t.fails(mim_embed_tokens_forward(t.ctx(), y, x, cls, position, ids, nullptr, cls), invalid,
            {"mask is null, expected one beside mask_token"});
    t.fails(mim_embed_tokens_forward(t.ctx(), y, x, cls, position, ids, wide, cls), invalid,
            {"mask has shape (2, 4), expected (2, 3)"});
    t.fails(mim_embed_tokens_forward(t.ctx(), y, x, cls, position, ids, ids, cls), invalid,
            {"mask", "i32", "f32"});
    t.fails(mim_embed_tokens_forward(t.ctx(), y, x, cls, position, ids, mask, wrong), invalid,
            {"mask_token has shape (4), expected (5)"});
    t.fails(mim_embed_tokens_backward(t.ctx(), x, nullptr, nullptr, wrong, y, ids, mask), invalid,
            {"dmask_token has shape (4), expected (5)"});
    t.fails(mim_embed_tokens_backward(t.ctx(), x, nullptr, nullptr, cls, y, ids, nullptr), invalid,
            {"mask is null, expected one beside dmask_token"});
    if (t.device() != MIM_CPU) return;  // values are only looked at where they can be read
    tensor high = t.integers({2, 3}, {0, 1, 2, 3, 8, 5});
    t.fails(mim_embed_tokens_forward(t.ctx(), y, x, cls, position, high, nullptr, nullptr), invalid,
            {"ids holds 8 at (1, 1), expected 0 to 7"});
    t.fails(mim_embed_tokens_backward(t.ctx(), x, cls, position, nullptr, y, high, nullptr),
            invalid, {"ids holds 8 at (1, 1)"});
}
OP_CASES(embed_tokens_errors, {});
