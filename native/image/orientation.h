// How a picture should be turned, as its camera or an editor wrote it into the file, and turning it.
#pragma once

#include <optional>
#include <span>

#include "image/image.h"

namespace mim::image {

// The orientation tag of an EXIF block (a TIFF header and its first directory, with or without
// "Exif\0\0" before it). Nothing where there is no such tag, or no sound block: broken metadata is
// no reason to refuse sound pixels. 1 where the tag holds something that is no orientation.
std::optional<int32_t> exif_orientation(std::span<const uint8_t> block);

// The same of an XMP packet, from tiff:Orientation as an attribute or as an element.
std::optional<int32_t> xmp_orientation(std::span<const uint8_t> packet);

// 1 to 8. EXIF counts; XMP only where EXIF says nothing. This is Pillow's order.
inline int32_t stated_orientation(std::span<const uint8_t> exif, std::span<const uint8_t> xmp) {
    const std::optional<int32_t> stated = exif_orientation(exif);
    return stated ? *stated : xmp_orientation(xmp).value_or(1);
}

inline bool swaps_sides(int32_t orientation) {
    return orientation >= 5;
}

// The picture as it should be seen.
picture upright(picture stored, int32_t orientation);

}  // namespace mim::image
