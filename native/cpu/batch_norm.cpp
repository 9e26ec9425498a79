// BatchNorm on the CPU. A thread has some columns and walks down all rows of them, so a column's sums
// are made by one thread in the order of the rows: the bits depend on no thread count.
//
// Columns may lie far from zero (mean 10, deviation 0.01), where the mean as a float is already off by
// 1e-4 deviations. So values are centred before they are summed, and what rounding left of the mean
// (`rest`, the average of x - mean) is taken off again wherever x - mean is used: forward and backward
// alike.
#include <algorithm>
#include <cmath>

#include "cpu/parallel.h"
#include "cpu/processor.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/batch_norm.cpp"
#include "hwy/foreach_target.h"  // stays ahead of the others

#include "cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mim::cpu {
namespace HWY_NAMESPACE {

// Columns [begin, end) of a matrix, and memory of all columns: of each kind of sum a row of floats and
// one of doubles.
struct columns {
    int64_t rows, cols, begin, end;
    double* totals;
    float* parts;

    double* total(int64_t kind) const { return totals + kind * cols; }
    double average(int64_t kind, int64_t c) const { return total(kind)[c] / double(rows); }

    // total(i)[c] = the sum over the rows of values[i] that terms(values, row, column, left) gives:
    // floats within a stretch of rows, doubles between stretches.
    template <int kinds, class Terms>
    HWY_INLINE void sum(Terms&& terms) const {
        constexpr int64_t stretch = 64;
        const float_lanes d;
        for (int kind = 0; kind < kinds; ++kind)
            std::fill(total(kind) + begin, total(kind) + end, 0.0);
        for (int64_t first = 0; first < rows; first += stretch) {
            for (int kind = 0; kind < kinds; ++kind)
                std::fill(parts + kind * cols + begin, parts + kind * cols + end, 0.0f);
            for (int64_t r = first; r < std::min(rows, first + stretch); ++r)
                for (int64_t c = begin; c < end; c += lane_count()) {
                    const int64_t left = end - c;
                    float_vector values[kinds];
                    terms(values, r * cols + c, c, left);
                    for (int kind = 0; kind < kinds; ++kind) {
                        float* part = parts + kind * cols + c;
                        store_some(hn::Add(load_some(d, part, left), values[kind]), d, part, left);
                    }
                }
            for (int kind = 0; kind < kinds; ++kind)
                for (int64_t c = begin; c < end; ++c)
                    total(kind)[c] += double(parts[kind * cols + c]);
        }
    }
};

// What the columns of a batch are made of; `rest` and the two averages are scratch of all columns.
struct statistics {
    float *mean, *rstd, *rest;
    const float* gamma;  // null for 1
};

// (x - mean - rest) of a vector of columns
template <class T>
HWY_INLINE float_vector centred(float_lanes d, const T* x, const float* mean, const float* rest,
                                int64_t c, int64_t left) {
    return hn::Sub(hn::Sub(load_some(d, x, left), load_some(d, mean + c, left)),
                   load_some(d, rest + c, left));
}

// gamma rstd of a vector of columns
HWY_INLINE float_vector scale_of(float_lanes d, const statistics& s, int64_t c, int64_t left) {
    const float_vector rstd = load_some(d, s.rstd + c, left);
    return s.gamma == nullptr ? rstd : hn::Mul(rstd, load_some(d, s.gamma + c, left));
}

// Mean, rstd and rest of the batch; the running statistics move, where there are some.
template <class T>
void measure(const columns& of, const statistics& s, const T* x, float* running_mean,
             float* running_var, const mim_batch_norm_params& params) {
    const float_lanes d;
    // the first row: closer to the mean than 0 where a column lies far away
    of.sum<1>([&](float_vector* values, int64_t i, int64_t c, int64_t left) HWY_ATTR {
        values[0] = hn::Sub(load_some(d, x + i, left), load_some(d, x + c, left));
    });
    for (int64_t c = of.begin; c < of.end; ++c)
        s.mean[c] = float(double(float(x[c])) + of.average(0, c));
    of.sum<2>([&](float_vector* values, int64_t i, int64_t c, int64_t left) HWY_ATTR {
        values[0] = hn::Sub(load_some(d, x + i, left), load_some(d, s.mean + c, left));
        values[1] = hn::Mul(values[0], values[0]);
    });
    for (int64_t c = of.begin; c < of.end; ++c) {
        const double off = of.average(0, c), mean = double(s.mean[c]) + off;
        const double variance = std::max(0.0, of.average(1, c) - off * off);
        s.mean[c] = float(mean);
        s.rest[c] = float(mean - double(s.mean[c]));
        s.rstd[c] = float(1 / std::sqrt(variance + double(params.eps)));
        if (running_mean == nullptr) continue;
        const double unbiased = variance * double(of.rows) / double(of.rows - 1);
        const double kept = 1 - double(params.momentum), moved = double(params.momentum);
        running_mean[c] = float(kept * double(running_mean[c]) + moved * mean);
        running_var[c] = float(kept * double(running_var[c]) + moved * unbiased);
    }
}

// y = (x - mean) rstd gamma + beta
template <class T>
void normalise(const columns& of, const statistics& s, T* y, const T* x, const float* beta) {
    const float_lanes d;
    for (int64_t r = 0; r < of.rows; ++r)
        for (int64_t c = of.begin; c < of.end; c += lane_count()) {
            const int64_t left = of.end - c, i = r * of.cols + c;
            const float_vector start = beta == nullptr ? hn::Zero(d) : load_some(d, beta + c, left);
            store_some(hn::MulAdd(centred(d, x + i, s.mean, s.rest, c, left),
                                  scale_of(d, s, c, left), start),
                       d, y + i, left);
        }
}

// Where the running statistics were taken they have no gradient: `a` and `b` are 0.
//   dx = gamma rstd (dy - a - (x - mean) b),    a = avg(dy),  b = rstd^2 avg(dy (x - mean))
template <class T>
void differentiate(const columns& of, const statistics& s, T* dx, float* dgamma, float* dbeta,
                   const T* dy, const T* x, bool training, float* a, float* b) {
    const float_lanes d;
    of.sum<3>([&](float_vector* values, int64_t i, int64_t c, int64_t left) HWY_ATTR {
        values[0] = hn::Sub(load_some(d, x + i, left), load_some(d, s.mean + c, left));
        values[1] = load_some(d, dy + i, left);
        values[2] = hn::Mul(values[0], values[1]);
    });
    for (int64_t c = of.begin; c < of.end; ++c) {
        const double rest = training ? of.average(0, c) : 0, rstd = double(s.rstd[c]);
        const double product = of.total(2)[c] - rest * of.total(1)[c];  // sum dy (x - mean)
        s.rest[c] = float(rest);
        a[c] = training ? float(of.average(1, c)) : 0;
        b[c] = training ? float(rstd * rstd * product / double(of.rows)) : 0;
        if (dgamma != nullptr) dgamma[c] += float(rstd * product);
        if (dbeta != nullptr) dbeta[c] += float(of.total(1)[c]);
    }
    if (dx == nullptr) return;
    for (int64_t r = 0; r < of.rows; ++r)
        for (int64_t c = of.begin; c < of.end; c += lane_count()) {
            const int64_t left = of.end - c, i = r * of.cols + c;
            const float_vector e = centred(d, x + i, s.mean, s.rest, c, left);
            const float_vector g = hn::Sub(load_some(d, dy + i, left), load_some(d, a + c, left));
            store_some(
                hn::Mul(scale_of(d, s, c, left), hn::NegMulAdd(e, load_some(d, b + c, left), g)), d,
                dx + i, left);
        }
}

// Scratch of an op: 3 doubles and 6 floats of every column.
struct memory_of_columns {
    double* totals;
    float *parts, *rest, *a, *b;

