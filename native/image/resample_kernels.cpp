// The two passes of a resize, both as one kernel: a weighted sum of rows that lie `stride` apart,
// in 32-bit integers. Along the height that is what the picture offers. Along the width, 16 rows at
// a time are transposed so that each pixel column becomes 48 bytes in a row, summed the same way,
// and transposed back.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "image/resample_kernels.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "image/resample.h"

HWY_BEFORE_NAMESPACE();
namespace mim::image::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

const hn::CappedTag<int32_t, 16> lanes;  // three vectors divide a block
const hn::Rebind<uint8_t, decltype(lanes)> bytes;

// The magnitudes of an output's weights sum to less than 1.3 * 2^22, so with bytes every partial
// sum stays below 2^31.
HWY_INLINE void weighted_sum_blocks(uint8_t* HWY_RESTRICT out, const uint8_t* HWY_RESTRICT in,
                                    int64_t stride, const int32_t* HWY_RESTRICT weights,
                                    int32_t taps, int64_t padded_count) {
    const int64_t n = int64_t(hn::Lanes(lanes));
    const auto half = hn::Set(lanes, 1 << 21);
    for (int64_t i = 0; i < padded_count; i += 3 * n) {
        auto a = half, b = half, c = half;
        const uint8_t* p = in + i;
        for (int32_t k = 0; k < taps; ++k, p += stride) {
            const auto w = hn::Set(lanes, weights[k]);
            a = hn::Add(a, hn::Mul(w, hn::PromoteTo(lanes, hn::LoadU(bytes, p))));
            b = hn::Add(b, hn::Mul(w, hn::PromoteTo(lanes, hn::LoadU(bytes, p + n))));
            c = hn::Add(c, hn::Mul(w, hn::PromoteTo(lanes, hn::LoadU(bytes, p + 2 * n))));
        }
        hn::StoreU(hn::DemoteTo(bytes, hn::ShiftRight<22>(a)), bytes, out + i);  // demotion clamps
        hn::StoreU(hn::DemoteTo(bytes, hn::ShiftRight<22>(b)), bytes, out + i + n);
        hn::StoreU(hn::DemoteTo(bytes, hn::ShiftRight<22>(c)), bytes, out + i + 2 * n);
    }
}

void weighted_sum(uint8_t* out, const uint8_t* in, int64_t stride, const int32_t* weights,
                  int32_t taps, int64_t padded_count) {
    weighted_sum_blocks(out, in, stride, weights, taps, padded_count);
}

// out(j)[i] = in(i)[j], 16 x 16 bytes.
template <class In, class Out>
HWY_INLINE void transpose(const In& in, const Out& out) {
#if HWY_TARGET == HWY_SCALAR
    for (int j = 0; j < 16; ++j)
        for (int i = 0; i < 16; ++i) out(j)[i] = in(i)[j];
#else
    // Interleaving the two halves four times over moves byte j of row i to place 16 j + i.
    const hn::FixedTag<uint8_t, 16> row;
    hn::Vec<decltype(row)> v[16], w[16];
    for (int i = 0; i < 16; ++i) v[i] = hn::LoadU(row, in(i));
    for (int round = 0; round < 4; ++round) {
        for (int i = 0; i < 8; ++i) {
            w[2 * i] = hn::InterleaveLower(row, v[i], v[i + 8]);
            w[2 * i + 1] = hn::InterleaveUpper(row, v[i], v[i + 8]);
        }
        for (int i = 0; i < 16; ++i) v[i] = w[i];
    }
    for (int i = 0; i < 16; ++i) hn::StoreU(v[i], row, out(i));
#endif
}

void resize_rows(uint8_t* out, int64_t out_stride, const uint8_t* const* rows, int64_t source_width,
                 const axis_filter& filter, uint8_t* scratch) {
    uint8_t* columns = scratch;  // (source_width, 3, 16), then the same for the target
    for (int64_t x = 0; x < 3 * source_width; x += 16)
        transpose([&](int i) { return rows[i] + x; },
                  [&](int i) { return columns + (x + i) * 16; });
    const int64_t width = int64_t(filter.spans.size());
    uint8_t* resized = scratch + padded(3 * source_width) * 16;
    for (int64_t x = 0; x < width; ++x) {
        const filter_span& span = filter.spans[size_t(x)];
        weighted_sum_blocks(resized + x * block, columns + span.first * block, block,
                            filter.weights_of(span), span.count, block);
    }
    for (int64_t x = 0; x < 3 * width; x += 16)
        transpose([&](int i) { return resized + (x + i) * 16; },
                  [&](int i) { return out + i * out_stride + x; });
}

}  // namespace mim::image::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mim::image {

HWY_EXPORT(weighted_sum);
HWY_EXPORT(resize_rows);

void weighted_sum(uint8_t* out, const uint8_t* in, int64_t stride, const int32_t* weights,
                  int32_t taps, int64_t count) {
    HWY_DYNAMIC_DISPATCH(weighted_sum)(out, in, stride, weights, taps, padded(count));
}

int64_t resize_rows_scratch(int64_t source_width, int64_t width) {
    return 16 * (padded(3 * source_width) + padded(3 * width));
}

void resize_rows(uint8_t* out, int64_t out_stride, const uint8_t* const* rows, int64_t source_width,
                 const axis_filter& filter, uint8_t* scratch) {
    HWY_DYNAMIC_DISPATCH(resize_rows)(out, out_stride, rows, source_width, filter, scratch);
}

}  // namespace mim::image
#endif
