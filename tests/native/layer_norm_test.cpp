// LayerNorm with the residual addition, against the formula in double.
#include "op_test.h"

namespace {

constexpr double eps = 1e-6;
const mim_layer_norm_params params = {sizeof params, float(eps)};

struct reference {
    std::vector<double> sum, y, mean, rstd, dx, dgamma, dbeta;
};

reference layer_norm(int64_t rows, int64_t cols, const std::vector<double>& sum,
                     const tensor& gamma, const tensor& beta, const tensor& dy,
                     const std::vector<double>& dsum) {
    reference r{sum,
                std::vector<double>(sum.size()),
                {},
                {},
                std::vector<double>(sum.size()),
                std::vector<double>(size_t(cols), 1.0),
                std::vector<double>(size_t(cols), 1.0)};
    for (int64_t i = 0; i < rows; ++i) {
        const double* s = &sum[size_t(i * cols)];
        double mean = 0, variance = 0, a = 0, b = 0;
        for (int64_t c = 0; c < cols; ++c) mean += s[c] / double(cols);
        for (int64_t c = 0; c < cols; ++c) variance += (s[c] - mean) * (s[c] - mean) / double(cols);
        const double rstd = 1 / std::sqrt(variance + eps);
        for (int64_t c = 0; c < cols; ++c) {
            const double hat = (s[c] - mean) * rstd, g = dy(i, c) * gamma(c);
            r.y[size_t(i * cols + c)] = hat * gamma(c) + beta(c);
            r.dgamma[size_t(c)] += dy(i, c) * hat;
            r.dbeta[size_t(c)] += dy(i, c);
            a += g / double(cols);
            b += g * hat / double(cols);
        }
        for (int64_t c = 0; c < cols; ++c) {
            const double hat = (s[c] - mean) * rstd;
            r.dx[size_t(i * cols + c)] =
                dsum[size_t(i * cols + c)] + rstd * (dy(i, c) * gamma(c) - a - hat * b);
        }
        r.mean.push_back(mean);
        r.rstd.push_back(rstd);
    }
    return r;
}

}  // namespace

OP_TEST(layer_norm, int64_t rows, int64_t cols, int64_t residual) {
    tensor x = t.random({rows, cols}), branch = t.random({rows, cols}), dy = t.random({rows, cols});
    tensor gamma = t.random_f32({cols}), beta = t.random_f32({cols}), dsum = t.random({rows, cols});
    tensor y = t.filled({rows, cols}, NAN), sum = t.filled({rows, cols}, NAN),
           dx = t.filled({rows, cols}, NAN);
    tensor mean = t.filled_f32({rows}, NAN), rstd = t.filled_f32({rows}, NAN);
    tensor dgamma = t.filled_f32({cols}, 1), dbeta = t.filled_f32({cols}, 1);  // backward must add

    t.ok(mim_layer_norm_forward(t.ctx(), y, residual ? sum.view() : nullptr, mean, rstd, x,
                                residual ? branch.view() : nullptr, gamma, beta, &params));
    if (residual)
        for (int64_t i = 0; i < rows * cols; ++i) t.near("sum", sum.at(i), x.at(i) + branch.at(i));
    tensor saved = residual ? sum : x;
    t.ok(mim_layer_norm_backward(t.ctx(), dx, dgamma, dbeta, dy, residual ? dsum.view() : nullptr,
                                 saved, mean, rstd, gamma));

    const std::vector<double> zero(size_t(rows * cols), 0.0);
    const reference want =
        layer_norm(rows, cols, saved.values(), gamma, beta, dy, residual ? dsum.values() : zero);
    t.near("y", y, want.y);
    tensor again = t.filled({rows, cols}, NAN);
    t.ok(mim_layer_norm_again(t.ctx(), again, saved, mean, rstd, gamma, beta));
    t.near("y again", again, want.y);
    t.near("dx", dx, want.dx);
    t.near("dgamma", dgamma, want.dgamma);
    t.near("dbeta", dbeta, want.dbeta);
    if (cols == 1) t.tolerance("rstd", 1e-3);
    // A mean near 0 is a difference of larger numbers, so its error is measured against those.
    for (int64_t r = 0; r < rows; ++r) {
        double squares = 0;
        for (int64_t c = 0; c < cols; ++c) squares += saved(r, c) * saved(r, c) / double(cols);
        t.near("mean", 1 + (mean(r) - want.mean[size_t(r)]) / std::sqrt(squares), 1);
    }
    t.tolerance("mean", 5e-7);
    t.near("rstd", rstd, want.rstd);

    if (t.dtype() != MIM_F32 || cols < 3) return;  // a finite difference needs the resolution
    const auto loss = [&] {
        t.ok(mim_layer_norm_forward(t.ctx(), y, nullptr, mean, rstd, saved, nullptr, gamma, beta,
                                    &params));
        return dot(y, dy);
    };
    std::vector<double> dsaved = want.dx, dscale = want.dgamma;
    for (size_t i = 0; i < dsaved.size(); ++i)
        dsaved[i] = dx.at(int64_t(i)) - (residual ? dsum.at(int64_t(i)) : 0);
    for (size_t i = 0; i < dscale.size(); ++i) dscale[i] = dgamma.at(int64_t(i)) - 1;
    t.directional_derivative("dx", saved, dsaved, loss, 1e-3, 5e-3);
    t.directional_derivative("dgamma", gamma, dscale, loss);
}
// The second lines go around what the warps of a GPU hold in registers: rows that end inside a step
// of vectors, the widest row held, wider and odd ones.
OP_CASES(layer_norm, {1, 1, 0}, {3, 7, 0}, {3, 7, 1}, {65, 48, 1}, {197, 768, 1}, {5, 1280, 0},
         {37, 264, 1}, {9, 1024, 1}, {6, 2048, 1}, {5, 2052, 1}, {4, 1030, 0});
