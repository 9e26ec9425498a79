// What the tests of matrix products share.
#pragma once

#include "op_test.h"

using mim::test::harness;

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

inline strided random_strided(harness& t, int64_t rows, int64_t cols) {
    return {t.random({rows, cols + 3}), rows, cols};
}
inline strided empty_strided(harness& t, int64_t rows, int64_t cols) {
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
