#include <complex>

#include "op_test.h"
#include "thread_count.h"

namespace {

using complex = std::complex<double>;

mim_low_pass_params low_pass_of(int32_t mode, float radius) {
    return {sizeof(mim_low_pass_params), mode, radius};
}

// Distance of bin k from the middle of the disc.
double offset_of(int64_t k, int64_t n, int32_t mode) {
    if (mode == MIM_LOW_PASS_SYMMETRIC) return double(2 * k <= n ? k : n - k);
    return double((k + n / 2) % n) - 0.5 * double(n - 1);
}

bool keeps(int64_t k, int64_t height, int64_t l, int64_t width, int32_t mode, double radius) {
    const double a = offset_of(k, height, mode), b = offset_of(l, width, mode);
    return a * a + b * b <= radius * radius;
}

// The discrete Fourier transform as it is written, along one axis and then the other; `sign` -1 in,
// 1 out, without a factor.
std::vector<complex> fourier(const std::vector<complex>& u, int64_t height, int64_t width,
                             int sign) {
    const auto turns = [&](int64_t n) {
        std::vector<complex> w(static_cast<size_t>(n));
        for (int64_t j = 0; j < n; ++j)
            w[size_t(j)] =
                std::polar(1.0, sign * 2 * 3.14159265358979323846 * double(j) / double(n));
        return w;
    };
    const std::vector<complex> turn_y = turns(height), turn_x = turns(width);
    std::vector<complex> rows(u.size()), result(u.size());
    for (int64_t i = 0; i < height; ++i)
        for (int64_t l = 0; l < width; ++l)
            for (int64_t j = 0; j < width; ++j)
                rows[size_t(i * width + l)] +=
                    u[size_t(i * width + j)] * turn_x[size_t(l * j % width)];
    for (int64_t k = 0; k < height; ++k)
        for (int64_t i = 0; i < height; ++i)
            for (int64_t l = 0; l < width; ++l)
                result[size_t(k * width + l)] +=
                    rows[size_t(i * width + l)] * turn_y[size_t(k * i % height)];
    return result;
}

// |low pass of u|, with a complex signal wherever the filter makes one.
std::vector<double> filtered(const std::vector<double>& u, int64_t height, int64_t width,
                             int32_t mode, double radius) {
    std::vector<complex> bins = fourier({u.begin(), u.end()}, height, width, -1);
    for (int64_t k = 0; k < height; ++k)
        for (int64_t l = 0; l < width; ++l)
            if (!keeps(k, height, l, width, mode, radius)) bins[size_t(k * width + l)] = 0;
    std::vector<double> magnitude;
    for (const complex& v : fourier(bins, height, width, 1))
        magnitude.push_back(std::abs(v) / double(height * width));
    return magnitude;
}

// A picture in the units of the network. `spread` 1 gives pixels around 0 to 1; a larger one goes
// far below 0, where the magnitude folds the values.
struct normalised {
    tensor x, mean, std;

    normalised(mim::test::harness& t, int64_t batch, int64_t channels, int64_t height,
               int64_t width, double spread)
        : x(t.random_f32({batch, channels, height, width}, spread)),
          mean(t.filled_f32({channels}, 0)),
          std(t.filled_f32({channels}, 1)) {
        for (int64_t c = 0; c < channels; ++c) {
            mean.set(c, 0.485 - 0.03 * double(c));
            std.set(c, 0.229 + 0.01 * double(c));
        }
    }
    std::vector<double> plane(int64_t b, int64_t c) const {
        const int64_t pixels = x.shape()[2] * x.shape()[3];
        std::vector<double> u;
        for (int64_t i = 0; i < pixels; ++i)
            u.push_back(x.at((b * x.shape()[1] + c) * pixels + i) * std(c) + mean(c));
        return u;
    }
};

}  // namespace

