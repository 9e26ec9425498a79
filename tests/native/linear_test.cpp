// Linear with and without GELU behind it, against the formulas in double.
#include "op_test.h"

using mim::test::harness;

namespace {

const mim_linear_params plain = {sizeof plain, MIM_ACTIVATION_NONE};
const mim_linear_params with_gelu = {sizeof with_gelu, MIM_ACTIVATION_GELU};

double gelu(double x) {
    return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
}
double gelu_slope(double x) {
    return 0.5 * (1 + std::erf(x / std::sqrt(2.0))) +
           x * std::exp(-0.5 * x * x) / std::sqrt(2 * M_PI);
}

// A matrix between columns that belong to somebody else: its rows are strided.
struct strided {
    tensor whole;
    int64_t rows, cols;
    const mim_view* view() { return whole.slice(1, 2, cols + 2); }
    double operator()(int64_t r, int64_t c) const { return whole(r, c + 2); }
    std::vector<double> values() const {
        std::vector<double> inner;
        for (int64_t r = 0; r < rows; ++r)
            for (int64_t c = 0; c < cols; ++c) inner.push_back((*this)(r, c));
        return inner;
    }
    // what lies beside the matrix
    void margin_is_nan() const {
        for (int64_t r = 0; r < rows; ++r)
            for (const int64_t c : {int64_t(0), int64_t(1), cols + 2})
                EXPECT_TRUE(std::isnan(whole(r, c)));
    }
};

strided random_strided(harness& t, int64_t rows, int64_t cols) {
    return {t.random({rows, cols + 3}), rows, cols};
}
strided empty_strided(harness& t, int64_t rows, int64_t cols) {
    return {t.filled({rows, cols + 3}, NAN), rows, cols};
}

// A context of the test's device with another number of threads.
struct other_context {
    other_context(const harness& t, int32_t threads) {
        const mim_context_params params = {sizeof params, t.device(), 0, threads};
        EXPECT_EQ(MIM_OK, mim_context_create(&ctx, &params)) << mim_last_error();
    }
    ~other_context() { mim_context_destroy(ctx); }
    mim_context* ctx = nullptr;
};

// c (M, N) = a (M, K) b (K, N), each given by a function of its indices
template <class A, class B>
std::vector<double> product(int64_t m, int64_t n, int64_t k, A&& a, B&& b) {
    std::vector<double> c(size_t(m * n), 0.0);
    for (int64_t i = 0; i < m; ++i)
        for (int64_t l = 0; l < k; ++l) {
            const double factor = a(i, l);
            for (int64_t j = 0; j < n; ++j) c[size_t(i * n + j)] += factor * b(l, j);
        }
    return c;
}

// Not every processor multiplies bf16; one that does not must say so.
bool can_multiply(harness& t) {
    tensor x = t.random({2, 2}), w = t.random({2, 2}), y = t.filled({2, 2}, NAN);
    const mim_status status = mim_linear_forward(t.ctx(), y, nullptr, x, w, nullptr, &plain);
    if (status == MIM_OK || t.dtype() == MIM_F32) {
        t.ok(status);
        return true;
    }
    t.fails(status, MIM_ERROR_UNSUPPORTED,
            {"mim_linear_forward", "bf16", "matrix product", "this processor"});
    return false;
}

}  // namespace

