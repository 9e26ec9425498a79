// Pillow's 8-bit resize: along the width first, rounded to whole numbers, then along the height; an
// axis whose size does not change is left alone. The box is cut out first, so pixels outside it
// have no influence.
#include "image/resample.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace mim::image {

namespace {

constexpr int weight_bits = 22;

double triangle(double x) {
    return std::max(0.0, 1.0 - std::fabs(x));
}

// Keys' cubic convolution with a = -1/2.
double cubic(double x) {
    constexpr double a = -0.5;
    x = std::fabs(x);
    if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
    if (x < 2) return a * (((x - 5) * x + 8) * x - 4);
    return 0;
}

}  // namespace

// The filter is stretched by the scale when the picture shrinks: that is the antialiasing. For
// target o it is centred on c = (o + 1/2) * source / target and reaches s to both sides, so its
// taps are [trunc(c - s + 1/2), trunc(c + s + 1/2)), cut at the borders and normalised to sum 1
// before they are rounded, half away from zero.
axis_filter make_axis_filter(int32_t source, int32_t target, mim_interpolation interpolation) {
    const double scale = double(source) / target;
    const double stretch = std::max(scale, 1.0);
    const double reach = (interpolation == MIM_BICUBIC ? 2.0 : 1.0) * stretch;
    const double inverse_stretch = 1.0 / stretch;
    axis_filter filter;
    filter.spans.reserve(size_t(target));
    std::vector<double> exact;
    for (int32_t o = 0; o < target; ++o) {
        const double centre = (o + 0.5) * scale;
        const int64_t first = std::max<int64_t>(int64_t(centre - reach + 0.5), 0);
        const int64_t last = std::min<int64_t>(int64_t(centre + reach + 0.5), source);
        exact.clear();
        double sum = 0;
        for (int64_t i = first; i < last; ++i) {
            const double x = (double(i) - centre + 0.5) * inverse_stretch;
            exact.push_back(interpolation == MIM_BICUBIC ? cubic(x) : triangle(x));
            sum += exact.back();
        }
        filter.spans.push_back(
            {int32_t(first), int32_t(last - first), int64_t(filter.weights.size())});
        for (const double weight : exact) {
            const double scaled = weight / sum * (1 << weight_bits);
            filter.weights.push_back(int32_t(scaled + (scaled < 0 ? -0.5 : 0.5)));
        }
    }
    return filter;
}

void require_interpolation(int32_t interpolation) {
    if (interpolation != MIM_BILINEAR && interpolation != MIM_BICUBIC)
        fail_argument("interpolation is " + std::to_string(interpolation) +
                      ", expected MIM_BILINEAR or MIM_BICUBIC");
}

void resample(const mim_image& image, const mim_box& box, int32_t height, int32_t width,
              mim_interpolation interpolation, const row_sink& sink) {
    const uint8_t* rows = image.row(box.top) + int64_t(box.left) * 3;
    int64_t stride = int64_t(image.width) * 3;
    std::unique_ptr<uint8_t[]> narrowed;
    if (width != box.width) {
        const axis_filter filter = make_axis_filter(box.width, width, interpolation);
        const int64_t narrow_stride = padded(int64_t(width) * 3);
        const int64_t bands = (int64_t(box.height) + 15) / 16;
        narrowed = std::make_unique_for_overwrite<uint8_t[]>(size_t(bands * 16 * narrow_stride));
        const auto scratch =
            std::make_unique<uint8_t[]>(size_t(resize_rows_scratch(box.width, width)));
        for (int64_t band = 0; band < bands; ++band) {
            const uint8_t* sources[16];
            // the last band repeats the last row; nobody reads the copies
            for (int64_t i = 0; i < 16; ++i)
                sources[i] = rows + std::min<int64_t>(band * 16 + i, box.height - 1) * stride;
            resize_rows(narrowed.get() + band * 16 * narrow_stride, narrow_stride, sources,
                        box.width, filter, scratch.get());
        }
        rows = narrowed.get();
        stride = narrow_stride;
    }
    if (height == box.height) {
        for (int64_t y = 0; y < height; ++y) sink(y, rows + y * stride);
        return;
    }
    const axis_filter filter = make_axis_filter(box.height, height, interpolation);
    const auto row = std::make_unique_for_overwrite<uint8_t[]>(size_t(padded(int64_t(width) * 3)));
    for (int64_t y = 0; y < height; ++y) {
        const filter_span& span = filter.spans[size_t(y)];
        weighted_sum(row.get(), rows + span.first * stride, stride, filter.weights_of(span),
                     span.count, int64_t(width) * 3);
        sink(y, row.get());
    }
}

}  // namespace mim::image

using namespace mim;

mim_status mim_image_resized_crop(mim_image** result, const mim_image* image, const mim_box* box,
                                  int32_t height, int32_t width, int32_t interpolation) {
    return guarded("mim_image_resized_crop", [&] {
        require_present({MIM_ARG(result), MIM_ARG(image), MIM_ARG(box)});
        *result = nullptr;
        image::require_inside(*image, *box);
        image::require_extent(height, width);
        image::require_interpolation(interpolation);
        image::picture resized = image::new_picture(height, width);
        image::resample(*image, *box, height, width, mim_interpolation(interpolation),
                        [&](int64_t y, const uint8_t* row) {
                            std::memcpy(resized->row(y), row, size_t(width) * 3);
                        });
        *result = resized.release();
    });
}