// radius in tenths
OP_TEST(low_pass, int64_t batch, int64_t channels, int64_t height, int64_t width, int64_t mode,
        int64_t radius10, int64_t spread) {
    normalised images(t, batch, channels, height, width, double(spread));
    const mim_low_pass_params p = low_pass_of(int32_t(mode), float(radius10) / 10);
    tensor y = t.filled_f32({batch, channels, height, width}, NAN);
    t.ok(mim_low_pass(t.ctx(), y, images.x, images.mean, images.std, &p));

    t.tolerance("y", 2e-6);
    for (int64_t b = 0; b < batch; ++b)
        for (int64_t c = 0; c < channels; ++c) {
            const std::vector<double> want =
                filtered(images.plane(b, c), height, width, p.mode, p.radius);
            for (int64_t i = 0; i < height * width; ++i)
                t.near("y", y.at((b * channels + c) * height * width + i),
                       (want[size_t(i)] - images.mean(c)) / images.std(c));
        }
    mim::test::same_bits_for_any_thread_count(t, [&](mim_context* ctx) {
        tensor again = t.filled_f32({batch, channels, height, width}, NAN);
        t.ok(mim_low_pass(ctx, again, images.x, images.mean, images.std, &p));
        return again.values();
    });
}
// batch, channels, height, width, mode, 10 * radius, spread of the pixels
OP_CASES(low_pass, {1, 1, 1, 1, 0, 0, 1}, {1, 1, 1, 1, 0, 10, 1}, {1, 1, 1, 1, 1, 0, 1},
         // a single row or column; the smallest even sizes, where every bin is its own conjugate
         {2, 1, 1, 7, 0, 20, 3}, {2, 1, 1, 8, 0, 25, 3}, {2, 1, 9, 1, 0, 30, 3},
         {2, 1, 6, 1, 0, 15, 3}, {1, 1, 2, 1, 0, 5, 3}, {1, 1, 1, 2, 0, 5, 3},
         {1, 1, 2, 2, 0, 8, 3}, {1, 1, 2, 2, 1, 10, 3}, {1, 1, 2, 3, 0, 12, 3},
         {1, 1, 4, 2, 0, 16, 3}, {1, 1, 4, 4, 0, 16, 3}, {1, 1, 4, 4, 1, 20, 3},
         // odd and even mixed, multiples of four and not, smaller and larger than a vector
         {2, 2, 5, 6, 0, 20, 3}, {2, 2, 6, 5, 0, 20, 3}, {1, 2, 6, 10, 0, 31, 3},
         {1, 2, 8, 12, 0, 31, 3}, {1, 1, 7, 11, 0, 31, 3}, {1, 1, 33, 45, 0, 115, 3},
         {1, 1, 34, 45, 0, 115, 3}, {1, 1, 33, 46, 0, 115, 3}, {1, 1, 62, 66, 0, 150, 3},
         {1, 2, 48, 72, 0, 115, 3}, {1, 2, 72, 48, 1, 115, 3}, {1, 1, 130, 18, 0, 60, 1},
         {1, 1, 18, 130, 1, 60, 1},
         // more planes than a GPU's cache holds at once
         {1, 7, 72, 80, 0, 200, 3}, {7, 1, 72, 81, 1, 200, 3},
         // pixels from -50 to 50: the magnitude folds about half of them
         {1, 3, 32, 32, 0, 80, 100}, {1, 3, 31, 32, 1, 80, 100}, {1, 3, 31, 33, 0, 80, 100},
         // no bin kept; a bin and its unkept conjugate; only some rows; nearly all; all, in both
         // modes
         {1, 1, 8, 6, 0, 0, 3}, {1, 1, 8, 6, 0, 7, 3}, {1, 1, 8, 6, 0, 8, 3}, {1, 1, 8, 6, 1, 0, 3},
         {1, 1, 9, 7, 0, 0, 3}, {1, 1, 8, 6, 0, 30, 3}, {1, 1, 8, 6, 0, 42, 3},
         {1, 1, 8, 6, 0, 44, 3}, {1, 1, 8, 6, 1, 49, 3}, {1, 1, 8, 6, 1, 50, 3},
         {1, 1, 8, 7, 1, 40, 3}, {2, 2, 16, 24, 0, 10000, 3}, {2, 2, 16, 24, 1, 10000, 3},
         {1, 1, 64, 64, 0, 300, 3}, {1, 1, 64, 64, 1, 320, 3},
         // real ones
         {1, 3, 64, 64, 0, 115, 1}, {2, 3, 96, 96, 0, 400, 1});
