// BatchNorm against its formula in double, with the batch's statistics and with the running ones.
#include "thread_count.h"

using mim::test::harness;
using mim::test::without_memory;

namespace {

mim_batch_norm_params with(bool training, double eps = 1e-6, double momentum = 0.1) {
    return {sizeof(mim_batch_norm_params), training, float(eps), float(momentum)};
}

struct batch {
    tensor x, dy, gamma, beta;
};

batch random_batch(harness& t, int64_t rows, int64_t cols) {
    return {t.random({rows, cols}), t.random({rows, cols}), t.random_f32({cols}),
            t.random_f32({cols})};
}

struct reference {
    std::vector<double> y, mean, rstd, running_mean, running_var, dx, dgamma, dbeta;
};

// Gradients of parameters start at 1, running statistics at `mean` and `var`.
reference batch_norm(const batch& of, bool affine, const mim_batch_norm_params& params,
                     const std::vector<double>& mean, const std::vector<double>& var) {
    const int64_t rows = of.x.shape()[0], cols = of.x.shape()[1];
    const double n = double(rows);
    reference want;
    want.y.resize(size_t(rows * cols));
    want.dx.resize(size_t(rows * cols));
    for (int64_t c = 0; c < cols; ++c) {
        double m = mean[size_t(c)], v = var[size_t(c)];
        if (params.training) {
            m = v = 0;
            for (int64_t r = 0; r < rows; ++r) m += of.x(r, c) / n;
            for (int64_t r = 0; r < rows; ++r) v += (of.x(r, c) - m) * (of.x(r, c) - m) / n;
            const double moved = params.momentum;
            want.running_mean.push_back((1 - moved) * mean[size_t(c)] + moved * m);
            want.running_var.push_back((1 - moved) * var[size_t(c)] + moved * v * n / (n - 1));
        }
        const double rstd = 1 / std::sqrt(v + double(params.eps)), scale = affine ? of.gamma(c) : 1;
        double sum = 0, product = 0;
        for (int64_t r = 0; r < rows; ++r) {
            const double hat = (of.x(r, c) - m) * rstd;
            want.y[size_t(r * cols + c)] = hat * scale + (affine ? of.beta(c) : 0);
            sum += of.dy(r, c);
            product += of.dy(r, c) * hat;
        }
        for (int64_t r = 0; r < rows; ++r) {
            const double hat = (of.x(r, c) - m) * rstd;
            const double through = params.training ? sum / n + hat * product / n : 0;
            want.dx[size_t(r * cols + c)] = scale * rstd * (of.dy(r, c) - through);
        }
        want.mean.push_back(m);
        want.rstd.push_back(rstd);
        want.dgamma.push_back(1 + product);
        want.dbeta.push_back(1 + sum);
    }
    return want;
}

// All results of both directions.
struct results {
    tensor y, mean, rstd, running_mean, running_var, dx, dgamma, dbeta;

    results(harness& t, int64_t rows, int64_t cols)
        : y(t.filled({rows, cols}, NAN)),
          mean(t.filled_f32({cols}, NAN)),
          rstd(t.filled_f32({cols}, NAN)),
          running_mean(t.random_f32({cols})),
          running_var(t.random_f32({cols})),
          dx(t.filled({rows, cols}, NAN)),
          dgamma(t.filled_f32({cols}, 1)),
          dbeta(t.filled_f32({cols}, 1)) {
        for (int64_t c = 0; c < cols; ++c) running_var.set(c, 0.5 + std::fabs(running_var.at(c)));
    }
};

void run(harness& t, mim_context* ctx, results& to, batch& of, bool affine,
         const mim_batch_norm_params& params) {
    const mim_view* gamma = affine ? of.gamma.view() : nullptr;
    t.ok(mim_batch_norm_forward(ctx, to.y, to.mean, to.rstd, to.running_mean, to.running_var, of.x,
                                gamma, affine ? of.beta.view() : nullptr, &params));
    t.ok(mim_batch_norm_backward(ctx, to.dx, to.dgamma, to.dbeta, of.dy, of.x, to.mean, to.rstd,
                                 gamma, &params));
}

void compare(harness& t, const results& got, const reference& want, bool training) {
    t.near("y", got.y, want.y);
    t.near("mean", got.mean, want.mean);
    t.near("rstd", got.rstd, want.rstd);
    if (training) {
        t.near("running_mean", got.running_mean, want.running_mean);
        t.near("running_var", got.running_var, want.running_var);
    }
    t.near("dx", got.dx, want.dx);
    t.near("dgamma", got.dgamma, want.dgamma);
    t.near("dbeta", got.dbeta, want.dbeta);
}

}  // namespace

