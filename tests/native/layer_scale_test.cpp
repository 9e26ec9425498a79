// LayerScale and stochastic depth against their formula.
#include "thread_count.h"

using mim::test::context_with_threads;
using mim::test::harness;

namespace {

// A sample of two is dropped, the others are scaled up: what stochastic depth draws.
tensor survival(harness& t, int64_t samples) {
    std::vector<double> scales(static_cast<size_t>(samples));
    for (size_t s = 0; s < scales.size(); ++s) scales[s] = s % 2 == 1 ? 0 : 1 / 0.7;
    return t.with_values({samples}, scales, MIM_F32);
}

}  // namespace

// samples 0: without sample_scale
OP_TEST(layer_scale, int64_t rows, int64_t cols, int64_t scaled, int64_t samples) {
    tensor x = t.random({rows, cols}), dy = t.random({rows, cols}), gamma = t.random_f32({cols});
    tensor scales = survival(t, samples ? samples : 1);
    tensor y = t.filled({rows, cols}, NAN), dx = t.filled({rows, cols}, NAN);
    tensor dgamma = t.filled_f32({cols}, 1);  // backward must add
    const auto if_scaled = [&](tensor& v) { return scaled ? v.view() : nullptr; };
    const auto if_sampled = [&](tensor& v) { return samples ? v.view() : nullptr; };
    const auto run = [&](mim_context* ctx) {
        t.ok(mim_layer_scale_forward(ctx, y, x, if_scaled(gamma), if_sampled(scales)));
        t.ok(mim_layer_scale_backward(ctx, dx, if_scaled(dgamma), dy, x, if_scaled(gamma),
                                      if_sampled(scales)));
    };
    run(t.ctx());

    std::vector<double> want_dgamma(size_t(cols), 1.0);
    for (int64_t r = 0; r < rows; ++r)
        for (int64_t c = 0; c < cols; ++c) {
            const double s = samples ? scales(r / (rows / samples)) : 1, g = scaled ? gamma(c) : 1;
            t.near("y", y(r, c), x(r, c) * g * s);
            t.near("dx", dx(r, c), dy(r, c) * g * s);
            if (scaled) want_dgamma[size_t(c)] += dy(r, c) * x(r, c) * s;
        }
    t.tolerance("dgamma", 4e-6);  // f32 whatever the rows are
    t.near("dgamma", dgamma, want_dgamma);

    const std::vector<double> dx_once = dx.values(), y_once = y.values();
    if (t.dtype() == MIM_F32) {
        const auto loss = [&] {
            t.ok(mim_layer_scale_forward(t.ctx(), y, x, if_scaled(gamma), if_sampled(scales)));
            return dot(y, dy);
        };
        for (double& w : want_dgamma) w -= 1;
        t.directional_derivative("dx", x, dx_once, loss);
        t.directional_derivative("dgamma", gamma, want_dgamma, loss);
    }

    // each number of threads gives its own bits of dgamma, and the same ones every time
    for (const int32_t threads : {1, 2, 3}) {
        const context_with_threads ctx(t, threads);
        std::vector<double> first;
        for (int again = 0; again < 2; ++again) {
            dgamma = t.filled_f32({cols}, 0);
            run(ctx);
            if (first.empty()) first = dgamma.values();
            EXPECT_EQ(first, dgamma.values()) << threads << " threads";
            EXPECT_EQ(y_once, y.values());
            EXPECT_EQ(dx_once, dx.values());
        }
    }

    // in place, and without what is not wanted
    t.ok(mim_layer_scale_backward(t.ctx(), dx, nullptr, dy, nullptr, if_scaled(gamma),
                                  if_sampled(scales)));
    EXPECT_EQ(dx_once, dx.values());
    tensor same = t.filled_f32({cols}, 0), apart = t.filled_f32({cols}, 0);
    t.ok(mim_layer_scale_backward(t.ctx(), dx, if_scaled(apart), dy, x, if_scaled(gamma),
                                  if_sampled(scales)));
    t.ok(mim_layer_scale_backward(t.ctx(), dy, if_scaled(same), dy, x, if_scaled(gamma),
                                  if_sampled(scales)));
    t.ok(mim_layer_scale_forward(t.ctx(), x, x, if_scaled(gamma), if_sampled(scales)));
    EXPECT_EQ(dx_once, dy.values());
    EXPECT_EQ(apart.values(), same.values());
    EXPECT_EQ(y_once, x.values());
}
OP_CASES(layer_scale, {1, 1, 1, 0}, {1, 1, 0, 1}, {1, 1, 1, 1}, {3, 7, 1, 0}, {6, 7, 1, 3},
         {6, 41, 0, 2}, {6, 41, 1, 6}, {1568, 96, 1, 8});