OP_TEST(linear, int64_t rows, int64_t inputs, int64_t outputs, int64_t active) {
    if (!can_multiply(t)) GTEST_SKIP() << mim_last_error();
    const mim_linear_params* params = active ? &with_gelu : &plain;
    strided x = random_strided(t, rows, inputs), dy = random_strided(t, rows, outputs);
    strided y = empty_strided(t, rows, outputs), dx = empty_strided(t, rows, inputs);
    tensor w = t.random({outputs, inputs}, 1 / std::sqrt(double(inputs))),
           bias = t.random_f32({outputs});
    tensor pre = t.filled({rows, outputs}, NAN);
    tensor dw = t.filled_f32({outputs, inputs}, 1),
           dbias = t.filled_f32({outputs}, 1);  // backward must add
    const mim_view* saved = active ? pre.view() : nullptr;

    t.ok(mim_linear_forward(t.ctx(), y.view(), saved, x.view(), w, bias, params));
    t.ok(mim_linear_backward(t.ctx(), dx.view(), dw, dbias, dy.view(), x.view(), w, saved, params));

    const std::vector<double> px = x.values(), pw = w.values();
    const auto x_at = [&](int64_t r, int64_t k) { return px[size_t(r * inputs + k)]; };
    const auto w_at = [&](int64_t n, int64_t k) { return pw[size_t(n * inputs + k)]; };
    std::vector<double> want_pre =
        product(rows, outputs, inputs, x_at, [&](int64_t k, int64_t n) { return w_at(n, k); });
    std::vector<double> dpre(size_t(rows * outputs)), want_dbias(size_t(outputs), 1.0);
    for (int64_t r = 0; r < rows; ++r)
        for (int64_t n = 0; n < outputs; ++n) {
            const size_t i = size_t(r * outputs + n);
            want_pre[i] += bias(n);
            t.near("y", y(r, n), active ? gelu(want_pre[i]) : want_pre[i]);
            if (active) t.near("pre", pre.at(int64_t(i)), want_pre[i]);
            dpre[i] = active ? dy(r, n) * gelu_slope(pre.at(int64_t(i))) : dy(r, n);
            want_dbias[size_t(n)] += dpre[i];
        }
    const auto dpre_at = [&](int64_t r, int64_t n) { return dpre[size_t(r * outputs + n)]; };
    const std::vector<double> want_dx = product(rows, inputs, outputs, dpre_at, w_at);
    std::vector<double> want_dw = product(
        outputs, inputs, rows, [&](int64_t n, int64_t r) { return dpre_at(r, n); }, x_at);
    for (double& v : want_dw) v += 1;
    for (int64_t r = 0; r < rows; ++r)
        for (int64_t k = 0; k < inputs; ++k)
            t.near("dx", dx(r, k), want_dx[size_t(r * inputs + k)]);
    // the gradient behind a GELU is stored before its product is taken
    if (t.dtype() == MIM_BF16 && active) t.tolerance("dw", 5.1e-3);
    t.near("dw", dw, want_dw);
    t.near("dbias", dbias, want_dbias);
    y.margin_is_nan();
    dx.margin_is_nan();

    // once more: the parameters' gradients grow, and without a saved value and a bias y is still
    // the same
    t.ok(mim_linear_backward(t.ctx(), nullptr, dw, dbias, dy.view(), x.view(), w, saved, params));
    for (int64_t i = 0; i < dw.size(); ++i)
        t.near("dw twice", dw.at(i), 2 * want_dw[size_t(i)] - 1);
    for (int64_t n = 0; n < outputs; ++n)
        t.near("dbias twice", dbias(n), 2 * want_dbias[size_t(n)] - 1);
    const std::vector<double> before = y.values();
    t.ok(mim_linear_forward(t.ctx(), y.view(), nullptr, x.view(), w, bias, params));
    EXPECT_EQ(before, y.values());
    t.ok(mim_linear_forward(t.ctx(), y.view(), nullptr, x.view(), w, nullptr, params));
    for (int64_t r = 0; r < rows; ++r)
        for (int64_t n = 0; n < outputs; ++n) {
            const double bare = want_pre[size_t(r * outputs + n)] - bias(n);
            t.near("y without bias", y(r, n), active ? gelu(bare) : bare);
        }
}
OP_CASES(linear, {1, 1, 1, 0}, {1, 1, 1, 1}, {3, 7, 5, 0}, {3, 7, 5, 1}, {98, 192, 384, 1},
         {197, 384, 96, 0});
OP_CASES_BF16(linear, {1, 1, 1, 0}, {3, 7, 5, 1}, {98, 192, 384, 1}, {197, 384, 96, 0});
// An extent of 1, where a stride says nothing; and extents of 2, the smallest with strides.
OP_TEST(linear_thin, int64_t rows, int64_t inputs, int64_t outputs, int64_t active) {
    linear_body(t, rows, inputs, outputs, active);
}
OP_CASES(linear_thin, {1, 64, 33, 1}, {50, 300, 1, 0}, {50, 1, 40, 1}, {1, 1, 37, 0}, {1, 37, 1, 0},
         {37, 1, 1, 1}, {2, 2, 2, 0});