OP_CASES_LARGE(low_pass, {1, 3, 224, 224, 0, 400, 1}, {1, 1, 224, 224, 1, 400, 1},
               {1, 1, 192, 320, 0, 400, 1});

// Each bin by itself: of the picture cos(2 pi (k i / H + l j / W)) the filter leaves nothing, one
// wave of magnitude 1/2, or the picture, as it keeps neither, one or both of k, l and its
// conjugate.
OP_TEST(low_pass_bins, int64_t height, int64_t width, int64_t mode, int64_t radius10) {
    const mim_low_pass_params p = low_pass_of(int32_t(mode), float(radius10) / 10);
    const int64_t pixels = height * width;
    tensor x = t.filled_f32({pixels, 1, height, width}, 0);
    tensor zero = t.filled_f32({1}, 0), one = t.filled_f32({1}, 1);
    const auto angle = [&](int64_t k, int64_t l, int64_t i, int64_t j) {
        return 2 * 3.14159265358979323846 *
               (double(k * i) / double(height) + double(l * j) / double(width));
    };
    for (int64_t bin = 0; bin < pixels; ++bin)
        for (int64_t i = 0; i < pixels; ++i)
            x.set(bin * pixels + i,
                  std::cos(angle(bin / width, bin % width, i / width, i % width)));
    tensor y = t.filled_f32({pixels, 1, height, width}, NAN);
    t.ok(mim_low_pass(t.ctx(), y, x, zero, one, &p));
    for (int64_t bin = 0; bin < pixels; ++bin) {
        const int64_t k = bin / width, l = bin % width;
        const bool itself = keeps(k, height, l, width, p.mode, p.radius);
        const bool conjugate =
            keeps((height - k) % height, height, (width - l) % width, width, p.mode, p.radius);
        for (int64_t i = 0; i < pixels; ++i)
            t.near("y", y.at(bin * pixels + i),
                   itself && conjugate   ? std::fabs(x.at(bin * pixels + i))
                   : itself || conjugate ? 0.5
                                         : 0);
    }
}
OP_CASES(low_pass_bins, {8, 8, 0, 25}, {8, 8, 0, 35}, {8, 8, 1, 30}, {6, 10, 0, 32}, {7, 10, 0, 32},
         {10, 7, 0, 32}, {9, 7, 0, 30}, {6, 10, 1, 40}, {12, 20, 0, 55}, {16, 14, 1, 70});

// For odd sizes the disc lies around frequency 0 in both modes.
OP_TEST(low_pass_modes_agree, int64_t height, int64_t width) {
    normalised images(t, 2, 2, height, width, 2);
    tensor exact = t.filled_f32({2, 2, height, width}, NAN);
    tensor symmetric = t.filled_f32({2, 2, height, width}, NAN);
    const mim_low_pass_params p = low_pass_of(MIM_LOW_PASS_EXACT, 9),
                              q = low_pass_of(MIM_LOW_PASS_SYMMETRIC, 9);
    t.ok(mim_low_pass(t.ctx(), exact, images.x, images.mean, images.std, &p));
    t.ok(mim_low_pass(t.ctx(), symmetric, images.x, images.mean, images.std, &q));
    EXPECT_EQ(exact.values(), symmetric.values());
}
OP_CASES(low_pass_modes_agree, {33, 45}, {1, 31});

