// Masked depthwise convolution against its formula.
#include "thread_count.h"

using mim::test::context_with_threads;
using mim::test::harness;
using mim::test::without_memory;

namespace {

// Some tokens removed, one in five by half, so that a kernel that asks "is it 0" is found out.
tensor some_kept(harness& t, int64_t batch, int64_t height, int64_t width) {
    std::vector<double> keep(size_t(batch * height * width));
    for (double& k : keep) k = t.uniform() < 0.6 ? 0 : t.uniform() < 0.5 ? 1 : 0.5;
    return t.with_values({batch, height, width}, keep, MIM_F32);
}

struct maps {
    int64_t batch, height, width, dim, kernel;

    // f(output, input, channel, tap, keep index) for each product of the formula, as flat indices.
    template <class Body>
    void for_each_product(Body&& f) const {
        const int64_t r = kernel / 2;
        for (int64_t b = 0; b < batch; ++b)
            for (int64_t i = 0; i < height; ++i)
                for (int64_t j = 0; j < width; ++j)
                    for (int64_t p = 0; p < kernel; ++p)
                        for (int64_t q = 0; q < kernel; ++q) {
                            const int64_t row = i + p - r, column = j + q - r;
                            if (row < 0 || row >= height || column < 0 || column >= width) continue;
                            const int64_t to = (b * height + i) * width + j;
                            const int64_t from = (b * height + row) * width + column;
                            for (int64_t c = 0; c < dim; ++c)
                                f(size_t(to * dim + c), size_t(from * dim + c), size_t(c),
                                  size_t((c * kernel + p) * kernel + q), size_t(from));
                        }
    }
};

}  // namespace

OP_TEST(depthwise_conv, int64_t batch, int64_t height, int64_t width, int64_t dim, int64_t kernel,
        int64_t masked, int64_t biased) {
    const maps shape = {batch, height, width, dim, kernel};
    const mim_depthwise_conv_params params = {sizeof params, int32_t(kernel)};
    tensor x = t.random({batch, height, width, dim}), dy = t.random({batch, height, width, dim});
    tensor w = t.random_f32({dim, kernel, kernel}), bias = t.random_f32({dim});
    tensor keep = some_kept(t, batch, height, width);
    tensor y = t.filled({batch, height, width, dim}, NAN),
           dx = t.filled({batch, height, width, dim}, NAN);
    tensor dw = t.filled_f32({dim, kernel, kernel}, 1), dbias = t.filled_f32({dim}, 1);  // added to
    const auto if_masked = [&] { return masked ? keep.view() : nullptr; };
    const auto if_biased = [&](tensor& v) { return biased ? v.view() : nullptr; };
    const auto run = [&](mim_context* ctx) {
        t.ok(mim_depthwise_conv_forward(ctx, y, x, w, if_biased(bias), if_masked(), &params));
        t.ok(mim_depthwise_conv_backward(ctx, dx, dw, if_biased(dbias), dy, x, w, if_masked(),
                                         &params));
    };
    run(t.ctx());

    const std::vector<double> xs = x.values(), ws = w.values(), dys = dy.values(),
                              keeps = keep.values(), biases = bias.values();
    std::vector<double> want_y(xs.size()), want_dx(xs.size()), want_dw(ws.size(), 1),
        want_dbias(size_t(dim), 1);
    for (size_t i = 0; i < xs.size(); ++i) {
        want_y[i] = biased ? biases[i % size_t(dim)] : 0;
        want_dbias[i % size_t(dim)] += biased ? dys[i] : 0;
    }
    shape.for_each_product([&](size_t to, size_t from, size_t, size_t tap, size_t token) {
        const double kept = masked ? keeps[token] : 1;
        want_y[to] += ws[tap] * kept * xs[from];
        want_dx[from] += ws[tap] * kept * dys[to];
        want_dw[tap] += kept * xs[from] * dys[to];
    });
    t.near("y", y, want_y);
    t.near("dx", dx, want_dx);
    t.near("dw", dw, want_dw);
    t.near("dbias", dbias, want_dbias);

    const std::vector<double> y_once = y.values(), dx_once = dx.values(), dw_once = dw.values(),
                              dbias_once = dbias.values();
    if (t.dtype() == MIM_F32) {
        const auto loss = [&] {
            t.ok(mim_depthwise_conv_forward(t.ctx(), y, x, w, if_biased(bias), if_masked(),
                                            &params));
            return dot(y, dy);
        };
        for (double& value : want_dw) value -= 1;
        for (double& value : want_dbias) value -= 1;
        t.directional_derivative("dx", x, dx_once, loss);
        t.directional_derivative("dw", w, want_dw, loss);
        if (biased) t.directional_derivative("dbias", bias, want_dbias, loss);
    }

    // y and dx of any number of threads are the same bits, dw and dbias those of their number
    x = t.with_values(x.shape(), xs, t.dtype());
    w = t.with_values(w.shape(), ws, MIM_F32);
    bias = t.with_values(bias.shape(), biases, MIM_F32);
    for (const int32_t threads : {1, 2, 5}) {
        const context_with_threads ctx(t, threads);
        std::vector<double> first;
        for (int again = 0; again < 2; ++again) {
            dw = t.filled_f32(dw.shape(), 1);
            dbias = t.filled_f32(dbias.shape(), 1);
            run(ctx);
            if (first.empty()) first = mim::test::joined({dw, dbias});
            EXPECT_EQ(first, mim::test::joined({dw, dbias})) << threads << " threads";
            EXPECT_EQ(y_once, y.values());
            EXPECT_EQ(dx_once, dx.values());
        }
    }

    // without what is not wanted
    dx = t.filled(dx.shape(), NAN);
    dw = t.filled_f32(dw.shape(), 1);
    dbias = t.filled_f32(dbias.shape(), 1);
    const auto backward = [&](const mim_view* to_x, const mim_view* to_w, const mim_view* to_bias) {
        t.ok(mim_depthwise_conv_backward(t.ctx(), to_x, to_w, to_bias, dy, x, w, if_masked(),
                                         &params));
    };
    backward(dx, nullptr, nullptr);
    backward(nullptr, dw, nullptr);
    if (biased) backward(nullptr, nullptr, dbias);
    EXPECT_EQ(dx_once, dx.values());
    EXPECT_EQ(dw_once, dw.values());
    EXPECT_EQ(dbias_once, dbias.values());
}
// the smallest; every kernel with maps larger and smaller than it; channels that fill no vector, and
// more of them than are taken at once; columns that fill no strip; more images than sums
OP_CASES(depthwise_conv, {1, 1, 1, 1, 1, 0, 0}, {2, 3, 4, 5, 1, 1, 1}, {1, 1, 1, 3, 5, 1, 1},
         {2, 5, 3, 7, 3, 1, 0}, {2, 9, 8, 6, 5, 1, 1}, {1, 7, 9, 17, 5, 0, 1},
         {1, 2, 3, 4, 7, 1, 1}, {1, 11, 10, 5, 7, 1, 1}, {1, 4, 13, 3, 9, 0, 0},
         {1, 12, 5, 2, 11, 1, 1}, {1, 3, 19, 70, 3, 1, 1}, {3, 4, 5, 130, 5, 1, 1},
         {1, 1, 40, 33, 5, 1, 1}, {1, 33, 2, 16, 5, 1, 1}, {535, 1, 2, 3, 3, 1, 1},
         {1, 56, 56, 4, 5, 1, 1}, {1, 28, 28, 24, 5, 1, 1});
