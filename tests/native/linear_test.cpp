// Linear against the formulas in double.
#include "matrix_test.h"

OP_TEST(linear, int64_t rows, int64_t inputs, int64_t outputs) {
    strided x = random_strided(t, rows, inputs), dy = random_strided(t, rows, outputs);
    strided y = empty_strided(t, rows, outputs), dx = empty_strided(t, rows, inputs);
    tensor w = t.random({outputs, inputs}, 1 / std::sqrt(double(inputs))),
           bias = t.random_f32({outputs});
    tensor dw = t.filled_f32({outputs, inputs}, 1),
           dbias = t.filled_f32({outputs}, 1);  // backward must add

    t.ok(mim_linear_forward(t.ctx(), y.view(), x.view(), w, bias));
    t.ok(mim_linear_backward(t.ctx(), dx.view(), dw, dbias, dy.view(), x.view(), w));

    const std::vector<double> px = x.values(), pw = w.values();
    const auto x_at = [&](int64_t r, int64_t k) { return px[size_t(r * inputs + k)]; };
    const auto w_at = [&](int64_t n, int64_t k) { return pw[size_t(n * inputs + k)]; };
    std::vector<double> want_y =
        product(rows, outputs, inputs, x_at, [&](int64_t k, int64_t n) { return w_at(n, k); });
    std::vector<double> want_dbias(size_t(outputs), 1.0);
    for (int64_t r = 0; r < rows; ++r)
        for (int64_t n = 0; n < outputs; ++n) {
            const size_t i = size_t(r * outputs + n);
            want_y[i] += bias(n);
            t.near("y", y(r, n), want_y[i]);
            want_dbias[size_t(n)] += dy(r, n);
        }
    const std::vector<double> want_dx = product(rows, inputs, outputs, dy, w_at);
    std::vector<double> want_dw = product(
        outputs, inputs, rows, [&](int64_t n, int64_t r) { return dy(r, n); }, x_at);
    for (double& v : want_dw) v += 1;
    for (int64_t r = 0; r < rows; ++r)
        for (int64_t k = 0; k < inputs; ++k)
            t.near("dx", dx(r, k), want_dx[size_t(r * inputs + k)]);
    t.near("dw", dw, want_dw);
    t.near("dbias", dbias, want_dbias);
    y.margin_is_nan();
    dx.margin_is_nan();

    // once more: the parameters' gradients grow, and y is the same
    t.ok(mim_linear_backward(t.ctx(), nullptr, dw, dbias, dy.view(), x.view(), w));
    for (int64_t i = 0; i < dw.size(); ++i)
        t.near("dw twice", dw.at(i), 2 * want_dw[size_t(i)] - 1);
    for (int64_t n = 0; n < outputs; ++n)
        t.near("dbias twice", dbias(n), 2 * want_dbias[size_t(n)] - 1);
    const std::vector<double> before = y.values();
    t.ok(mim_linear_forward(t.ctx(), y.view(), x.view(), w, bias));
    EXPECT_EQ(before, y.values());
    t.ok(mim_linear_forward(t.ctx(), y.view(), x.view(), w, nullptr));
    for (int64_t r = 0; r < rows; ++r)
        for (int64_t n = 0; n < outputs; ++n) {
            const double bare = want_y[size_t(r * outputs + n)] - bias(n);
            t.near("y without bias", y(r, n), bare);
        }
}
OP_CASES(linear, {1, 1, 1}, {3, 7, 5}, {98, 192, 384}, {197, 384, 96}, {66, 1100, 130});
OP_CASES_LARGE(linear, {70, 800, 2050});
OP_CASES_BF16(linear, {1, 1, 1}, {3, 7, 5}, {98, 192, 384}, {197, 384, 96});
// An extent of 1, where a stride says nothing; and extents of 2, the smallest with strides.
OP_TEST(linear_thin, int64_t rows, int64_t inputs, int64_t outputs) {
    linear_body(t, rows, inputs, outputs);
}
OP_CASES(linear_thin, {1, 64, 33}, {50, 300, 1}, {50, 1, 40}, {1, 1, 37}, {1, 37, 1}, {37, 1, 1},
         {2, 2, 2});