OP_CASES_LARGE(layer_scale, {394, 768, 1, 2});
OP_CASES_BF16(layer_scale, {1, 1, 1, 1}, {6, 7, 1, 3}, {6, 41, 0, 2}, {394, 768, 1, 2});

OP_TEST(layer_scale_planning) {
    tensor x = t.random({4, 6}), gamma = t.random_f32({6}), y = t.filled({4, 6}, 7),
           dgamma = t.filled_f32({6}, 7);
    const mim_view *vx = x, *vg = gamma, *vy = y, *vd = dgamma;
    mim_context_info info = {};
    info.size = sizeof info;
    t.ok(mim_context_set_planning(t.ctx(), 1));
    t.ok(mim_layer_scale_forward(t.ctx(), vy, vx, vg, nullptr));
    t.ok(mim_layer_scale_backward(t.ctx(), vy, vd, vx, vx, vg, nullptr));
    t.ok(mim_context_set_planning(t.ctx(), 0));
    t.ok(mim_context_get_info(t.ctx(), &info));
    const int64_t planned = info.scratch_peak;
    EXPECT_GT(planned, 0);
    for (int64_t i = 0; i < y.size(); ++i) t.exact("y while planning", y.at(i), 7);
    for (int64_t i = 0; i < 6; ++i) t.exact("dgamma while planning", dgamma.at(i), 7);
    t.ok(mim_layer_scale_backward(t.ctx(), y, dgamma, x, x, gamma, nullptr));
    t.ok(mim_context_get_info(t.ctx(), &info));
    EXPECT_EQ(planned, info.scratch_peak);
}
OP_CASES(layer_scale_planning, {});

OP_TEST(layer_scale_errors) {
    tensor x = t.random({6, 4}), y = t.filled({6, 4}, NAN), wide = t.random({6, 5}),
           half = t.with_values({6, 4}, std::vector<double>(24, 0), MIM_BF16);
    tensor gamma = t.random_f32({4}), gamma5 = t.random_f32({5}), scales = t.random_f32({3});
    const mim_status invalid = MIM_ERROR_INVALID_ARGUMENT;
    t.ok(mim_layer_scale_forward(t.ctx(), y, x, gamma, scales));
    t.fails(mim_layer_scale_forward(t.ctx(), y, nullptr, gamma, scales), invalid,
            {"mim_layer_scale_forward", "x is null"});
    t.fails(mim_layer_scale_forward(t.ctx(), y, x, nullptr, nullptr), invalid,
            {"gamma and sample_scale are null, expected at least one"});
    t.fails(mim_layer_scale_forward(t.ctx(), y, x, gamma5, nullptr), invalid,
            {"gamma has shape (5), expected (4)"});
    t.fails(mim_layer_scale_forward(t.ctx(), y, x, gamma, gamma), invalid,
            {"sample_scale is f32 (4)", "divides the 6 rows of x"});
    t.fails(mim_layer_scale_forward(t.ctx(), y, x, gamma, x), invalid, {"sample_scale", "rank 2"});
    t.fails(mim_layer_scale_forward(t.ctx(), wide, x, gamma, scales), invalid,
            {"y has shape (6, 5), expected (6, 4)"});
    t.fails(mim_layer_scale_forward(t.ctx(), half, x, gamma, scales), invalid,
            {"y", "bf16", "f32"});
    t.fails(mim_layer_scale_forward(t.ctx(), y, wide.slice(1, 0, 4), gamma, scales), invalid,
            {"x", "dense"});
    const auto backward = [&](const mim_view* dgamma, const mim_view* saved, const mim_view* g) {
        return mim_layer_scale_backward(t.ctx(), y, dgamma, x, saved, g, scales);
    };
    t.fails(backward(gamma, x, nullptr), invalid,
            {"mim_layer_scale_backward", "dgamma is given, expected NULL: gamma is null"});
    t.fails(backward(gamma, nullptr, gamma), invalid, {"x is null", "dgamma is given"});
    t.fails(backward(gamma5, x, gamma), invalid, {"dgamma has shape (5), expected (4)"});
    t.fails(backward(gamma, wide, gamma), invalid, {"x has shape (6, 5), expected (6, 4)"});
    t.fails(mim_layer_scale_backward(t.ctx(), wide, nullptr, x, x, gamma, scales), invalid,
            {"dx has shape (6, 5), expected (6, 4)"});
}
OP_CASES(layer_scale_errors, {});
