// Decoder tokens against their definition: with and without a class token and positions.
#include "thread_count.h"

OP_TEST(restore_tokens, int64_t batch, int64_t patches, int64_t kept, int64_t dim, int64_t extra,
        int64_t positioned) {
    const int64_t tokens = extra + patches;
    std::vector<int64_t> restore;
    for (int64_t b = 0; b < batch; ++b) {
        const std::vector<int64_t> shuffle = t.permutation(patches);
        restore.insert(restore.end(), shuffle.begin(), shuffle.end());
    }
    tensor x = t.random({batch, extra + kept, dim}), dy = t.random({batch, tokens, dim});
    tensor mask_token = t.random_f32({dim}), position = t.random_f32({tokens, dim});
    tensor ids_restore = t.integers({batch, patches}, restore);
    tensor y = t.filled({batch, tokens, dim}, NAN), dx = t.filled({batch, extra + kept, dim}, NAN);
    tensor dmask_token = t.filled_f32({dim}, 1),
           dposition = t.filled_f32({tokens, dim}, 1);  // backward must add
    const auto if_positioned = [&](tensor& v) { return positioned ? v.view() : nullptr; };

    t.ok(mim_restore_tokens_forward(t.ctx(), y, x, mask_token, if_positioned(position),
                                    ids_restore));
    t.ok(mim_restore_tokens_backward(t.ctx(), dx, dmask_token, if_positioned(dposition), dy,
                                     ids_restore));
    std::vector<double> want_dtoken(size_t(dim), 1.0), want_dposition(size_t(position.size()), 1.0);
    for (int64_t b = 0; b < batch; ++b)
        for (int64_t i = 0; i < tokens; ++i)
            for (int64_t c = 0; c < dim; ++c) {
                const int64_t row =
                    i < extra ? 0 : extra + restore[size_t(b * patches + i - extra)];
                const bool masked = row >= extra + kept;
                t.near(
                    "y", y(b, i, c),
                    (masked ? mask_token(c) : x(b, row, c)) + (positioned ? position(i, c) : 0.0));
                if (!masked) t.exact("dx", dx(b, row, c), dy(b, i, c));
                if (masked) want_dtoken[size_t(c)] += dy(b, i, c);
                if (positioned) want_dposition[size_t(i * dim + c)] += dy(b, i, c);
            }
    t.tolerance("dmask_token", 1e-6);  // f32 whatever the tokens are
    t.tolerance("dposition", 1e-6);
    t.near("dmask_token", dmask_token, want_dtoken);
    t.near("dposition", dposition, want_dposition);

    if (t.dtype() == MIM_F32) {  // a finite difference needs the resolution
        const auto loss = [&] {
            t.ok(mim_restore_tokens_forward(t.ctx(), y, x, mask_token, if_positioned(position),
                                            ids_restore));
            return dot(y, dy);
        };
        for (double& w : want_dtoken) w -= 1;
        for (double& w : want_dposition) w -= 1;
        t.directional_derivative("dx", x, dx.values(), loss);
        t.directional_derivative("dmask_token", mask_token, want_dtoken, loss);
        t.directional_derivative("dposition", position, want_dposition, loss);
    }
    mim::test::same_bits_for_any_thread_count(t, [&](mim_context* ctx) {
        tensor again = t.filled({batch, tokens, dim}, 7),
               d = t.filled({batch, extra + kept, dim}, 7);
        tensor a = t.filled_f32({dim}, 1), b = t.filled_f32({tokens, dim}, 1);
        t.ok(mim_restore_tokens_forward(ctx, again, x, mask_token, if_positioned(position),
                                        ids_restore));
        t.ok(mim_restore_tokens_backward(ctx, d, a, if_positioned(b), dy, ids_restore));
        return mim::test::joined({again, d, a, b});
    });
}
OP_CASES(restore_tokens, {1, 1, 1, 1, 0, 1}, {1, 1, 0, 1, 1, 1}, {3, 9, 4, 7, 1, 1},
         {3, 9, 4, 7, 0, 0}, {2, 5, 5, 70, 1, 1}, {2, 5, 0, 70, 1, 0}, {37, 5, 2, 8, 1, 1});
