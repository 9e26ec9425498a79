// What the image tests share: pictures as plain vectors, calls that must succeed or fail, and
// encoders for the files that the library decodes.
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "mim/mim.h"

namespace image_test {

using byte_vector = std::vector<uint8_t>;

struct raster {
    int height, width;
    byte_vector rgb;

    int at(int y, int x, int c) const { return rgb[size_t((y * width + x) * 3 + c)]; }
    uint8_t& at(int y, int x, int c) { return rgb[size_t((y * width + x) * 3 + c)]; }
    bool operator==(const raster&) const = default;
};

raster black(int height, int width);
raster noise(int height, int width, uint32_t seed = 1);
raster gradient(int height, int width);  // survives lossy coding

struct image_end {
    void operator()(mim_image* image) const { mim_image_destroy(image); }
};
using image = std::unique_ptr<mim_image, image_end>;

void ok(mim_status status);
void fails(mim_status status, mim_status expected, std::initializer_list<const char*> words);

image make(const raster& pixels);
raster read(const image& image);
raster decode(const byte_vector& file, bool apply_orientation = true);
mim_image_info info_of(const byte_vector& file);
int largest_difference(const raster& a, const raster& b);

// An EXIF block that holds nothing but an orientation.
byte_vector exif(int orientation, bool big_endian);

struct jpeg_kind {
    int components = 3;  // of `samples`: 1 grey, 3 RGB, 4 inks
    bool subsampled = false;
    bool progressive = false;
    bool ycck = false;
    bool separate_scans = false;  // one per component; progressive: one more for all means
    bool arithmetic = false;      // codes
    int restart_blocks = 0;       // between two restart markers
};
byte_vector jpeg_file(int height, int width, const byte_vector& samples, const jpeg_kind& kind = {},
                      const byte_vector& exif_block = {});

struct png_kind {
    int colour_type;  // PNG_COLOR_TYPE_*
    int depth;
    bool interlaced = false;
    bool transparency = false;  // a tRNS chunk
};
// rows: packed as PNG stores them. palette: 2^depth colours.
byte_vector png_file(int height, int width, const byte_vector& rows, const png_kind& kind,
                     const byte_vector& palette = {}, const byte_vector& exif_block = {});

// pixels: RGBA; lossless exactly keeps them.
byte_vector webp_file(int height, int width, const byte_vector& rgba, bool lossless);
// The same in the extended container, with an EXIF chunk.
byte_vector webp_with_exif(const byte_vector& still, int height, int width, bool alpha,
                           const byte_vector& exif_block);
byte_vector rgba_of(const raster& pixels, int alpha);

}  // namespace image_test
