// Images at a lower resolution against the mean of each block.
#include "thread_count.h"

OP_TEST(reduce_images, int64_t batch, int64_t channels, int64_t rows, int64_t columns,
        int64_t factor) {
    const int64_t height = rows * factor, width = columns * factor;
    tensor x = t.random({batch, channels, height, width}),
           y = t.filled({batch, channels, rows, columns}, NAN);
    const mim_reduce_images_params params = {sizeof params, int32_t(factor)};
    const std::vector<double> pixels = x.values();
    t.ok(mim_reduce_images(t.ctx(), y, x, &params));
    t.tolerance("y", 5e-7);
    for (int64_t plane = 0; plane < batch * channels; ++plane)
        for (int64_t i = 0; i < rows; ++i)
            for (int64_t j = 0; j < columns; ++j) {
                double sum = 0;
                for (int64_t p = 0; p < factor; ++p)
                    for (int64_t q = 0; q < factor; ++q)
                        sum += pixels[size_t((plane * height + i * factor + p) * width +
                                             j * factor + q)];
                const double got = y.at((plane * rows + i) * columns + j);
                t.near("y", got, sum / double(factor * factor));
                if (factor == 1) t.exact("a copy", got, sum);
            }
    mim::test::same_bits_for_any_thread_count(t, [&](mim_context* ctx) {
        tensor again = t.filled({batch, channels, rows, columns}, 7);
        t.ok(mim_reduce_images(ctx, again, x, &params));
        return again.values();
    });
}
// sizes that leave tails behind the vectors, odd factors, and SimMIM's resolutions of 192 pixels
OP_CASES(reduce_images, {1, 1, 1, 1, 1}, {2, 3, 5, 7, 1}, {1, 1, 1, 1, 2}, {1, 2, 3, 5, 3},
         {2, 1, 3, 19, 2}, {1, 2, 3, 11, 6}, {1, 1, 2, 3, 5}, {1, 1, 2, 37, 4}, {1, 2, 1, 1, 12},
         {2, 3, 96, 96, 2}, {2, 3, 24, 24, 8}, {2, 3, 6, 6, 32});

OP_TEST(reduce_images_planning) {
    tensor x = t.random({1, 2, 8, 8}), y = t.filled({1, 2, 4, 4}, 7);
    const mim_reduce_images_params params = {sizeof params, 2};
    const mim_view unread = mim::test::without_memory(x), *vy = y;
    mim_context_info info = {};
    info.size = sizeof info;
    t.ok(mim_context_set_planning(t.ctx(), 1));
    t.ok(mim_reduce_images(t.ctx(), vy, &unread, &params));
    t.ok(mim_context_set_planning(t.ctx(), 0));
    t.ok(mim_context_get_info(t.ctx(), &info));
    const int64_t planned = info.scratch_peak;
    EXPECT_GE(planned, t.device() == MIM_CPU ? 1 : 0);  // a GPU keeps its sums in registers
    for (int64_t i = 0; i < y.size(); ++i) t.exact("y while planning", y.at(i), 7);
    t.ok(mim_reduce_images(t.ctx(), y, x, &params));
    t.ok(mim_context_get_info(t.ctx(), &info));
    EXPECT_EQ(planned, info.scratch_peak);
}
OP_CASES(reduce_images_planning, {});

OP_TEST(reduce_images_errors) {
    tensor x = t.random({2, 3, 8, 12}), y = t.filled({2, 3, 4, 6}, NAN),
           half = t.with_values({1, 1, 2, 2}, {1, 2, 3, 4}, MIM_BF16);
    const auto reduce = [&](const mim_view* to, const mim_view* from, int32_t factor) {
        const mim_reduce_images_params params = {sizeof params, factor};
        return mim_reduce_images(t.ctx(), to, from, &params);
    };
    const mim_status invalid = MIM_ERROR_INVALID_ARGUMENT;
    t.ok(reduce(y, x, 2));
    t.fails(reduce(y, x, 0), invalid,
            {"mim_reduce_images", "params.factor is 0", "at least 1", "8 and 12"});
    t.fails(reduce(y, x, -2), invalid, {"params.factor is -2"});
    t.fails(reduce(y, x, 3), invalid, {"params.factor is 3", "divisor", "8 and 12"});
    t.fails(reduce(y, x, 8), invalid, {"params.factor is 8"});
    t.fails(reduce(y, x, 4), invalid, {"y has shape (2, 3, 4, 6), expected (2, 3, 2, 3)"});
    t.fails(reduce(nullptr, x, 2), invalid, {"y is null"});
    t.fails(reduce(y, half, 2), invalid, {"x", "bf16", "f32"});
    t.fails(reduce(y, x.reshaped({6, 8, 12}), 2), invalid, {"x", "rank 3"});
    t.fails(mim_reduce_images(t.ctx(), y, x, nullptr), invalid, {"params is null"});
    const mim_reduce_images_params wrong = {4, 2};
    t.fails(mim_reduce_images(t.ctx(), y, x, &wrong), invalid, {"params.size is 4"});
}
OP_CASES(reduce_images_errors, {});