OP_TEST(low_pass_errors) {
    tensor x = t.random_f32({2, 3, 4, 6}), y = t.filled_f32({2, 3, 4, 6}, 7);
    tensor mean = t.filled_f32({3}, 0.5), std = t.filled_f32({3}, 0.25);
    const mim_status invalid = MIM_ERROR_INVALID_ARGUMENT;
    const mim_low_pass_params good = low_pass_of(MIM_LOW_PASS_EXACT, 2);
    const auto with = [&](const mim_low_pass_params& p) {
        return mim_low_pass(t.ctx(), y, x, mean, std, &p);
    };
    t.ok(with(good));
    t.fails(with(low_pass_of(0, -1)), invalid,
            {"mim_low_pass", "params.radius is -1.0", "at least 0 and finite"});
    t.fails(with(low_pass_of(0, NAN)), invalid, {"params.radius is", "nan"});
    t.fails(with(low_pass_of(1, INFINITY)), invalid, {"params.radius is inf"});
    t.fails(with(low_pass_of(2, 1)), invalid,
            {"params.mode is 2", "expected a mim_low_pass_mode, 0 or 1"});
    t.fails(with(low_pass_of(-1, 1)), invalid, {"params.mode is -1"});
    t.fails(with({8, 0, 1}), invalid, {"params.size is 8", "expected 12"});
    t.fails(mim_low_pass(t.ctx(), y, x, mean, std, nullptr), invalid, {"params is null"});
    t.fails(mim_low_pass(nullptr, y, x, mean, std, &good), invalid, {"ctx is null"});
    t.fails(mim_low_pass(t.ctx(), nullptr, x, mean, std, &good), invalid, {"y is null"});
    t.fails(mim_low_pass(t.ctx(), y, nullptr, mean, std, &good), invalid, {"x is null"});
    t.fails(mim_low_pass(t.ctx(), y, x, nullptr, std, &good), invalid, {"mean is null"});
    t.fails(mim_low_pass(t.ctx(), y, x, mean, nullptr, &good), invalid, {"std is null"});

    tensor flat = t.random_f32({6, 4, 6}), four = t.filled_f32({4}, 0.5);
    tensor other = t.filled_f32({2, 3, 6, 4}, 7);
    tensor bytes = t.integers({2, 3, 4, 6}, std::vector<int64_t>(144), MIM_U8);
    t.fails(mim_low_pass(t.ctx(), y, flat, mean, std, &good), invalid, {"x ", "(6, 4, 6)"});
    t.fails(mim_low_pass(t.ctx(), y, bytes, mean, std, &good), invalid,
            {"x ", "expected dtype f32"});
    t.fails(mim_low_pass(t.ctx(), bytes, x, mean, std, &good), invalid, {"y ", "f32"});
    t.fails(mim_low_pass(t.ctx(), y, x.permuted({0, 1, 3, 2}), mean, std, &good), invalid,
            {"x ", "dense"});
    t.fails(mim_low_pass(t.ctx(), other, x, mean, std, &good), invalid,
            {"y ", "(2, 3, 6, 4)", "(2, 3, 4, 6)"});
    t.fails(mim_low_pass(t.ctx(), y, x, four, std, &good), invalid, {"mean ", "(4)", "(3)"});
    t.fails(mim_low_pass(t.ctx(), y, x, mean, four, &good), invalid, {"std ", "(4)", "(3)"});

    // the same memory, and memory that overlaps in part; its neighbour is as good as any
    t.fails(mim_low_pass(t.ctx(), x, x, mean, std, &good), invalid, {"y overlaps the memory of x"});
    tensor three = t.random_f32({3, 3, 4, 6}), four_images = t.random_f32({4, 3, 4, 6});
    t.fails(mim_low_pass(t.ctx(), three.slice(0, 0, 2), three.slice(0, 1, 3), mean, std, &good),
            invalid, {"y overlaps"});
    t.ok(mim_low_pass(t.ctx(), four_images.slice(0, 2, 4), four_images.slice(0, 0, 2), mean, std,
                      &good));

    // planning touches nothing, and counts all that the call will take
    const mim_view nowhere = mim::test::without_memory(y), not_there = mim::test::without_memory(x);
    const mim::test::context_with_threads planned(t, 2);
    t.ok(mim_context_set_planning(planned, 1));
    t.ok(mim_low_pass(planned, &nowhere, &not_there, mean, std, &good));
    t.ok(mim_context_set_planning(planned, 0));
    mim_context_info counted = {sizeof counted}, used = {sizeof used};
    t.ok(mim_context_get_info(planned, &counted));
    t.ok(mim_low_pass(planned, y, x, mean, std, &good));
    t.ok(mim_context_get_info(planned, &used));
    EXPECT_GT(counted.scratch_peak, 0);
    EXPECT_EQ(counted.scratch_peak, used.scratch_peak);
}
OP_CASES(low_pass_errors, {});
