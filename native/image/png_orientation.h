// The orientation in a PNG's metadata.
#pragma once

#include "image/decode.h"

namespace mim::image {

// From the eXIf chunk, from EXIF that ImageMagick and others write as a text, or from XMP. Metadata
// may stand before or after the pixels. All of `bytes` is a PNG file, or the part of it that is
// there.
int32_t png_orientation(encoded bytes);

}  // namespace mim::image