OP_TEST(batch_norm, int64_t rows, int64_t cols, int64_t affine, int64_t training) {
    // of few rows little is left once both averages are taken off; a larger eps leaves more
    const mim_batch_norm_params params = with(training != 0, rows < 5 ? 0.5 : 1e-6);
    batch of = random_batch(t, rows, cols);
    results got(t, rows, cols);
    const std::vector<double> mean = got.running_mean.values(), var = got.running_var.values();
    run(t, t.ctx(), got, of, affine != 0, params);
    compare(t, got, batch_norm(of, affine != 0, params, mean, var), training != 0);
    if (!training) {
        EXPECT_EQ(mean, got.running_mean.values());
        EXPECT_EQ(var, got.running_var.values());
    }

    // without what is not wanted; dx in the memory of dy, y in that of x
    const mim_view* gamma = affine ? of.gamma.view() : nullptr;
    const auto backward = [&](const mim_view* dx, const mim_view* dgamma, const mim_view* dbeta) {
        t.ok(mim_batch_norm_backward(t.ctx(), dx, dgamma, dbeta, of.dy, of.x, got.mean, got.rstd,
                                     gamma, &params));
    };
    tensor dgamma = t.filled_f32({cols}, 1), dbeta = t.filled_f32({cols}, 1);
    backward(nullptr, dgamma, nullptr);
    backward(nullptr, nullptr, dbeta);
    EXPECT_EQ(got.dgamma.values(), dgamma.values());
    EXPECT_EQ(got.dbeta.values(), dbeta.values());
    backward(of.dy, nullptr, nullptr);
    EXPECT_EQ(got.dx.values(), of.dy.values());
    if (training) {
        t.ok(mim_batch_norm_forward(t.ctx(), of.x, got.mean, got.rstd, nullptr, nullptr, of.x,
                                    gamma, affine ? of.beta.view() : nullptr, &params));
        EXPECT_EQ(got.y.values(), of.x.values());
    }
}
// The smallest; columns that fill no vector, one exactly, one and a bit; rows that fill a stretch of
// sums, or a band of a GPU, and go beyond it; a probe's features.
OP_CASES(batch_norm, {2, 1, 0, 1}, {1, 3, 1, 0}, {9, 5, 0, 1}, {9, 5, 0, 0}, {9, 5, 1, 1},
         {7, 16, 1, 1}, {7, 17, 1, 0}, {64, 33, 0, 1}, {65, 48, 1, 1}, {301, 7, 1, 1},
         {1030, 4, 0, 1}, {128, 768, 0, 1}, {37, 260, 1, 1});
OP_CASES_BF16(batch_norm, {9, 5, 0, 1}, {9, 5, 1, 0}, {65, 48, 1, 1}, {301, 8, 1, 1},
              {64, 768, 0, 1});

// Through the statistics of the batch as well, where those are taken.
OP_TEST(batch_norm_finite_differences, int64_t training) {
    const mim_batch_norm_params params = with(training != 0, 1e-3);
    batch of = random_batch(t, 11, 6);
    results got(t, 11, 6);
    tensor mean = t.filled_f32({6}, 0.25), var = t.filled_f32({6}, 1.5);
    const auto forward = [&] {
        t.ok(mim_batch_norm_forward(
            t.ctx(), got.y, got.mean, got.rstd, training ? nullptr : mean.view(),
            training ? nullptr : var.view(), of.x, of.gamma, of.beta, &params));
        return dot(got.y, of.dy);
    };
    forward();
    tensor dgamma = t.filled_f32({6}, 0), dbeta = t.filled_f32({6}, 0);
    t.ok(mim_batch_norm_backward(t.ctx(), got.dx, dgamma, dbeta, of.dy, of.x, got.mean, got.rstd,
                                 of.gamma, &params));
    t.directional_derivative("dx", of.x, got.dx.values(), forward, 3e-3);
    t.directional_derivative("dgamma", of.gamma, dgamma.values(), forward);
    t.directional_derivative("dbeta", of.beta, dbeta.values(), forward);
}
OP_CASES(batch_norm_finite_differences, {0}, {1});

// Columns far from zero for their spread, where the mean as a float is wrong by 1e-4 deviations; and
// a first row, by which values are first centred, that lies far from all others.
OP_TEST(batch_norm_offset, int64_t rows, int64_t outlier) {
    batch of = random_batch(t, rows, 21);
    for (int64_t i = 0; i < of.x.size(); ++i) {
        const double far = outlier ? (i < 21 ? 1e3 : 0) + of.x.at(i) : 10 + 0.01 * of.x.at(i);
        of.x.set(i, far);
    }
    results got(t, rows, 21);
    const std::vector<double> mean = got.running_mean.values(), var = got.running_var.values();
    const mim_batch_norm_params params = with(true);
    run(t, t.ctx(), got, of, true, params);
    compare(t, got, batch_norm(of, true, params, mean, var), true);
}
OP_CASES(batch_norm_offset, {33, 0}, {1500, 0}, {33, 1}, {1500, 1});