OP_CASES_BF16(depthwise_conv, {1, 1, 1, 1, 1, 0, 0}, {2, 9, 8, 6, 5, 1, 1}, {1, 7, 9, 17, 5, 0, 1},
              {2, 5, 3, 8, 3, 1, 0}, {1, 6, 11, 5, 7, 1, 1}, {1, 4, 13, 4, 9, 0, 0},
              {1, 12, 5, 2, 11, 1, 1}, {3, 4, 5, 130, 5, 1, 1}, {1, 28, 28, 24, 5, 1, 1});
// as wide as in ConvMAE's stages
OP_CASES_ON(MIM_CPU, depthwise_conv, {1, 56, 56, 64, 5, 1, 1}, {2, 28, 28, 96, 5, 1, 1});

OP_TEST(depthwise_conv_planning) {
    tensor x = t.random({2, 6, 5, 3}), y = t.filled({2, 6, 5, 3}, 7), w = t.random_f32({3, 5, 5}),
           dw = t.filled_f32({3, 5, 5}, 7), dbias = t.filled_f32({3}, 7);
    const mim_depthwise_conv_params params = {sizeof params, 5};
    const mim_view unread = without_memory(x), unread_w = without_memory(w);
    const mim_view *vy = y, *vdw = dw, *vdbias = dbias;
    mim_context_info info = {};
    info.size = sizeof info;
    const auto peak = [&] {
        t.ok(mim_context_get_info(t.ctx(), &info));
        return info.scratch_peak;
    };
    t.ok(mim_context_set_planning(t.ctx(), 1));
    t.ok(mim_depthwise_conv_forward(t.ctx(), vy, &unread, &unread_w, nullptr, nullptr, &params));
    const int64_t planned_forward = peak();
    t.ok(mim_depthwise_conv_backward(t.ctx(), vy, vdw, vdbias, &unread, &unread, &unread_w, nullptr,
                                     &params));
    const int64_t planned = peak();
    t.ok(mim_context_set_planning(t.ctx(), 0));
    EXPECT_GT(planned, 0);
    for (int64_t i = 0; i < y.size(); ++i) t.exact("y while planning", y.at(i), 7);
    for (int64_t i = 0; i < dw.size(); ++i) t.exact("dw while planning", dw.at(i), 7);

    // a context of its own counts from nothing
    const context_with_threads fresh(t, 0);
    const auto peak_of = [&](mim_context* ctx) {
        t.ok(mim_context_get_info(ctx, &info));
        return info.scratch_peak;
    };
    tensor dx = t.filled({2, 6, 5, 3}, 7);
    t.ok(mim_depthwise_conv_forward(fresh, y, x, w, nullptr, nullptr, &params));
    EXPECT_EQ(planned_forward, peak_of(fresh));
    t.ok(mim_depthwise_conv_backward(fresh, dx, dw, dbias, y, x, w, nullptr, &params));
    EXPECT_EQ(planned, peak_of(fresh));
}
OP_CASES(depthwise_conv_planning, {});

