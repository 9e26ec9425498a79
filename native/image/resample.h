// Antialiased resizing, bit for bit as Pillow's for 8-bit pictures.
#pragma once

#include <functional>
#include <vector>

#include "image/image.h"

namespace mim::image {

// Along one axis: target[o] = sum over k < count of weights[k] * source[first + k].
struct filter_span {
    int32_t first;
    int32_t count;
    int64_t at;  // of its first weight
};
struct axis_filter {
    std::vector<filter_span> spans;  // one per target position
    std::vector<int32_t> weights;    // times 2^22

    const int32_t* weights_of(const filter_span& span) const { return weights.data() + span.at; }
};

axis_filter make_axis_filter(int32_t source, int32_t target, mim_interpolation interpolation);

void require_interpolation(int32_t interpolation);

// Resizes the box, which must lie inside, and hands over the result's rows, top to bottom, each
// width * 3 bytes that live for the call only.
using row_sink = std::function<void(int64_t y, const uint8_t* row)>;
void resample(const mim_image& image, const mim_box& box, int32_t height, int32_t width,
              mim_interpolation interpolation, const row_sink& sink);

// The kernels of both passes work in whole blocks: they read up to a block past the end of a row
// (into the next row, the padding, or a picture's slack) and drop what that gives.
constexpr int64_t block = 48;  // 16 pixels: whole vectors of every instruction set, three at a time
static_assert(slack >= block);

inline int64_t padded(int64_t bytes) {
    return (bytes + block - 1) / block * block;
}

// out[i] = clamp((2^21 + sum over k of weights[k] * in[k * stride + i]) >> 22, 0, 255) for i <
// padded(count).
void weighted_sum(uint8_t* out, const uint8_t* in, int64_t stride, const int32_t* weights,
                  int32_t taps, int64_t count);

// Resizes 16 rows along their width: out is 16 rows of out_stride = padded(3 * width) bytes.
// scratch holds resize_rows_scratch() bytes.
int64_t resize_rows_scratch(int64_t source_width, int64_t width);
void resize_rows(uint8_t* out, int64_t out_stride, const uint8_t* const* rows, int64_t source_width,
                 const axis_filter& filter, uint8_t* scratch);

}  // namespace mim::image
