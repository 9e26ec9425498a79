// Pixels to the values that a network reads: (pixel / 255 - mean) / std per channel, from a table
// of 256, planes (3, H, W).
#include <array>
#include <cmath>

#include "core/normalized.h"
#include "image/image.h"
#include "image/resample.h"

namespace mim::image {

namespace {

struct value_table {
    std::array<float, 256> of[3];
};

value_table make_table(const float* mean, const float* std) {
    value_table table;
    for (int c = 0; c < 3; ++c) {
        if (!std::isfinite(mean[c]))
            fail_argument("mean[" + std::to_string(c) + "] is " + std::to_string(mean[c]) +
                          ", expected a finite number");
        if (!(std::isfinite(std[c]) && std[c] > 0))
            fail_argument("std[" + std::to_string(c) + "] is " + std::to_string(std[c]) +
                          ", expected a finite number above 0");
        for (int u = 0; u < 256; ++u)
            table.of[c][size_t(u)] = normalized(uint8_t(u), mean[c], std[c]);
    }
    return table;
}

// One row of each plane; with step -1, values points at the row's last element.
template <int step>
void normalize_row(float* values, int64_t plane, const uint8_t* row, int64_t width,
                   const value_table& table) {
    float *red = values, *green = values + plane, *blue = values + 2 * plane;
    for (int64_t x = 0; x < width; ++x) {
        red[step * x] = table.of[0][row[3 * x]];
        green[step * x] = table.of[1][row[3 * x + 1]];
        blue[step * x] = table.of[2][row[3 * x + 2]];
    }
}

}  // namespace

}  // namespace mim::image

using namespace mim;

mim_status mim_image_normalize(float* values, const mim_image* image, const float* mean,
                               const float* std) {
    return guarded("mim_image_normalize", [&] {
        require_present({MIM_ARG(values), MIM_ARG(image), MIM_ARG(mean), MIM_ARG(std)});
        const image::value_table table = image::make_table(mean, std);
        const int64_t plane = int64_t(image->height) * image->width;
        for (int64_t y = 0; y < image->height; ++y)
            image::normalize_row<1>(values + y * image->width, plane, image->row(y), image->width,
                                    table);
    });
}

mim_status mim_image_sample(float* values, const mim_image* image, const mim_box* box,
                            int32_t height, int32_t width, int32_t interpolation, int32_t flip,
                            const float* mean, const float* std) {
    return guarded("mim_image_sample", [&] {
        require_present(
            {MIM_ARG(values), MIM_ARG(image), MIM_ARG(box), MIM_ARG(mean), MIM_ARG(std)});
        image::require_inside(*image, *box);
        image::require_extent(height, width);
        image::require_interpolation(interpolation);
        if (flip != 0 && flip != 1)
            fail_argument("flip is " + std::to_string(flip) + ", expected 0 or 1");
        const image::value_table table = image::make_table(mean, std);
        const int64_t plane = int64_t(height) * width;
        image::resample(*image, *box, height, width, mim_interpolation(interpolation),
                        [&](int64_t y, const uint8_t* row) {
                            float* first = values + y * width;
                            if (flip == 1)
                                image::normalize_row<-1>(first + width - 1, plane, row, width,
                                                         table);
                            else
                                image::normalize_row<1>(first, plane, row, width, table);
                        });
    });
}