OP_CASES_BF16(layer_norm, {3, 7, 1}, {197, 768, 1},  //
              {21, 264, 1}, {33, 1024, 0}, {5, 1288, 1}, {65, 2048, 1}, {5, 3072, 1}, {4, 1030, 0});

// Rows far from zero for their spread: the mean in float is wrong by 1e-4 deviations, the results
// may not be.
OP_TEST(layer_norm_offset, int64_t rows, int64_t cols) {
    std::vector<double> far(size_t(rows * cols));
    for (double& v : far) v = 10 + 0.01 * t.normal();
    tensor x = t.with_values({rows, cols}, far, MIM_F32), dy = t.random({rows, cols});
    tensor gamma = t.random_f32({cols}), beta = t.random_f32({cols});
    tensor y = t.filled({rows, cols}, NAN), dx = t.filled({rows, cols}, NAN);
    tensor mean = t.filled_f32({rows}, NAN), rstd = t.filled_f32({rows}, NAN);
    tensor dgamma = t.filled_f32({cols}, 1), dbeta = t.filled_f32({cols}, 1);

    t.ok(mim_layer_norm_forward(t.ctx(), y, nullptr, mean, rstd, x, nullptr, gamma, beta, &params));
    t.ok(mim_layer_norm_backward(t.ctx(), dx, dgamma, dbeta, dy, nullptr, x, mean, rstd, gamma));
    const reference want =
        layer_norm(rows, cols, x.values(), gamma, beta, dy, std::vector<double>(far.size(), 0.0));
    t.near("y", y, want.y);
    t.near("dx", dx, want.dx);
    t.near("dgamma", dgamma, want.dgamma);
    t.near("dbeta", dbeta, want.dbeta);
    t.near("mean", mean, want.mean);
    t.near("rstd", rstd, want.rstd);
}
OP_CASES(layer_norm_offset, {3, 7}, {65, 48}, {197, 768});

