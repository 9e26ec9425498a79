// The orientation that a camera writes into its EXIF data, and turning a picture by it.
#pragma once

#include <span>

#include "image/image.h"

namespace mim::image {

// The orientation tag of an EXIF block (a TIFF header and its first directory, with or without
// "Exif\0\0" before it), 1 to 8. 1 where the block is absent or unsound: broken metadata is no
// reason to refuse sound pixels.
int32_t exif_orientation(std::span<const uint8_t> block);

inline bool swaps_sides(int32_t orientation) {
    return orientation >= 5;
}

// The picture as it should be seen.
picture upright(picture stored, int32_t orientation);

}  // namespace mim::image
