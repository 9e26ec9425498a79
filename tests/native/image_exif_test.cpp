// EXIF orientations: from each format, in both byte orders, exactly where the format is exact.
#include <png.h>

#include "image_support.h"

using namespace image_test;

namespace {

enum side { top, bottom, left, right };
// EXIF 2.3, tag 0x0112: where the first stored row, and where the first stored column is seen.
const std::pair<side, side> seen_at[9] = {
    {},          {top, left},  {top, right},    {bottom, right}, {bottom, left},
    {left, top}, {right, top}, {right, bottom}, {left, bottom}};

raster turned(const raster& stored, int orientation) {
    const auto [row_side, column_side] = seen_at[orientation];
    const bool rows_stand = row_side == left || row_side == right;
    raster seen =
        rows_stand ? black(stored.width, stored.height) : black(stored.height, stored.width);
    for (int r = 0; r < stored.height; ++r)
        for (int c = 0; c < stored.width; ++c) {
            int y = 0, x = 0;
            for (const auto& [at, index] : {std::pair(row_side, r), std::pair(column_side, c)}) {
                if (at == top) y = index;
                if (at == bottom) y = seen.height - 1 - index;
                if (at == left) x = index;
                if (at == right) x = seen.width - 1 - index;
            }
            for (int k = 0; k < 3; ++k) seen.at(y, x, k) = uint8_t(stored.at(r, c, k));
        }
    return seen;
}

void check(const byte_vector& file, const raster& stored, int orientation, int tolerance) {
    SCOPED_TRACE(testing::Message() << "orientation " << orientation);
    const raster want = turned(stored, orientation);
    EXPECT_LE(largest_difference(decode(file), want), tolerance);
    EXPECT_LE(largest_difference(decode(file, false), stored), tolerance);
    const mim_image_info info = info_of(file);
    EXPECT_EQ(info.orientation, orientation);
    EXPECT_EQ(info.width, want.width);
    EXPECT_EQ(info.height, want.height);
}

}  // namespace

TEST(image_exif, every_orientation) {
    const raster exact = noise(5, 9), smooth = gradient(24, 40);
    for (int orientation = 1; orientation <= 8; ++orientation)
        for (const bool big_endian : {false, true}) {
            const byte_vector block = exif(orientation, big_endian);
            check(png_file(5, 9, exact.rgb, {PNG_COLOR_TYPE_RGB, 8}, {}, block), exact, orientation,
                  0);
            check(webp_with_exif(webp_file(5, 9, rgba_of(exact, 255), true), 5, 9, false, block),
                  exact, orientation, 0);
            check(jpeg_file(24, 40, smooth.rgb, {}, block), smooth, orientation, 3);
        }
}

TEST(image_exif, single_pixels_and_lines) {
    for (const auto& [height, width] : {std::pair(1, 1), {1, 6}, {6, 1}})
        for (int orientation = 1; orientation <= 8; ++orientation) {
            const raster stored = noise(height, width);
            check(png_file(height, width, stored.rgb, {PNG_COLOR_TYPE_RGB, 8}, {},
                           exif(orientation, true)),
                  stored, orientation, 0);
        }
}

TEST(image_exif, unsound_blocks_count_as_absent) {
    const raster stored = noise(2, 3);
    for (const int value : {0, 9, 65535}) {
        const byte_vector file =
            png_file(2, 3, stored.rgb, {PNG_COLOR_TYPE_RGB, 8}, {}, exif(value, false));
        check(file, stored, 1, 0);
    }
    const byte_vector block = exif(6, false), picture = gradient(8, 8).rgb;
    for (size_t length = 1; length < block.size(); ++length) {  // broken off anywhere
        const byte_vector part(block.begin(), block.begin() + int64_t(length));
        const mim_image_info info = info_of(jpeg_file(8, 8, picture, {}, part));
        EXPECT_EQ(info.orientation, length < 34 ? 1 : 6) << length;  // 34: both entries are there
    }
    byte_vector far = block;  // the directory lies at 4 GiB
    std::fill(far.begin() + 4, far.begin() + 8, uint8_t(0xff));
    EXPECT_EQ(info_of(jpeg_file(8, 8, picture, {}, far)).orientation, 1);
}
