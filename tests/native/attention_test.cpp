// Attention against the plain softmax formula in double.
#include <numeric>

#include "attention_bodies.h"

OP_CASES(attention, {1, 1, 1, 1, 1, dense, 0}, {2, 1, 1, 3, 16, dense, 3},
         {2, 3, 5, 3, 1, dense, 3}, {1, 5, 3, 2, 33, heads_first, 1}, {2, 1, 17, 2, 16, dense, 1},
         {3, 17, 17, 3, 33, packed, 3}, {1, 17, 1, 2, 7, dense, 0}, {2, 50, 50, 3, 64, packed, 0},
         {2, 50, 50, 3, 64, packed, 3}, {1, 49, 49, 5, 32, packed, 1},
         {1, 196, 50, 2, 64, dense, 3}, {2, 50, 197, 2, 64, heads_first, 0},
         {1, 197, 197, 2, 80, packed, 0}, {1, 65, 65, 2, 128, packed, 1},
         {1, 130, 1100, 1, 24, dense, 3});
OP_CASES_LARGE(attention, {2, 197, 197, 3, 64, packed, 0}, {2, 197, 197, 3, 64, packed, 3});
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

OP_CASES(attention_windows, {1, 1, 1, 1, 1, 1, dense, everything}, {2, 3, 1, 2, 5, 2, dense, 0},
         {2, 3, 5, 2, 8, 1, dense, 0}, {1, 4, 7, 3, 12, 1, packed, with_bias},
         {2, 4, 49, 3, 32, 1, packed, with_bias | with_dbias},
         {2, 4, 49, 3, 32, 1, packed, with_bias | with_dbias | with_mask},
         {1, 9, 16, 2, 16, 1, heads_first, with_mask},
         {2, 3, 9, 2, 16, 6, dense, with_table | with_dtable},
         {2, 2, 25, 2, 33, 7, packed, everything}, {1, 2, 70, 2, 24, 40, packed, everything});
OP_CASES_BF16(attention_windows, {2, 4, 49, 3, 32, 1, packed, with_bias | with_dbias | with_mask},
              {1, 3, 21, 2, 20, 9, heads_first, everything});

OP_CASES(attention_table, {1, 1, 1, 1, 1, 1, dense, with_dtable},
         {2, 5, 3, 2, 7, 1, dense, with_dtable}, {2, 50, 50, 3, 16, 50, packed, with_dtable},
         {2, 50, 50, 3, 64, 50, packed, with_dtable}, {2, 50, 50, 3, 12, 50, packed, with_dtable},
         {2, 50, 50, 2, 64, 50, packed, 0}, {2, 7, 19, 2, 16, 17, heads_first, with_dtable},
         {1, 70, 33, 2, 40, 64, dense, with_bias | with_dbias | with_dtable},
         {1, 9, 9, 1, 128, 300, dense, with_dtable});
OP_CASES_LARGE(attention_table, {1, 197, 197, 2, 64, 50, packed, with_dtable});
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

OP_CASES(attention_sharp, {});
OP_CASES_BF16(attention_sharp, {});

OP_CASES(attention_one_hot, {});
OP_CASES_BF16(attention_one_hot, {});

OP_CASES(attention_closed_keys, {0}, {1});
OP_CASES_BF16(attention_closed_keys, {1});

OP_CASES(attention_repeats, {1, 1, 1, with_bias | with_dbias}, {1, 5, 1, with_bias | with_dbias},
         {7, 1, 1, with_bias | with_dbias}, {5, 3, 1, with_bias | with_dbias},
         {5, 3, 1, with_table | with_dtable}, {2, 3, 4, everything}, {1, 2, 5, everything},
         {3, 1, 2, with_windows | with_table | with_dtable});
OP_CASES_BF16(attention_repeats, {5, 3, 1, with_bias | with_dbias}, {2, 3, 2, everything});

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
