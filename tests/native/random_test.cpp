// Random numbers: the generator's published answers, the counter layout that tensor.h promises, and
// that device and host agree.
#include "core/random.h"

#include "thread_count.h"

using mim::philox4x32;
using mim::philox_counter;

namespace {

mim_random_params params(int32_t stream, int64_t epoch, int64_t seed) {
    return {sizeof(mim_random_params), stream, epoch, seed};
}

std::vector<float> host(int64_t count, int64_t first, int64_t sample, const mim_random_params& p) {
    std::vector<float> values(size_t(count), NAN);
    EXPECT_EQ(MIM_OK, mim_random_uniform_host(values.data(), count, first, sample, &p))
        << mim_last_error();
    return values;
}

}  // namespace

// The known answers of philox4x32-10 that its authors publish with Random123.
TEST(random, philox_known_answers) {
    EXPECT_EQ((philox_counter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}),
              philox4x32({0, 0, 0, 0}, {0, 0}));
    const uint32_t ones = 0xffffffff;
    EXPECT_EQ((philox_counter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}),
              philox4x32({ones, ones, ones, ones}, {ones, ones}));
    EXPECT_EQ(
        (philox_counter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}),
        philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}));
}

// The same answers through the ABI: each word of counter and key comes from the argument that the
// header names.
TEST(random, counter_layout) {
    const mim_random_params zero = params(0, 0, 0),
                            pi = params(int32_t(0x85a308d3), 0x13198a2e, 0x299f31d0a4093822);
    const std::vector<float> a = host(4, 0, 0, zero),
                             b = host(4, int64_t(0x243f6a88) * 4, 0x03707344, pi);
    const uint32_t want_a[] = {0x6627e8, 0xe169c5, 0xbc57ac, 0x9b00db},
                   want_b[] = {0xd16cfe, 0x94fdcc, 0x5001e4, 0x24126e};
    for (size_t i = 0; i < 4; ++i) {
        EXPECT_EQ(float(want_a[i]) / 16777216.0f, a[i]);
        EXPECT_EQ(float(want_b[i]) / 16777216.0f, b[i]);
    }
    // the upper half of the sample enters the key: here it cancels the upper half of the seed
    const mim_random_params seed = params(5, 6, 0x0000000700000009);
    const philox_counter block = philox4x32({2, 5, 6, 11}, {9, 0});
    EXPECT_EQ(float(block[3] >> 8) / 16777216.0f, host(1, 11, 0x000000070000000b, seed)[0]);
}

TEST(random, any_part_of_a_sample_can_be_drawn) {
    const mim_random_params p = params(3, 2, -12345);
    const std::vector<float> all = host(23, 0, 99, p);
    for (int64_t first = 0; first <= 23; ++first)
        for (int64_t count = 0; count <= 23 - first; ++count)
            EXPECT_EQ(std::vector<float>(all.begin() + first, all.begin() + first + count),
                      host(count, first, 99, p));
}

TEST(random, each_argument_matters_and_numbers_look_uniform) {
    const int64_t n = 100000;
    const std::vector<float> base = host(n, 0, 1, params(1, 1, 1));
    for (const std::vector<float>& other :
         {host(n, 0, 2, params(1, 1, 1)), host(n, 0, 1 + (int64_t(1) << 32), params(1, 1, 1)),
          host(n, 0, 1, params(2, 1, 1)), host(n, 0, 1, params(1, 2, 1)),
          host(n, 0, 1, params(1, 1, 2)), host(n, 0, 1, params(1, 1, 1 + (int64_t(1) << 32))),
          host(n, n, 1, params(1, 1, 1))}) {
        double covariance = 0, mean = 0, square = 0;
        for (size_t i = 0; i < size_t(n); ++i) {
            ASSERT_GE(other[i], 0.0f);
            ASSERT_LT(other[i], 1.0f);
            mean += other[i] / double(n);
            square += other[i] * double(other[i]) / double(n);
            covariance += (base[i] - 0.5) * (other[i] - 0.5) / double(n);
        }
        EXPECT_NEAR(0.5, mean, 5e-3);          // 5 standard deviations: 5 * sqrt(1/12 / n)
        EXPECT_NEAR(1.0 / 3.0, square, 5e-3);  // 5 * sqrt(4/45 / n)
        EXPECT_NEAR(0.0, covariance, 1.5e-3);  // 5 / 12 / sqrt(n)
    }
}

OP_TEST(random_uniform, int64_t rows, int64_t count) {
    std::vector<int64_t> numbers;
    for (int64_t r = 0; r < rows; ++r)
        numbers.push_back(r % 3 == 2 ? (int64_t(1) << 33) + r : 5 * r);
    tensor y = t.filled_f32({rows, count}, NAN), samples = t.integers({rows}, numbers, MIM_I64);
    const mim_random_params p = params(7, 3, 0x1234567890abcdef);
    t.ok(mim_random_uniform(t.ctx(), y, samples, &p));
    for (int64_t r = 0; r < rows; ++r) {
        const std::vector<float> want = host(count, 0, numbers[size_t(r)], p);
        for (int64_t i = 0; i < count; ++i) t.exact("y", y(r, i), want[size_t(i)]);
    }
    mim::test::same_bits_for_any_thread_count(t, [&](mim_context* ctx) {
        tensor again = t.filled_f32({rows, count}, 7);
        t.ok(mim_random_uniform(ctx, again, samples, &p));
        return again.values();
    });
}
OP_CASES(random_uniform, {1, 1}, {3, 7}, {64, 196}, {3, 5001});

OP_TEST(random_errors) {
    tensor y = t.random_f32({2, 5}), samples = t.integers({2}, {0, 1}, MIM_I64),
           narrow = t.integers({2}, {0, 1});
    float value = 0;
    const mim_random_params p = params(0, 0, 0), late = params(0, int64_t(1) << 31, 0);
    const mim_status invalid = MIM_ERROR_INVALID_ARGUMENT;
    t.fails(mim_random_uniform(t.ctx(), y, narrow, &p), invalid,
            {"mim_random_uniform", "samples", "i64"});
    t.fails(mim_random_uniform(t.ctx(), y, samples, &late), invalid,
            {"params.epoch", "2147483648"});
    t.fails(mim_random_uniform(t.ctx(), y, samples, nullptr), invalid, {"params is null"});
    t.fails(mim_random_uniform_host(&value, 1, 0, -1, &p), invalid,
            {"mim_random_uniform_host", "sample is -1"});
    t.fails(mim_random_uniform_host(&value, 1, -4, 0, &p), invalid, {"first is -4"});
    t.fails(mim_random_uniform_host(&value, 2, (int64_t(4) << 32) - 1, 0, &p), invalid,
            {"count is 2", "2^34", "1"});
    t.fails(mim_random_uniform_host(nullptr, 1, 0, 0, &p), invalid, {"values is null"});
    if (t.device() != MIM_CPU) return;  // values are only looked at where they can be read
    tensor negative = t.integers({2}, {4, -3}, MIM_I64);
    t.fails(mim_random_uniform(t.ctx(), y, negative, &p), invalid, {"samples holds -3 at (1)"});
}
OP_CASES(random_errors, {});