// dx in the memory of dsum, and again with the same arguments: the same bits.
OP_TEST(layer_norm_repeat, int64_t rows, int64_t cols) {
    tensor x = t.random({rows, cols}), dy = t.random({rows, cols}), gamma = t.random_f32({cols});
    tensor y = t.filled({rows, cols}, NAN), dx = t.filled({rows, cols}, NAN),
           dsum = t.random({rows, cols});
    tensor mean = t.filled_f32({rows}, NAN), rstd = t.filled_f32({rows}, NAN);
    tensor dgamma = t.filled_f32({cols}, 1), dbeta = t.filled_f32({cols}, 1);
    tensor dgamma_again = t.filled_f32({cols}, 1), dbeta_again = t.filled_f32({cols}, 1);

    t.ok(
        mim_layer_norm_forward(t.ctx(), y, nullptr, mean, rstd, x, nullptr, gamma, gamma, &params));
    t.ok(mim_layer_norm_backward(t.ctx(), dx, dgamma, dbeta, dy, dsum, x, mean, rstd, gamma));
    t.ok(mim_layer_norm_backward(t.ctx(), dsum, dgamma_again, dbeta_again, dy, dsum, x, mean, rstd,
                                 gamma));
    for (int64_t i = 0; i < rows * cols; ++i) t.exact("dx", dsum.at(i), dx.at(i));
    for (int64_t c = 0; c < cols; ++c) {
        t.exact("dgamma", dgamma_again(c), dgamma(c));
        t.exact("dbeta", dbeta_again(c), dbeta(c));
    }
}
OP_CASES(layer_norm_repeat, {3, 7}, {197, 768});
OP_CASES_BF16(layer_norm_repeat, {197, 768});

// A planned call counts its scratch and leaves every view alone.
OP_TEST(layer_norm_planning) {
    tensor x = t.random({9, 16}), gamma = t.random_f32({16}), rstd = t.random_f32({9});
    tensor y = t.filled({9, 16}, 5), sum = t.filled_f32({16}, 5);
    for (tensor* filled : {&y, &sum})
        filled->view();  // puts the values on the device, which planning would not
    t.ok(mim_context_set_planning(t.ctx(), 1));
    t.ok(
        mim_layer_norm_forward(t.ctx(), y, nullptr, rstd, rstd, x, nullptr, gamma, gamma, &params));
    t.ok(mim_layer_norm_backward(t.ctx(), y, sum, sum, x, nullptr, x, rstd, rstd, gamma));
    t.ok(mim_context_set_planning(t.ctx(), 0));
    mim_context_info info = {sizeof info};
    t.ok(mim_context_get_info(t.ctx(), &info));
    EXPECT_GT(info.scratch_peak, 0);
    EXPECT_EQ(info.scratch_bytes, 0);
    for (const double v : y.values()) t.exact("y", v, 5);
    for (const double v : sum.values()) t.exact("dgamma", v, 5);
}
OP_CASES(layer_norm_planning, {});

OP_TEST(layer_norm_errors) {
    tensor x = t.random({4, 8}), y = t.random({4, 8}), gamma = t.random_f32({7}),
           beta = t.random_f32({8});
    tensor mean = t.random_f32({4}), rstd = t.random_f32({4});
    t.fails(
        mim_layer_norm_forward(t.ctx(), y, nullptr, mean, rstd, x, nullptr, gamma, beta, &params),
        MIM_ERROR_INVALID_ARGUMENT, {"mim_layer_norm_forward", "gamma", "(7)", "(8)"});
    t.fails(mim_layer_norm_forward(t.ctx(), y, nullptr, mean, rstd, nullptr, nullptr, gamma, beta,
                                   &params),
            MIM_ERROR_INVALID_ARGUMENT, {"x is null"});
    t.fails(mim_layer_norm_again(t.ctx(), y, x, mean, nullptr, gamma, beta),
            MIM_ERROR_INVALID_ARGUMENT, {"mim_layer_norm_again", "rstd is null"});
    t.fails(mim_layer_norm_forward(t.ctx(), y, y, mean, rstd, x, nullptr, gamma, beta, &params),
            MIM_ERROR_INVALID_ARGUMENT, {"branch", "sum"});
}
OP_CASES(layer_norm_errors, {});