    memory_of_columns(double* doubles, float* floats, int64_t cols)
        : totals(doubles),
          parts(floats),
          rest(floats + 3 * cols),
          a(floats + 4 * cols),
          b(floats + 5 * cols) {}
};

// body(columns) for each thread's own, whole cache lines of them.
template <class Body>
void for_columns(const context& ctx, const view& x, const memory_of_columns& memory, Body&& body) {
    parallel_for(ctx, x.shape[1], 16, [&](int64_t begin, int64_t end) {
        body(columns{x.shape[0], x.shape[1], begin, end, memory.totals, memory.parts});
    });
}

void batch_norm_forward(const context& ctx, double* doubles, float* floats, const view& y,
                        const view& mean, const view& rstd, const view* running_mean,
                        const view* running_var, const view& x, const view* gamma, const view* beta,
                        const mim_batch_norm_params& params) {
    const memory_of_columns memory(doubles, floats, x.shape[1]);
    const statistics s = {data<float>(mean), data<float>(rstd), memory.rest, data<float>(gamma)};
    float *means = data<float>(running_mean), *variances = data<float>(running_var);
    dispatch_dtype(x.dtype, [&](auto tag) {
        using T = decltype(tag);
        for_columns(ctx, x, memory, [&](const columns& of) {
            if (params.training)
                measure(of, s, data<T>(x), means, variances, params);
            else
                for (int64_t c = of.begin; c < of.end; ++c) {
                    s.mean[c] = means[c];
                    s.rest[c] = 0;
                    s.rstd[c] = float(1 / std::sqrt(double(variances[c]) + double(params.eps)));
                }
            normalise(of, s, data<T>(y), data<T>(x), data<float>(beta));
        });
    });
}

void batch_norm_backward(const context& ctx, double* doubles, float* floats, const view* dx,
                         const view* dgamma, const view* dbeta, const view& dy, const view& x,
                         const view& mean, const view& rstd, const view* gamma, bool training) {
    const memory_of_columns memory(doubles, floats, x.shape[1]);
    const statistics s = {data<float>(mean), data<float>(rstd), memory.rest, data<float>(gamma)};
    dispatch_dtype(x.dtype, [&](auto tag) {
        using T = decltype(tag);
        for_columns(ctx, x, memory, [&](const columns& of) {
            differentiate(of, s, data<T>(dx), data<float>(dgamma), data<float>(dbeta), data<T>(dy),
                          data<T>(x), training, memory.a, memory.b);
        });
    });
}

}  // namespace HWY_NAMESPACE
}  // namespace mim::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mim::cpu {