OP_TEST(depthwise_conv_errors) {
    tensor x = t.random({2, 4, 5, 3}), y = t.filled({2, 4, 5, 3}, NAN),
           dx = t.filled({2, 4, 5, 3}, 0), narrow = t.random({2, 4, 4, 3}),
           w = t.random_f32({3, 5, 5}), bias = t.random_f32({3}), keep = t.filled_f32({2, 4, 5}, 1),
           wide = t.random({2, 4, 5, 6});
    tensor half = t.with_values({2, 4, 5, 3}, std::vector<double>(120, 0), MIM_BF16),
           half_w = t.with_values({3, 5, 5}, std::vector<double>(75, 0), MIM_BF16);
    const mim_status invalid = MIM_ERROR_INVALID_ARGUMENT;
    const auto forward = [&](const mim_view* to, const mim_view* from, const mim_view* weights,
                             const mim_view* b, const mim_view* kept, int32_t kernel) {
        const mim_depthwise_conv_params params = {sizeof params, kernel};
        return mim_depthwise_conv_forward(t.ctx(), to, from, weights, b, kept, &params);
    };
    t.ok(forward(y, x, w, bias, keep, 5));
    for (const int32_t kernel : {-1, 0, 4, 13})
        t.fails(forward(y, x, w, bias, keep, kernel), invalid,
                {"mim_depthwise_conv_forward", "params.kernel is " + std::to_string(kernel),
                 "expected 1, 3, 5, 7, 9 or 11"});
    t.fails(forward(y, x, w, bias, keep, 3), invalid,
            {"w has shape (3, 5, 5), expected (3, 3, 3)"});
    t.fails(forward(nullptr, x, w, bias, keep, 5), invalid, {"y is null"});
    t.fails(forward(y, x, nullptr, bias, keep, 5), invalid, {"w is null"});
    t.fails(forward(narrow, x, w, bias, keep, 5), invalid,
            {"y has shape (2, 4, 4, 3), expected (2, 4, 5, 3)"});
    t.fails(forward(half, x, w, bias, keep, 5), invalid, {"y", "bf16", "f32"});
    t.fails(forward(y, x, half_w, bias, keep, 5), invalid, {"w", "bf16", "f32"});
    t.fails(forward(y, x, w, w.reshaped({75}), keep, 5), invalid,
            {"bias has shape (75), expected (3)"});
    t.fails(forward(y, x, w, bias, keep.reshaped({2, 20}), 5), invalid,
            {"keep has shape (2, 20), expected (2, 4, 5)"});
    t.fails(forward(y, x, w, bias, keep.reshaped({4, 2, 5}), 5), invalid,
            {"keep has shape (4, 2, 5), expected (2, 4, 5)"});
    t.fails(forward(y, wide.slice(3, 0, 3), w, bias, keep, 5), invalid, {"x", "not dense"});
    t.fails(forward(y, x.reshaped({8, 5, 3}), w, bias, keep, 5), invalid, {"x", "rank 3"});
    t.fails(forward(x, x, w, bias, keep, 5), invalid,
            {"y overlaps the memory of x, expected another"});
    t.fails(mim_depthwise_conv_forward(t.ctx(), y, x, w, bias, keep, nullptr), invalid,
            {"params is null"});
    const mim_depthwise_conv_params wrong = {4, 5}, params = {sizeof params, 5};
    t.fails(mim_depthwise_conv_forward(t.ctx(), y, x, w, bias, keep, &wrong), invalid,
            {"params.size is 4"});

    const auto backward = [&](const mim_view* to_x, const mim_view* to_w, const mim_view* to_bias,
                              const mim_view* g) {
        return mim_depthwise_conv_backward(t.ctx(), to_x, to_w, to_bias, g, x, w, keep, &params);
    };
    t.fails(backward(nullptr, nullptr, nullptr, y), invalid,
            {"mim_depthwise_conv_backward", "dx, dw and dbias are null, expected at least one"});
    t.fails(backward(narrow, nullptr, nullptr, y), invalid, {"dx has shape (2, 4, 4, 3)"});
    t.fails(backward(dx, bias, nullptr, y), invalid, {"dw has shape (3), expected (3, 5, 5)"});
    t.fails(backward(dx, nullptr, w, y), invalid, {"dbias has shape (3, 5, 5), expected (3)"});
    t.fails(backward(dx, nullptr, nullptr, narrow), invalid,
            {"dy has shape (2, 4, 4, 3), expected (2, 4, 5, 3)"});
    t.fails(backward(y, nullptr, nullptr, y), invalid, {"dx overlaps the memory of dy"});
    t.fails(backward(x, nullptr, nullptr, y), invalid, {"dx overlaps the memory of x"});
}
OP_CASES(depthwise_conv_errors, {});
