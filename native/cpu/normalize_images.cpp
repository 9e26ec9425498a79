// Pixels to the values that a network reads, on the CPU: each channel has a table of its 256 values.
#include <cmath>

#include "core/normalized.h"
#include "cpu/parallel.h"
#include "cpu/processor.h"

namespace mim::cpu {

namespace {

void fill_tables(float* tables, const float* mean, const float* std, int64_t channels) {
    for (int64_t c = 0; c < channels; ++c) {
        if (!(std::isfinite(std[c]) && std[c] > 0))
            fail_argument("std[" + std::to_string(c) + "] is " + std::to_string(std[c]) +
                          ", expected a finite number above 0");
        if (!std::isfinite(mean[c]))
            fail_argument("mean[" + std::to_string(c) + "] is " + std::to_string(mean[c]) +
                          ", expected a finite number");
        for (int u = 0; u < 256; ++u) tables[c * 256 + u] = normalized(uint8_t(u), mean[c], std[c]);
    }
}

}  // namespace

void processor::normalize_images(context& ctx, const view& y, const view& x, const view& mean,
                                 const view& std) {
    const int64_t rows = x.shape[1], width = x.shape[2], channels = x.shape[3];
    float* tables = ctx.scratch<float>(channels * 256);
    if (ctx.planning()) return;
    fill_tables(tables, data<const float>(mean), data<const float>(std), channels);
    const int64_t plane = rows * width, grain = std::max<int64_t>(1, 16384 / (width * channels));
    parallel_ranges(ctx, x.shape[0] * rows, grain, [&](int64_t begin, int64_t end, int64_t) {
        for (int64_t r = begin; r < end; ++r) {
            const uint8_t* pixels = data<const uint8_t>(x) + r * width * channels;
            float* values = data<float>(y) + r / rows * channels * plane + r % rows * width;
            for (int64_t c = 0; c < channels; ++c)
                for (int64_t i = 0; i < width; ++i)
                    values[c * plane + i] = tables[c * 256 + pixels[i * channels + c]];
        }
    });
}

}  // namespace mim::cpu
