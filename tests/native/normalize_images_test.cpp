// Pixels to the values that a network reads: the formula in f32, bit for bit, on every device.
#include "thread_count.h"

OP_TEST(normalize_images, int64_t batch, int64_t height, int64_t width, int64_t channels,
        int64_t skipped) {
    const int64_t count = batch * height * width * channels;
    std::vector<double> bytes(size_t(count + skipped), 0), means, stds;
    for (double& b : bytes) b = std::floor(256 * t.uniform());
    for (int64_t i = 0; i < std::min<int64_t>(count, 256); ++i)
        bytes[size_t(skipped + i)] = double(i);
    for (int64_t c = 0; c < channels; ++c) {
        means.push_back(0.4 + 0.05 * double(c));
        stds.push_back(0.22 + 0.01 * double(c));
    }
    // `skipped` bytes before x: views may begin at any address
    tensor memory = t.with_values({count + skipped}, bytes, MIM_U8),
           mean = t.with_values({channels}, means, MIM_F32),
           std = t.with_values({channels}, stds, MIM_F32),
           y = t.filled_f32({batch, channels, height, width}, NAN);
    mim_view x = *memory.view();
    x.data = static_cast<char*>(x.data) + skipped;
    x.rank = 4;
    const int64_t shape[] = {batch, height, width, channels};
    for (int i = 3, stride = 1; i >= 0; stride *= int(shape[i--]))
        x.shape[i] = shape[i], x.stride[i] = stride;
    t.ok(mim_normalize_images(t.ctx(), y, &x, mean, std));
    int64_t at = skipped;
    for (int64_t b = 0; b < batch; ++b)
        for (int64_t i = 0; i < height; ++i)
            for (int64_t j = 0; j < width; ++j)
                for (int64_t c = 0; c < channels; ++c, ++at) {
                    const float want =
                        (float(memory.at(at)) / 255.0f - float(mean.at(c))) / float(std.at(c));
                    t.exact("y", y(b, c, i, j), want);
                }
    mim::test::same_bits_for_any_thread_count(t, [&](mim_context* ctx) {
        tensor again = t.filled_f32({batch, channels, height, width}, 7);
        t.ok(mim_normalize_images(ctx, again, &x, mean, std));
        return again.values();
    });
}
OP_CASES(normalize_images, {1, 1, 1, 1, 0}, {1, 1, 1, 3, 0}, {2, 3, 5, 3, 0}, {2, 4, 6, 3, 0},
         {2, 4, 6, 3, 1}, {3, 2, 2, 4, 0}, {1, 7, 3, 2, 3}, {2, 32, 32, 3, 0}, {1, 33, 31, 3, 4});

OP_TEST(normalize_images_planning) {
    tensor x = t.with_values({1, 2, 2, 3}, std::vector<double>(12, 9), MIM_U8),
           mean = t.filled_f32({3}, 0.5), std = t.filled_f32({3}, 0.5),
           y = t.filled_f32({1, 3, 2, 2}, 7);
    const mim_view unread = mim::test::without_memory(x), *vy = y;
    t.ok(mim_context_set_planning(t.ctx(), 1));
    t.ok(mim_normalize_images(t.ctx(), vy, &unread, mean, std));
    t.ok(mim_context_set_planning(t.ctx(), 0));
    for (int64_t i = 0; i < y.size(); ++i) t.exact("y while planning", y.at(i), 7);
}
OP_CASES(normalize_images_planning, {});

OP_TEST(normalize_images_errors) {
    tensor x = t.with_values({2, 4, 5, 3}, std::vector<double>(120, 1), MIM_U8),
           y = t.filled_f32({2, 3, 4, 5}, NAN), mean = t.filled_f32({3}, 0.5),
           std = t.filled_f32({3}, 0.5), four = t.filled_f32({4}, 0.5);
    const mim_status bad = MIM_ERROR_INVALID_ARGUMENT;
    const auto normalize = [&](const mim_view* to, const mim_view* from, const mim_view* m,
                               const mim_view* s) {
        return mim_normalize_images(t.ctx(), to, from, m, s);
    };
    t.ok(normalize(y, x, mean, std));
    t.fails(normalize(y, nullptr, mean, std), bad, {"mim_normalize_images", "x is null"});
    t.fails(normalize(y, y, mean, std), bad, {"x", "f32", "u8"});
    t.fails(normalize(x, x, mean, std), bad, {"y", "u8", "f32"});
    tensor turned = t.filled_f32({2, 4, 5, 3}, NAN);
    t.fails(normalize(turned, x, mean, std), bad, {"y", "(2, 4, 5, 3)", "(2, 3, 4, 5)"});
    t.fails(normalize(y, x, four, std), bad, {"mean", "(4)", "(3)"});
    t.fails(normalize(y, x, mean, four), bad, {"std", "(4)", "(3)"});
    t.fails(normalize(y, x.reshaped({8, 5, 3}), mean, std), bad, {"x", "rank 3"});
    if (t.device() != MIM_CPU) return;
    std.set(1, 0);
    t.fails(normalize(y, x, mean, std), bad, {"std[1] is 0", "above 0"});
    std.set(1, 0.5);
    mean.set(2, NAN);
    t.fails(normalize(y, x, mean, std), bad, {"mean[2] is nan", "finite"});
}
OP_CASES(normalize_images_errors, {});
