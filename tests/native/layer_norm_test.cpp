// LayerNorm with the residual addition, against the formula in double.
#include "op_test.h"

namespace {

constexpr double eps = 1e-6;
const mim_layer_norm_params params = {sizeof params, float(eps)};

struct reference {
    std::vector<double> sum, y, mean, rstd, dx, dgamma, dbeta;
};

reference layer_norm(int64_t rows, int64_t cols, const std::vector<double>& sum, const tensor& gamma,
                     const tensor& beta, const tensor& dy, const std::vector<double>& dsum) {
    reference r{sum, std::vector<double>(sum.size()), {}, {}, std::vector<double>(sum.size()),
                std::vector<double>(size_t(cols), 1.0), std::vector<double>(size_t(cols), 1.0)};
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
            r.dx[size_t(i * cols + c)] = dsum[size_t(i * cols + c)] + rstd * (dy(i, c) * gamma(c) - a - hat * b);
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
    tensor y = t.filled({rows, cols}, NAN), sum = t.filled({rows, cols}, NAN), dx = t.filled({rows, cols}, NAN);
    tensor mean = t.filled_f32({rows}, NAN), rstd = t.filled_f32({rows}, NAN);
    tensor dgamma = t.filled_f32({cols}, 1), dbeta = t.filled_f32({cols}, 1);  // backward must add

    t.ok(mim_layer_norm_forward(t.ctx(), y, residual ? sum.view() : nullptr, mean, rstd, x,
                                residual ? branch.view() : nullptr, gamma, beta, &params));
    if (residual)
        for (int64_t i = 0; i < rows * cols; ++i) t.near("sum", sum.at(i), x.at(i) + branch.at(i));
    tensor saved = residual ? sum : x;
    t.ok(mim_layer_norm_backward(t.ctx(), dx, dgamma, dbeta, dy, residual ? dsum.view() : nullptr, saved, mean, rstd,
                                 gamma));

    const std::vector<double> zero(size_t(rows * cols), 0.0);
    const reference want = layer_norm(rows, cols, saved.values(), gamma, beta, dy, residual ? dsum.values() : zero);
    t.near("y", y, want.y);
    t.near("dx", dx, want.dx);
    t.near("dgamma", dgamma, want.dgamma);
    t.near("dbeta", dbeta, want.dbeta);
    if (cols == 1) t.tolerance("rstd", 1e-3);
    t.near("mean", mean, want.mean);
    t.near("rstd", rstd, want.rstd);

    if (t.dtype() != MIM_F32 || cols < 3) return;  // a finite difference needs the resolution
    const auto loss = [&] {
        t.ok(mim_layer_norm_forward(t.ctx(), y, nullptr, mean, rstd, saved, nullptr, gamma, beta, &params));
        return dot(y, dy);
    };
    std::vector<double> dsaved = want.dx, dscale = want.dgamma;
    for (size_t i = 0; i < dsaved.size(); ++i) dsaved[i] = dx.at(int64_t(i)) - (residual ? dsum.at(int64_t(i)) : 0);
    for (size_t i = 0; i < dscale.size(); ++i) dscale[i] = dgamma.at(int64_t(i)) - 1;
    t.directional_derivative("dx", saved, dsaved, loss, 1e-3, 5e-3);
    t.directional_derivative("dgamma", gamma, dscale, loss);
}
OP_CASES(layer_norm, {1, 1, 0}, {3, 7, 0}, {3, 7, 1}, {65, 48, 1}, {197, 768, 1}, {5, 1280, 0});
OP_CASES_BF16(layer_norm, {3, 7, 1}, {197, 768, 1});

OP_TEST(layer_norm_errors) {
    tensor x = t.random({4, 8}), y = t.random({4, 8}), gamma = t.random_f32({7}), beta = t.random_f32({8});
    tensor mean = t.random_f32({4}), rstd = t.random_f32({4});
    t.fails(mim_layer_norm_forward(t.ctx(), y, nullptr, mean, rstd, x, nullptr, gamma, beta, &params),
            MIM_ERROR_INVALID_ARGUMENT, {"mim_layer_norm_forward", "gamma", "(7)", "(8)"});
    t.fails(mim_layer_norm_forward(t.ctx(), y, nullptr, mean, rstd, nullptr, nullptr, gamma, beta, &params),
            MIM_ERROR_INVALID_ARGUMENT, {"x is null"});
    t.fails(mim_layer_norm_forward(t.ctx(), y, y, mean, rstd, x, nullptr, gamma, beta, &params),
            MIM_ERROR_INVALID_ARGUMENT, {"branch", "sum"});
}
OP_CASES(layer_norm_errors, {});
