// Decoders: one pair of functions per format. Each throws MIM_ERROR_CORRUPT_DATA with the decoder's
// own sentence.
#pragma once

#include <span>

#include "image/image.h"

namespace mim::image {

using encoded = std::span<const uint8_t>;

// Sizes and orientation are as stored; read_info and decode turn them.
struct header {
    int64_t width;
    int64_t height;
    int32_t channels;
    int32_t orientation;
};

header read_jpeg_header(encoded bytes);
header read_png_header(encoded bytes);
header read_webp_header(encoded bytes);

struct decoded {
    picture pixels;
    int32_t orientation;
};

decoded decode_jpeg(encoded bytes);
decoded decode_png(encoded bytes);
decoded decode_webp(encoded bytes);

// A picture for what a file's header says, refused before anything is allocated where it is too
// large.
picture picture_of(const header& about);

}  // namespace mim::image
