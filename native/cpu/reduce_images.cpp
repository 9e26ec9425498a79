// Images at a lower resolution on the CPU, a row of the result at a time: first the rows of x that
// go into it are added up, then neighbours in that one row, by halves as long as the factor is even.
#include <algorithm>
#include <cstring>

#include "cpu/parallel.h"
#include "cpu/processor.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/reduce_images.cpp"
#include "hwy/foreach_target.h"  // stays ahead of the others

#include "cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mim::cpu {
namespace HWY_NAMESPACE {

// sum[c] += x[c]
HWY_INLINE void add_row(float* HWY_RESTRICT sum, const float* HWY_RESTRICT x, int64_t width) {
    const float_lanes d;
    for (int64_t c = 0; c < width; c += lane_count())
        store_some(hn::Add(load_some(d, sum + c, width - c), load_some(d, x + c, width - c)), d,
                   sum + c, width - c);
}

// row[c] = row[2 c] + row[2 c + 1], in place: a vector of sums lies behind what it is made from.
HWY_INLINE void halve_row(float* row, int64_t halves) {
    const float_lanes d;
    int64_t c = 0;
    for (; c + lane_count() <= halves; c += lane_count()) {
        float_vector even, odd;
        hn::LoadInterleaved2(d, row + 2 * c, even, odd);
        store(hn::Add(even, odd), d, row + c);
    }
    for (; c < halves; ++c) row[c] = row[2 * c] + row[2 * c + 1];
}

// y[c] = the mean of a block of factor x factor pixels; x is the first of factor rows.
void reduce_row(float* y, const float* x, float* sum, int64_t width, int64_t factor) {
    std::memcpy(sum, x, size_t(width) * sizeof(float));
    for (int64_t r = 1; r < factor; ++r) add_row(sum, x + r * width, width);
    int64_t rest = factor;  // of the columns that are not added up yet
    for (; rest % 2 == 0; rest /= 2) {
        width /= 2;
        halve_row(sum, width);
    }
    const float share = 1.0f / (float(factor) * float(factor));
    for (int64_t c = 0; c < width / rest; ++c) {
        float block = sum[c * rest];
        for (int64_t i = 1; i < rest; ++i) block += sum[c * rest + i];
        y[c] = block * share;
    }
}

}  // namespace HWY_NAMESPACE
}  // namespace mim::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mim::cpu {

HWY_EXPORT(reduce_row);

void processor::reduce_images(context& ctx, const view& y, const view& x,
                              const mim_reduce_images_params& params) {
    const int64_t width = x.shape[3], factor = params.factor, columns = width / factor;
    const int64_t padded = (width + 15) / 16 * 16;  // threads do not share a cache line
    float* sums = ctx.scratch<float>(ctx.threads() * padded);
    if (ctx.planning()) return;
    const int64_t rows = elements(y) / columns;  // of all images and channels: H is whole blocks
    const int64_t grain = std::max<int64_t>(1, 16384 / (width * factor));
    parallel_ranges(ctx, rows, grain, [&](int64_t begin, int64_t end, int64_t thread) {
        for (int64_t r = begin; r < end; ++r) HWY_DYNAMIC_DISPATCH(reduce_row)
        (data<float>(y) + r * columns, data<float>(x) + r * factor * width, sums + thread * padded,
         width, factor);
    });
}

}  // namespace mim::cpu
#endif