OP_CASES_LARGE(restore_tokens, {8, 196, 49, 384, 1, 1}, {8, 196, 78, 192, 0, 1});
OP_CASES_BF16(restore_tokens, {1, 1, 1, 1, 0, 1}, {3, 9, 4, 7, 1, 1}, {3, 9, 4, 7, 0, 0},
              {37, 5, 2, 16, 1, 0});
OP_CASES_BF16_LARGE(restore_tokens, {8, 196, 49, 384, 1, 1});

OP_TEST(restore_tokens_unwanted) {
    tensor dy = t.random({1, 4, 2}), dx = t.filled({1, 2, 2}, NAN),
           ids = t.integers({1, 3}, {2, 0, 1});
    t.ok(mim_restore_tokens_backward(t.ctx(), dx, nullptr, nullptr, dy, ids));
    for (int64_t c = 0; c < 2; ++c) {
        t.exact("dx of cls", dx(0, 0, c), dy(0, 0, c));
        t.exact("dx", dx(0, 1, c), dy(0, 2, c));
    }
}
OP_CASES(restore_tokens_unwanted, {});

OP_TEST(restore_tokens_errors) {
    tensor x = t.random({2, 3, 5}), y = t.random({2, 5, 5}), token = t.random_f32({5}),
           position = t.random_f32({5, 5});
    tensor ids = t.integers({2, 4}, {0, 1, 2, 3, 3, 2, 1, 0}),
           short_position = t.random_f32({4, 5});
    const mim_status invalid = MIM_ERROR_INVALID_ARGUMENT;
    t.ok(mim_restore_tokens_forward(t.ctx(), y, x, token, position, ids));
    t.fails(mim_restore_tokens_forward(t.ctx(), y, x, token, short_position, ids), invalid,
            {"mim_restore_tokens_forward", "position has shape (4, 5), expected (5, 5)"});
    t.fails(mim_restore_tokens_forward(t.ctx(), x, y, token, position, ids), invalid,
            {"y has shape (2, 3, 5), expected (2, 4, 5)"});
    tensor many = t.random({2, 6, 5});
    t.fails(mim_restore_tokens_forward(t.ctx(), y, many, token, position, ids), invalid,
            {"x is", "(2, 6, 5)", "at most the tokens of y, 5"});
    t.fails(mim_restore_tokens_forward(t.ctx(), y, x, nullptr, position, ids), invalid,
            {"mask_token is null"});
    t.fails(mim_restore_tokens_backward(t.ctx(), x, position, nullptr, y, ids), invalid,
            {"mim_restore_tokens_backward", "dmask_token has shape (5, 5), expected (5)"});
    if (t.device() != MIM_CPU) return;  // values are only looked at where they can be read
    tensor twice = t.integers({2, 4}, {0, 1, 2, 3, 3, 1, 1, 0}),
           high = t.integers({2, 4}, {0, 1, 2, 4, 3, 2, 1, 0});
    t.fails(mim_restore_tokens_forward(t.ctx(), y, x, token, position, twice), invalid,
            {"ids_restore holds 1 at (1, 1) and again at (1, 2)"});
    t.fails(mim_restore_tokens_backward(t.ctx(), x, token, position, y, high), invalid,
            {"ids_restore holds 4 at (0, 3), expected 0 to 3"});
    const mim_view nowhere = mim::test::without_memory(high);
    t.ok(mim_context_set_planning(t.ctx(), 1));
    t.ok(mim_restore_tokens_backward(t.ctx(), x, token, position, y, &nowhere));
    t.ok(mim_context_set_planning(t.ctx(), 0));
}
OP_CASES(restore_tokens_errors, {});