OP_CASES_BF16(linear_thin, {1, 64, 33}, {50, 300, 1}, {50, 1, 40}, {2, 2, 2});

OP_TEST(linear_derivative, int64_t rows, int64_t inputs, int64_t outputs) {
    tensor x = t.random({rows, inputs}), dy = t.random({rows, outputs}),
           bias = t.random_f32({outputs});
    tensor w = t.random({outputs, inputs}, 1 / std::sqrt(double(inputs)));
    tensor y = t.filled({rows, outputs}, NAN), dx = t.filled({rows, inputs}, NAN);
    tensor dw = t.filled_f32({outputs, inputs}, 0), dbias = t.filled_f32({outputs}, 0);
    t.ok(mim_linear_forward(t.ctx(), y, x, w, bias));
    t.ok(mim_linear_backward(t.ctx(), dx, dw, dbias, dy, x, w));
    const auto loss = [&] {
        t.ok(mim_linear_forward(t.ctx(), y, x, w, bias));
        return dot(y, dy);
    };
    t.directional_derivative("dx", x, dx.values(), loss);
    t.directional_derivative("dw", w, dw.values(), loss);
    t.directional_derivative("dbias", bias, dbias.values(), loss);
}
OP_CASES(linear_derivative, {3, 7, 5}, {65, 48, 96});

// Every choice of wanted gradients gives the bits of the call that wants them all, and so does a
// second context.
OP_TEST(linear_wanted, int64_t rows, int64_t inputs, int64_t outputs) {
    tensor x = t.random({rows, inputs}), w = t.random({outputs, inputs}),
           dy = t.random({rows, outputs});
    tensor all_dx = t.filled({rows, inputs}, NAN), all_dw = t.filled_f32({outputs, inputs}, 1);
    tensor all_dbias = t.filled_f32({outputs}, 1);
    t.ok(mim_linear_backward(t.ctx(), all_dx, all_dw, all_dbias, dy, x, w));
    const other_context again(t, 2);
    for (int wanted = 0; wanted < 8; ++wanted) {
        tensor dx = t.filled({rows, inputs}, 7), dw = t.filled_f32({outputs, inputs}, 1);
        tensor dbias = t.filled_f32({outputs}, 1);
        t.ok(mim_linear_backward(again.ctx, wanted & 1 ? dx.view() : nullptr,
                                 wanted & 2 ? dw.view() : nullptr,
                                 wanted & 4 ? dbias.view() : nullptr, dy, x, w));
        EXPECT_EQ(dx.values(),
                  wanted & 1 ? all_dx.values() : std::vector<double>(size_t(rows * inputs), 7.0));
        EXPECT_EQ(dw.values(), wanted & 2 ? all_dw.values()
                                          : std::vector<double>(size_t(outputs * inputs), 1.0));
        EXPECT_EQ(dbias.values(),
                  wanted & 4 ? all_dbias.values() : std::vector<double>(size_t(outputs), 1.0));
    }
}
OP_CASES(linear_wanted, {3, 7, 5}, {197, 96, 128});
OP_CASES_BF16(linear_wanted, {65, 48, 33});