// A column of one value has no direction: y is beta, and nothing becomes infinite.
OP_TEST(batch_norm_constant_column) {
    batch of = random_batch(t, 70, 3);
    for (int64_t i = 0; i < of.x.size(); ++i) of.x.set(i, 1.2345678);
    results got(t, 70, 3);
    const mim_batch_norm_params params = with(true);
    run(t, t.ctx(), got, of, true, params);
    for (int64_t i = 0; i < 210; ++i) {
        t.exact("y", got.y.at(i), of.beta.at(i % 3));
        EXPECT_TRUE(std::isfinite(got.dx.at(i)));
    }
    for (int64_t c = 0; c < 3; ++c) t.near("rstd", got.rstd.at(c), 1000);
}
OP_CASES(batch_norm_constant_column, {});

// The running statistics over several batches, as fast as momentum says: not at all, and at once.
OP_TEST(batch_norm_momentum) {
    batch of = random_batch(t, 12, 4);
    for (const double momentum : {0.0, 0.3, 1.0}) {
        results got(t, 12, 4);
        const mim_batch_norm_params params = with(true, 1e-6, momentum);
        std::vector<double> mean = got.running_mean.values(), var = got.running_var.values();
        for (int step = 0; step < 3; ++step) {
            const reference want = batch_norm(of, false, params, mean, var);
            run(t, t.ctx(), got, of, false, params);
            mean = want.running_mean, var = want.running_var;
        }
        t.near("running_mean", got.running_mean, mean);
        t.near("running_var", got.running_var, var);
    }
}
OP_CASES(batch_norm_momentum, {});

OP_TEST(batch_norm_same_bits_for_any_thread_count, int64_t training) {
    batch of = random_batch(t, 150, 83);
    const results start(t, 150, 83);
    mim::test::same_bits_for_any_thread_count(t, [&](mim_context* ctx) {
        results got(t, 150, 83);
        for (int64_t c = 0; c < 83; ++c) {
            got.running_mean.set(c, start.running_mean.at(c));
            got.running_var.set(c, start.running_var.at(c));
        }
        run(t, ctx, got, of, true, with(training != 0));
        return mim::test::joined({got.y, got.mean, got.rstd, got.running_mean, got.running_var,
                                  got.dx, got.dgamma, got.dbeta});
    });
}
OP_CASES(batch_norm_same_bits_for_any_thread_count, {0}, {1});

