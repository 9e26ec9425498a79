// Pictures in memory: 8-bit RGB, rows dense, top row first.
#pragma once

#include <memory>

#include "core/error.h"
#include "core/view.h"
#include "mim/image.h"

struct mim_image {
    int32_t height;
    int32_t width;
    std::unique_ptr<uint8_t[]> pixels;  // height * width * 3, then mim::image::slack bytes of zero

    const uint8_t* row(int64_t y) const { return pixels.get() + y * width * 3; }
    uint8_t* row(int64_t y) { return pixels.get() + y * width * 3; }
};

namespace mim::image {

using picture = std::unique_ptr<mim_image>;

constexpr int64_t largest_count = int64_t(1) << 28;  // pixels

// Readable bytes past the last pixel: the resampler loads whole vectors from any pixel on.
constexpr int64_t slack = 64;

// Pixels are undefined until written.
picture new_picture(int64_t height, int64_t width);

// height and width of a result that a caller asks for: at least 1, at most largest_count pixels.
void require_extent(int64_t height, int64_t width);
void require_inside(const mim_image& image, const mim_box& box);

}  // namespace mim::image
