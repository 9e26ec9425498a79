// PNG: every colour type and depth that the format has, exactly; and encoding.
#include <png.h>

#include "image_support.h"

using namespace image_test;

namespace {

// Sample i of a packed row, as stored.
int sample(const uint8_t* row, int i, int depth) {
    if (depth == 16) return row[2 * i] << 8 | row[2 * i + 1];
    const int bit = i * depth;
    return row[bit / 8] >> (8 - depth - bit % 8) & ((1 << depth) - 1);
}

int channels_of(int colour_type) {
    switch (colour_type) {
        case PNG_COLOR_TYPE_GRAY_ALPHA:
            return 2;
        case PNG_COLOR_TYPE_RGB:
            return 3;
        case PNG_COLOR_TYPE_RGB_ALPHA:
            return 4;
        default:
            return 1;
    }
}

void check(int height, int width, const png_kind& kind) {
    SCOPED_TRACE(testing::Message()
                 << height << " x " << width << ", colour type " << kind.colour_type << ", depth "
                 << kind.depth << (kind.interlaced ? ", interlaced" : "")
                 << (kind.transparency ? ", transparency" : ""));
    const int channels = channels_of(kind.colour_type);
    const int stride = (width * channels * kind.depth + 7) / 8;
    byte_vector rows = noise(height, stride).rgb;
    rows.resize(size_t(height * stride));
    const bool has_palette = kind.colour_type == PNG_COLOR_TYPE_PALETTE;
    const byte_vector palette = has_palette ? noise(1, 1 << kind.depth, 7).rgb : byte_vector();
    raster want = black(height, width);
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x)
            for (int c = 0; c < 3; ++c) {
                const uint8_t* row = rows.data() + y * stride;
                const int stored = sample(row, x * channels + (channels >= 3 ? c : 0), kind.depth);
                want.at(y, x, c) = has_palette ? palette[size_t(stored * 3 + c)]
                                   : kind.depth == 16
                                       ? uint8_t(stored >> 8)
                                       : uint8_t(stored * 255 / ((1 << kind.depth) - 1));
            }
    const byte_vector file = png_file(height, width, rows, kind, palette);
    EXPECT_EQ(decode(file), want);
    const mim_image_info info = info_of(file);
    EXPECT_EQ(info.format, MIM_IMAGE_PNG);
    EXPECT_EQ(info.width, width);
    EXPECT_EQ(info.height, height);
    EXPECT_EQ(info.channels, has_palette ? 3 : channels);
}

}  // namespace

TEST(image_png, every_colour_type_and_depth) {
    const std::pair<int, std::vector<int>> kinds[] = {{PNG_COLOR_TYPE_GRAY, {1, 2, 4, 8, 16}},
                                                      {PNG_COLOR_TYPE_RGB, {8, 16}},
                                                      {PNG_COLOR_TYPE_PALETTE, {1, 2, 4, 8}},
                                                      {PNG_COLOR_TYPE_GRAY_ALPHA, {8, 16}},
                                                      {PNG_COLOR_TYPE_RGB_ALPHA, {8, 16}}};
    for (const auto& [colour_type, depths] : kinds)
        for (const int depth : depths)
            for (const bool interlaced : {false, true})
                for (const bool transparency : {false, true}) {
                    if (transparency && (colour_type & PNG_COLOR_MASK_ALPHA))
                        continue;  // PNG forbids it
                    for (const auto& [height, width] : {std::pair(1, 1), {5, 7}, {33, 20}})
                        check(height, width, {colour_type, depth, interlaced, transparency});
                }
}

TEST(image_png, encoded_pictures_come_back) {
    for (const auto& [height, width] : {std::pair(1, 1), {5, 7}, {3, 20000}, {224, 224}}) {
        const raster want = noise(height, width);
        const image picture = make(want);
        uint8_t* bytes = nullptr;
        int64_t count = 0;
        ok(mim_image_encode_png(&bytes, &count, picture.get()));
        EXPECT_EQ(decode(byte_vector(bytes, bytes + count)), want);
        mim_bytes_destroy(bytes);
    }
    mim_bytes_destroy(nullptr);
}

TEST(image_png, damage_is_reported) {
    const byte_vector file = png_file(9, 9, noise(9, 9).rgb, {PNG_COLOR_TYPE_RGB, 8});
    mim_image* decoded = nullptr;
    byte_vector damaged = file;
    damaged[file.size() - 20] ^= 1;  // the checksum of the pixels
    fails(mim_image_decode(&decoded, damaged.data(), int64_t(damaged.size()), 1),
          MIM_ERROR_CORRUPT_DATA, {"mim_image_decode", "bytes", "PNG", "IDAT"});
    fails(mim_image_decode(&decoded, file.data(), int64_t(file.size()) - 20, 1),
          MIM_ERROR_CORRUPT_DATA, {"mim_image_decode", "bytes", "PNG", "ends early"});
}

TEST(image_png, too_many_pixels_are_refused) {
    // A header that promises 2^15 x 2^14 pixels, with a right checksum, and nothing after it.
    byte_vector file = png_file(1, 1, {0}, {PNG_COLOR_TYPE_GRAY, 8});
    const uint8_t sizes[] = {0, 0, 0x80, 0, 0, 0, 0x40, 0};
    std::copy(sizes, sizes + 8, file.begin() + 16);
    uint32_t crc = 0xffffffffu;
    for (int i = 12; i < 29; ++i) {
        crc ^= file[size_t(i)];
        for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    for (int i = 0; i < 4; ++i) file[size_t(29 + i)] = uint8_t(~crc >> (24 - 8 * i));
    EXPECT_EQ(info_of(file).width, 1 << 15);
    mim_image* decoded = nullptr;
    fails(mim_image_decode(&decoded, file.data(), int64_t(file.size()), 1), MIM_ERROR_CORRUPT_DATA,
          {"mim_image_decode", "bytes", "32768 x 16384", "2^28"});
}