OP_TEST(batch_norm_errors) {
    batch of = random_batch(t, 4, 3);
    results to(t, 4, 3);
    tensor wide = t.random({4, 6}), four = t.filled_f32({4}, 1), one = t.random({1, 3}),
           half = t.with_values({4, 3}, std::vector<double>(12, 0), MIM_BF16);
    const auto refused = [&](mim_status status, std::initializer_list<std::string> words) {
        t.fails(status, MIM_ERROR_INVALID_ARGUMENT, words);
    };
    struct arguments {
        const mim_view *y, *mean, *rstd, *running_mean, *running_var, *x, *gamma, *beta;
        mim_batch_norm_params params;
    };
    const arguments good = {to.y, to.mean,  to.rstd, to.running_mean, to.running_var,
                            of.x, of.gamma, of.beta, with(true)};
    const auto forward = [&](auto change) {
        arguments a = good;
        change(a);
        return mim_batch_norm_forward(t.ctx(), a.y, a.mean, a.rstd, a.running_mean, a.running_var,
                                      a.x, a.gamma, a.beta, &a.params);
    };
    t.ok(forward([](arguments&) {}));
    refused(forward([](arguments& a) { a.y = nullptr; }), {"mim_batch_norm_forward", "y is null"});
    refused(forward([](arguments& a) { a.mean = nullptr; }), {"mean is null"});
    refused(forward([](arguments& a) { a.rstd = nullptr; }), {"rstd is null"});
    refused(forward([](arguments& a) { a.x = nullptr; }), {"x is null"});
    refused(forward([&](arguments& a) { a.y = wide; }), {"y has shape (4, 6), expected (4, 3)"});
    refused(forward([&](arguments& a) { a.y = half; }), {"y", "bf16", "f32"});
    refused(forward([&](arguments& a) { a.x = wide.slice(1, 0, 3); }), {"x", "not dense"});
    refused(forward([&](arguments& a) { a.x = a.y = one; }),
            {"x has 1 row, expected at least 2 in training"});
    refused(forward([&](arguments& a) { a.mean = four; }), {"mean has shape (4), expected (3)"});
    refused(forward([&](arguments& a) { a.rstd = four; }), {"rstd has shape (4), expected (3)"});
    refused(forward([&](arguments& a) { a.gamma = four; }), {"gamma has shape (4), expected (3)"});
    refused(forward([&](arguments& a) { a.beta = four; }), {"beta has shape (4), expected (3)"});
    refused(forward([&](arguments& a) { a.running_mean = four; }),
            {"running_mean has shape (4), expected (3)"});
    refused(forward([&](arguments& a) { a.running_var = four; }),
            {"running_var has shape (4), expected (3)"});
    refused(forward([](arguments& a) { a.running_var = nullptr; }),
            {"running_mean and running_var must be given together or not at all"});
    refused(forward([](arguments& a) {
                a.running_mean = a.running_var = nullptr;
                a.params.training = 0;
            }),
            {"running_mean and running_var are null, expected them where params.training is 0"});
    refused(forward([](arguments& a) { a.params.training = 2; }),
            {"params.training is 2, expected 0 or 1"});
    for (const float bad : {0.0f, -1.0f, NAN})
        refused(forward([&](arguments& a) { a.params.eps = bad; }),
                {"params.eps is", "expected above 0"});
    for (const float bad : {-0.1f, 1.1f, NAN})
        refused(forward([&](arguments& a) { a.params.momentum = bad; }),
                {"params.momentum is", "expected 0 to 1"});
    refused(forward([](arguments& a) { a.params.size = 4; }), {"params.size is 4"});

    const mim_batch_norm_params params = with(true);
    const auto backward = [&](const mim_view* dx, const mim_view* dgamma, const mim_view* dbeta,
                              const mim_view* dy, const mim_view* gamma) {
        return mim_batch_norm_backward(t.ctx(), dx, dgamma, dbeta, dy, of.x, to.mean, to.rstd,
                                       gamma, &params);
    };
    refused(backward(nullptr, nullptr, nullptr, of.dy, of.gamma),
            {"mim_batch_norm_backward",
             "dx, dgamma and dbeta are null, expected at least one of them"});
    refused(backward(to.dx, nullptr, nullptr, nullptr, of.gamma), {"dy is null"});
    refused(backward(to.dx, nullptr, nullptr, wide, of.gamma),
            {"dy has shape (4, 6), expected (4, 3)"});
    refused(backward(wide, nullptr, nullptr, of.dy, of.gamma), {"dx has shape (4, 6)"});
    refused(backward(to.dx, four, nullptr, of.dy, of.gamma), {"dgamma has shape (4)"});
    refused(backward(to.dx, nullptr, four, of.dy, of.gamma), {"dbeta has shape (4)"});
    refused(backward(to.dx, nullptr, nullptr, of.dy, four), {"gamma has shape (4)"});
    refused(mim_batch_norm_backward(t.ctx(), to.dx, nullptr, nullptr, of.dy, of.x, to.mean, to.rstd,
                                    nullptr, nullptr),
            {"params is null"});
}
OP_CASES(batch_norm_errors, {});

OP_TEST(batch_norm_planning) {
    batch of = random_batch(t, 40, 3);
    results to(t, 40, 3);
    const mim_batch_norm_params params = with(true);
    const mim_view x = without_memory(of.x), dy = without_memory(of.dy);
    const mim_view *y = to.y, *mean = to.mean, *rstd = to.rstd, *dx = to.dx;
    to.y = t.filled({40, 3}, 7);
    y = to.y;
    mim_context_info info = {};
    info.size = sizeof info;
    const auto peak = [&] {
        t.ok(mim_context_get_info(t.ctx(), &info));
        return info.scratch_peak;
    };
    t.ok(mim_context_set_planning(t.ctx(), 1));
    t.ok(mim_batch_norm_forward(t.ctx(), y, mean, rstd, nullptr, nullptr, &x, nullptr, nullptr,
                                &params));
    t.ok(mim_batch_norm_backward(t.ctx(), dx, nullptr, nullptr, &dy, &x, mean, rstd, nullptr,
                                 &params));
    t.ok(mim_context_set_planning(t.ctx(), 0));
    const int64_t planned = peak();
    EXPECT_GT(planned, 0);
    for (int64_t i = 0; i < to.y.size(); ++i) t.exact("y while planning", to.y.at(i), 7);
    run(t, t.ctx(), to, of, true, params);
    EXPECT_EQ(planned, peak());
}
OP_CASES(batch_norm_planning, {});