OP_CASES_BF16(linear_thin, {1, 64, 33, 1}, {50, 300, 1, 0}, {50, 1, 40, 1}, {2, 2, 2, 0});

OP_TEST(linear_derivative, int64_t rows, int64_t inputs, int64_t outputs, int64_t active) {
    const mim_linear_params* params = active ? &with_gelu : &plain;
    tensor x = t.random({rows, inputs}), dy = t.random({rows, outputs}),
           bias = t.random_f32({outputs});
    tensor w = t.random({outputs, inputs}, 1 / std::sqrt(double(inputs)));
    tensor y = t.filled({rows, outputs}, NAN), pre = t.filled({rows, outputs}, NAN),
           dx = t.filled({rows, inputs}, NAN);
    tensor dw = t.filled_f32({outputs, inputs}, 0), dbias = t.filled_f32({outputs}, 0);
    const mim_view* saved = active ? pre.view() : nullptr;
    t.ok(mim_linear_forward(t.ctx(), y, saved, x, w, bias, params));
    t.ok(mim_linear_backward(t.ctx(), dx, dw, dbias, dy, x, w, saved, params));
    const auto loss = [&] {
        t.ok(mim_linear_forward(t.ctx(), y, nullptr, x, w, bias, params));
        return dot(y, dy);
    };
    t.directional_derivative("dx", x, dx.values(), loss);
    t.directional_derivative("dw", w, dw.values(), loss);
    t.directional_derivative("dbias", bias, dbias.values(), loss);
}
OP_CASES(linear_derivative, {3, 7, 5, 0}, {3, 7, 5, 1}, {65, 48, 96, 0}, {65, 48, 96, 1});

// Every choice of wanted gradients gives the bits of the call that wants them all, and so does a
// second context.
OP_TEST(linear_wanted, int64_t rows, int64_t inputs, int64_t outputs, int64_t active) {
    if (!can_multiply(t)) GTEST_SKIP() << mim_last_error();
    const mim_linear_params* params = active ? &with_gelu : &plain;
    tensor x = t.random({rows, inputs}), w = t.random({outputs, inputs}),
           dy = t.random({rows, outputs});
    tensor pre = t.random({rows, outputs});
    const mim_view* saved = active ? pre.view() : nullptr;
    tensor all_dx = t.filled({rows, inputs}, NAN), all_dw = t.filled_f32({outputs, inputs}, 1);
    tensor all_dbias = t.filled_f32({outputs}, 1);
    t.ok(mim_linear_backward(t.ctx(), all_dx, all_dw, all_dbias, dy, x, w, saved, params));
    const other_context again(t, 2);
    for (int wanted = 0; wanted < 8; ++wanted) {
        tensor dx = t.filled({rows, inputs}, 7), dw = t.filled_f32({outputs, inputs}, 1);
        tensor dbias = t.filled_f32({outputs}, 1);
        t.ok(mim_linear_backward(again.ctx, wanted & 1 ? dx.view() : nullptr,
                                 wanted & 2 ? dw.view() : nullptr,
                                 wanted & 4 ? dbias.view() : nullptr, dy, x, w, saved, params));
        EXPECT_EQ(dx.values(),
                  wanted & 1 ? all_dx.values() : std::vector<double>(size_t(rows * inputs), 7.0));
        EXPECT_EQ(dw.values(), wanted & 2 ? all_dw.values()
                                          : std::vector<double>(size_t(outputs * inputs), 1.0));
        EXPECT_EQ(dbias.values(),
                  wanted & 4 ? all_dbias.values() : std::vector<double>(size_t(outputs), 1.0));
    }
}
OP_CASES(linear_wanted, {3, 7, 5, 0}, {3, 7, 5, 1}, {197, 96, 128, 1});
OP_CASES_BF16(linear_wanted, {65, 48, 33, 1});