// Biases of two thirds of a packed qkv (SimMIM's q_bias and v_bias): a bias gradient alone, from
// columns in the middle of wider rows.
OP_TEST(linear_bias_alone, int64_t rows, int64_t outputs) {
    tensor dqkv = t.random({rows, 3 * outputs}), x = t.random({rows, 5}),
           w = t.random({outputs, 5});
    const std::vector<double> before = dqkv.values();
    for (int64_t third = 0; third < 3; ++third) {
        tensor dbias = t.filled_f32({outputs}, 1);
        const mim_view* dy = dqkv.slice(1, third * outputs, (third + 1) * outputs);
        t.ok(mim_linear_backward(t.ctx(), nullptr, nullptr, dbias, dy, x, w));
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
    tensor y = t.filled({rows, outputs}, NAN), bias = t.random_f32({outputs});
    std::vector<double> first_y, first_dx, first_dw, first_dbias;
    for (const int32_t threads : {1, 2, 1, 2, 5}) {
        const other_context context(t, threads);
        tensor dx = t.filled({rows, inputs}, NAN), dw = t.filled_f32({outputs, inputs}, 0);
        tensor dbias = t.filled_f32({outputs}, 0);
        std::vector<double> dx_before;
        for (int run = 0; run < 2; ++run) {
            tensor dw_now = t.filled_f32({outputs, inputs}, 0),
                   dbias_now = t.filled_f32({outputs}, 0);
            t.ok(mim_linear_forward(context.ctx, y, x, w, bias));
            t.ok(mim_linear_backward(context.ctx, dx, dw_now, dbias_now, dy, x, w));
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
OP_CASES_ON(MIM_CPU, linear_threads, {3, 7, 5}, {197, 192, 96}, {800, 48, 64}, {400, 1536, 384});

// A planned call counts its scratch and leaves every view alone; the same call then needs no more
// than was counted.
OP_TEST(linear_planning) {
    tensor x = t.random({40, 24}), w = t.random({32, 24}), dy = t.random({40, 32}),
           bias = t.random_f32({32});
    tensor y = t.filled({40, 32}, 5), dx = t.filled({40, 24}, 5);
    tensor dw = t.filled_f32({32, 24}, 5), dbias = t.filled_f32({32}, 5);
    for (tensor* written : {&y, &dx, &dw, &dbias})
        written->view();  // planning would not put them on the device
    for (tensor* read : {&x, &w, &dy, &bias}) read->view();
    const other_context planned(t, 2);
    const auto step = [&](mim_context* ctx) {
        t.ok(mim_linear_forward(ctx, y, x, w, bias));
        t.ok(mim_linear_backward(ctx, dx, dw, dbias, dy, x, w));
    };
    const auto info = [&](mim_context* ctx) {
        mim_context_info now = {sizeof now};
        t.ok(mim_context_get_info(ctx, &now));
        return now;
    };

    t.ok(mim_context_set_planning(planned.ctx, 1));
    step(planned.ctx);
    const int64_t counted = info(planned.ctx).scratch_peak;
    EXPECT_GE(counted, 2 * 32 * int64_t(sizeof(float)));  // each thread's sums of dy at least
    EXPECT_EQ(info(planned.ctx).scratch_bytes, 0);
    for (const tensor& untouched : {y, dx, dw, dbias})
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
    tensor dw = t.filled_f32({6, 8}, 0), dy = t.random({4, 6});
    tensor narrow = t.random({6, 7}), wide = t.random({4, 9}), bias5 = t.random_f32({5});
    const auto forward = [&](const mim_view* py, const mim_view* px, const mim_view* pw,
                             const mim_view* pb) {
        return mim_linear_forward(t.ctx(), py, px, pw, pb);
    };
    const mim_status bad = MIM_ERROR_INVALID_ARGUMENT;
    t.fails(forward(nullptr, x, w, bias), bad, {"mim_linear_forward", "y is null"});
    t.fails(forward(y, x, narrow, bias), bad, {"x has shape", "(4, 8)", "(4, 7)"});
    t.fails(forward(wide, x, w, bias), bad, {"y has shape", "(4, 9)", "(4, 6)"});
    t.fails(forward(y, x, w, bias5), bad, {"bias", "(5)", "(6)"});
    tensor square = t.random({8, 8});
    t.fails(forward(y, x, square.permuted({1, 0}), bias), bad, {"w is not dense"});
    t.fails(forward(y, square.permuted({1, 0}), square, bias), bad,
            {"x has stride 8", "last axis"});
    mim_view overlapping = *x.view();
    overlapping.stride[0] = 3;
    t.fails(forward(y, &overlapping, w, bias), bad, {"x has row stride 3", "8 columns"});
    tensor half = t.with_values({4, 8}, std::vector<double>(32, 1.0), MIM_BF16);
    t.fails(forward(y, half, w, bias), bad, {"x is bf16", "f32"});
    t.fails(mim_linear_backward(t.ctx(), nullptr, half, nullptr, dy, x, w), bad,
            {"mim_linear_backward", "dw"});
    t.fails(mim_linear_backward(t.ctx(), half, nullptr, nullptr, dy, x, w), bad, {"dx is bf16"});
}
OP_CASES(linear_errors, {});