namespace {

constexpr int64_t doubles_each = 3, floats_each = 6;  // see memory_of_columns

}  // namespace

HWY_EXPORT(batch_norm_forward);
HWY_EXPORT(batch_norm_backward);

void processor::batch_norm_forward(context& ctx, const view& y, const view& mean, const view& rstd,
                                   const view* running_mean, const view* running_var, const view& x,
                                   const view* gamma, const view* beta,
                                   const mim_batch_norm_params& params) {
    double* doubles = ctx.scratch<double>(doubles_each * x.shape[1]);
    float* floats = ctx.scratch<float>(floats_each * x.shape[1]);
    if (ctx.planning()) return;
    HWY_DYNAMIC_DISPATCH(batch_norm_forward)
    (ctx, doubles, floats, y, mean, rstd, running_mean, running_var, x, gamma, beta, params);
}

void processor::batch_norm_backward(context& ctx, const view* dx, const view* dgamma,
                                    const view* dbeta, const view& dy, const view& x,
                                    const view& mean, const view& rstd, const view* gamma,
                                    const mim_batch_norm_params& params) {
    double* doubles = ctx.scratch<double>(doubles_each * x.shape[1]);
    float* floats = ctx.scratch<float>(floats_each * x.shape[1]);
    if (ctx.planning()) return;
    HWY_DYNAMIC_DISPATCH(batch_norm_backward)
    (ctx, doubles, floats, dx, dgamma, dbeta, dy, x, mean, rstd, gamma, params.training != 0);
}

}  // namespace mim::cpu
#endif