// Biases of two thirds of a packed qkv (SimMIM's q_bias and v_bias): a bias gradient alone, from
// columns in the middle of wider rows.
OP_TEST(linear_bias_alone, int64_t rows, int64_t outputs) {
    if (!can_multiply(t)) GTEST_SKIP() << mim_last_error();
    tensor dqkv = t.random({rows, 3 * outputs}), x = t.random({rows, 5}),
           w = t.random({outputs, 5});
    const std::vector<double> before = dqkv.values();
    for (int64_t third = 0; third < 3; ++third) {
        tensor dbias = t.filled_f32({outputs}, 1);
        const mim_view* dy = dqkv.slice(1, third * outputs, (third + 1) * outputs);
        t.ok(mim_linear_backward(t.ctx(), nullptr, nullptr, dbias, dy, x, w, nullptr, &plain));
        for (int64_t n = 0; n < outputs; ++n) {
            double want = 1;
            for (int64_t r = 0; r < rows; ++r) want += dqkv(r, third * outputs + n);
            t.near("dbias", dbias(n), want);
        }
    }
    t.tolerance("dbias", 4e-6);  // f32 whatever the rows are
    EXPECT_EQ(before, dqkv.values());
}
OP_CASES(linear_bias_alone, {1, 1}, {3, 7}, {394, 192});
OP_CASES_BF16(linear_bias_alone, {1, 1}, {3, 7}, {394, 192});

// The number of threads is the context's; each number gives its own bits, and the same ones every
// time.
OP_TEST(linear_threads, int64_t rows, int64_t inputs, int64_t outputs) {
    tensor x = t.random({rows, inputs}), w = t.random({outputs, inputs}),
           dy = t.random({rows, outputs});
    tensor pre = t.filled({rows, outputs}, NAN), y = t.filled({rows, outputs}, NAN),
           bias = t.random_f32({outputs});
    std::vector<double> first_y, first_dx, first_dw, first_dbias;
    for (const int32_t threads : {1, 2, 1, 2, 5}) {
        const other_context context(t, threads);
        tensor dx = t.filled({rows, inputs}, NAN), dw = t.filled_f32({outputs, inputs}, 0);
        tensor dbias = t.filled_f32({outputs}, 0);
        std::vector<double> dx_before;
        for (int run = 0; run < 2; ++run) {
            tensor dw_now = t.filled_f32({outputs, inputs}, 0),
                   dbias_now = t.filled_f32({outputs}, 0);
            t.ok(mim_linear_forward(context.ctx, y, pre, x, w, bias, &with_gelu));
            t.ok(
                mim_linear_backward(context.ctx, dx, dw_now, dbias_now, dy, x, w, pre, &with_gelu));
            if (run == 0) {
                dx_before = dx.values();
                dw = dw_now;
                dbias = dbias_now;
            } else {
                EXPECT_EQ(dx_before, dx.values()) << threads;
                EXPECT_EQ(dw.values(), dw_now.values()) << threads;
                EXPECT_EQ(dbias.values(), dbias_now.values()) << threads;
            }
        }
        if (first_y.empty()) {
            first_y = y.values();
            first_dx = dx.values();
            first_dw = dw.values();
            first_dbias = dbias.values();
        }
        t.near("y", y, first_y);
        t.near("dx", dx, first_dx);
        t.near("dw", dw, first_dw);
        t.near("dbias", dbias, first_dbias);
    }
}
OP_CASES(linear_threads, {3, 7, 5}, {197, 192, 96}, {800, 48, 64});

