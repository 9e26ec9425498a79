// GELU against the formula in double, which takes its tails from erfc.
#include "op_test.h"

namespace {

double cumulative(double x) {
    return 0.5 * std::erfc(-x / std::sqrt(2.0));
}
double gelu(double x) {
    return x * cumulative(x);
}
double gelu_derivative(double x) {
    return cumulative(x) + x * std::exp(-0.5 * x * x) / std::sqrt(2 * std::acos(-1.0));
}

}  // namespace

OP_TEST(gelu, int64_t rows, int64_t cols) {
    tensor x = t.random({rows, cols}, 2.0), dy = t.random({rows, cols});
    tensor y = t.filled({rows, cols}, NAN), dx = t.filled({rows, cols}, NAN);
    t.ok(mim_gelu_forward(t.ctx(), y, x));
    t.ok(mim_gelu_backward(t.ctx(), dx, dy, x));
    for (int64_t i = 0; i < x.size(); ++i) {
        t.near("y", y.at(i), gelu(x.at(i)));
        t.near("dx", dx.at(i), dy.at(i) * gelu_derivative(x.at(i)));
    }
    const std::vector<double> y_before = y.values(), dx_before = dx.values();
    if (t.dtype() == MIM_F32)
        t.directional_derivative("dx", x, dx_before, [&] {
            t.ok(mim_gelu_forward(t.ctx(), y, x));
            return dot(y, dy);
        });

    t.ok(mim_gelu_backward(t.ctx(), dy, dy, x));  // in place
    t.ok(mim_gelu_forward(t.ctx(), x, x));
    for (int64_t i = 0; i < x.size(); ++i) {
        t.exact("dx in place", dy.at(i), dx_before[size_t(i)]);
        t.exact("y in place", x.at(i), y_before[size_t(i)]);
    }
}
OP_CASES(gelu, {1, 1}, {3, 7}, {5, 41}, {23, 89});
OP_CASES_LARGE(gelu, {197, 3072});
OP_CASES_BF16(gelu, {3, 7}, {23, 89}, {197, 768});

// Values on a fine grid, each judged on its own: the left tail must keep its relative accuracy.
OP_TEST(gelu_tails) {
    std::vector<double> grid;
    for (double x = -12.5; x <= 30; x += 0x1p-8) grid.push_back(x);
    const int64_t n = int64_t(grid.size());
    tensor x = t.with_values({n}, grid, MIM_F32), dy = t.filled({n}, 1);
    tensor y = t.filled({n}, NAN), dx = t.filled({n}, NAN);
    t.ok(mim_gelu_forward(t.ctx(), y, x));
    t.ok(mim_gelu_backward(t.ctx(), dx, dy, x));
    for (int64_t i = 0; i < n; ++i) {
        const double v = x.at(i),
                     error = 1e-6 + 1.2e-7 * v * v / 2;  // x^2 / 2 is rounded before it is raised
        EXPECT_NEAR(y.at(i), gelu(v), error * std::fabs(gelu(v))) << "x = " << v;
        EXPECT_NEAR(dx.at(i), gelu_derivative(v), 4e-7) << "x = " << v;
    }
}
OP_CASES(gelu_tails, {});

OP_TEST(gelu_extremes) {
    tensor x = t.with_values({8}, {0, -14, 14, -1e30, 1e30, -INFINITY, INFINITY, NAN}, t.dtype());
    tensor y = t.filled({8}, NAN), dx = t.filled({8}, NAN), dy = t.filled({8}, 1);
    t.ok(mim_gelu_forward(t.ctx(), y, x));
    t.ok(mim_gelu_backward(t.ctx(), dx, dy, x));
    const double want_y[7] = {0, 0, 14, 0, x.at(4), 0, INFINITY},
                 want_dx[7] = {0.5, 0, 1, 0, 1, 0, 1};
    for (int64_t i = 0; i < 7; ++i) {
        t.exact("y", y.at(i), want_y[i]);
        t.exact("dx", dx.at(i), want_dx[i]);
    }
    EXPECT_TRUE(std::isnan(y.at(7)) && std::isnan(dx.at(7)));  // a NaN is never hidden
}
OP_CASES(gelu_extremes, {});
OP_CASES_BF16(gelu_extremes, {});

OP_TEST(gelu_errors) {
    tensor x = t.random({4, 8}), y = t.random({4, 7}), half = t.with_values({1}, {0}, MIM_BF16),
           one = t.random({1});
    t.fails(mim_gelu_forward(t.ctx(), y, x), MIM_ERROR_INVALID_ARGUMENT,
            {"mim_gelu_forward", "y", "(4, 7)", "(4, 8)"});
    t.fails(mim_gelu_forward(t.ctx(), half, one), MIM_ERROR_INVALID_ARGUMENT, {"y", "bf16", "f32"});
    t.fails(mim_gelu_forward(t.ctx(), x.slice(1, 0, 4), x.slice(1, 4, 8)),
            MIM_ERROR_INVALID_ARGUMENT, {"dense"});
    t.fails(mim_gelu_backward(t.ctx(), x, y, x), MIM_ERROR_INVALID_ARGUMENT,
            {"mim_gelu_backward", "dy"});
    t.fails(mim_gelu_backward(t.ctx(), x, nullptr, x), MIM_ERROR_INVALID_ARGUMENT, {"dy is null"});
}
OP_CASES(gelu_errors, {});