// A planned call counts its scratch and leaves every view alone; the same call then needs no more
// than was counted.
OP_TEST(linear_planning) {
    tensor x = t.random({40, 24}), w = t.random({32, 24}), dy = t.random({40, 32}),
           bias = t.random_f32({32});
    tensor y = t.filled({40, 32}, 5), pre = t.filled({40, 32}, 5), dx = t.filled({40, 24}, 5);
    tensor dw = t.filled_f32({32, 24}, 5), dbias = t.filled_f32({32}, 5);
    for (tensor* written : {&y, &pre, &dx, &dw, &dbias})
        written->view();  // planning would not put them on the device
    for (tensor* read : {&x, &w, &dy, &bias}) read->view();
    const other_context planned(t, 2);
    const auto step = [&](mim_context* ctx) {
        t.ok(mim_linear_forward(ctx, y, pre, x, w, bias, &with_gelu));
        t.ok(mim_linear_backward(ctx, dx, dw, dbias, dy, x, w, pre, &with_gelu));
    };
    const auto info = [&](mim_context* ctx) {
        mim_context_info now = {sizeof now};
        t.ok(mim_context_get_info(ctx, &now));
        return now;
    };

    t.ok(mim_context_set_planning(planned.ctx, 1));
    step(planned.ctx);
    const int64_t counted = info(planned.ctx).scratch_peak;
    EXPECT_GE(counted, 40 * 32 * int64_t(sizeof(float)));  // dpre at least
    EXPECT_EQ(info(planned.ctx).scratch_bytes, 0);
    for (const tensor& untouched : {y, pre, dx, dw, dbias})
        for (const double v : untouched.values()) t.exact("untouched", v, 5);

    t.ok(mim_context_set_planning(planned.ctx, 0));
    t.ok(mim_context_reserve_scratch(planned.ctx, counted));
    step(planned.ctx);
    EXPECT_EQ(info(planned.ctx).scratch_peak, counted);
    EXPECT_EQ(info(planned.ctx).scratch_bytes, counted);
    EXPECT_NE(y.at(0), 5);
}
OP_CASES(linear_planning, {});

OP_TEST(linear_errors) {
    tensor x = t.random({4, 8}), w = t.random({6, 8}), y = t.filled({4, 6}, NAN),
           bias = t.random_f32({6});
    tensor pre = t.random({4, 6}), dw = t.filled_f32({6, 8}, 0), dy = t.random({4, 6});
    tensor narrow = t.random({6, 7}), wide = t.random({4, 9}), bias5 = t.random_f32({5});
    const auto forward = [&](const mim_view* py, const mim_view* ppre, const mim_view* px,
                             const mim_view* pw, const mim_view* pb,
                             const mim_linear_params* params) {
        return mim_linear_forward(t.ctx(), py, ppre, px, pw, pb, params);
    };
    const mim_status bad = MIM_ERROR_INVALID_ARGUMENT;
    t.fails(forward(nullptr, nullptr, x, w, bias, &plain), bad,
            {"mim_linear_forward", "y is null"});
    t.fails(forward(y, nullptr, x, w, bias, nullptr), bad, {"params is null"});
    t.fails(forward(y, nullptr, x, narrow, bias, &plain), bad, {"x has shape", "(4, 8)", "(4, 7)"});
    t.fails(forward(wide, nullptr, x, w, bias, &plain), bad, {"y has shape", "(4, 9)", "(4, 6)"});
    t.fails(forward(y, nullptr, x, w, bias5, &plain), bad, {"bias", "(5)", "(6)"});
    t.fails(forward(y, pre, x, w, bias, &plain), bad, {"pre is given", "MIM_ACTIVATION_NONE"});
    const mim_linear_params unknown = {sizeof unknown, 9};
    t.fails(forward(y, nullptr, x, w, bias, &unknown), bad, {"params.activation is 9"});
    tensor square = t.random({8, 8});
    t.fails(forward(y, nullptr, x, square.permuted({1, 0}), bias, &plain), bad, {"w is not dense"});
    t.fails(forward(y, nullptr, square.permuted({1, 0}), square, bias, &plain), bad,
            {"x has stride 8", "last axis"});
    mim_view overlapping = *x.view();
    overlapping.stride[0] = 3;
    t.fails(forward(y, nullptr, &overlapping, w, bias, &plain), bad,
            {"x has row stride 3", "8 columns"});
    tensor half = t.with_values({4, 8}, std::vector<double>(32, 1.0), MIM_BF16);
    t.fails(forward(y, nullptr, half, w, bias, &plain), bad, {"x is bf16", "f32"});
    t.fails(mim_linear_backward(t.ctx(), nullptr, dw, nullptr, dy, x, w, nullptr, &with_gelu), bad,
            {"mim_linear_backward", "pre is null"});
    t.fails(mim_linear_backward(t.ctx(), nullptr, half, nullptr, dy, x, w, nullptr, &plain), bad,
            {"mim_linear_backward", "dw"});
    t.fails(mim_linear_backward(t.ctx(), half, nullptr, nullptr, dy, x, w, nullptr, &plain), bad,
            {"dx is bf16"});
}
OP_CASES(linear_errors, {});
