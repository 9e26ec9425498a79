// Files that are empty, something else, broken off at any byte, or wrong in any byte: an error or a
// picture, never a crash; and read_info agrees with decode.
#include <png.h>

#include <string_view>

#include "image_support.h"

using namespace image_test;

namespace {

std::vector<byte_vector> small_files() {
    const raster picture = noise(9, 11);
    const byte_vector rgba = rgba_of(picture, -1), block = exif(6, true);
    byte_vector inks = noise(9, 16).rgb;
    inks.resize(9 * 11 * 4);
    return {
        jpeg_file(9, 11, picture.rgb, {.subsampled = true}, block),
        jpeg_file(9, 11, picture.rgb, {.progressive = true}),
        jpeg_file(9, 11, inks, {.components = 4, .ycck = true}),
        png_file(9, 11, rgba, {PNG_COLOR_TYPE_RGB_ALPHA, 8, true}, {}, block),
        png_file(9, 11, byte_vector(9 * 2, 0x5a), {PNG_COLOR_TYPE_PALETTE, 1, false, true},
                 {1, 2, 3, 4, 5, 6}),
        webp_file(9, 11, rgba, true),
        webp_with_exif(webp_file(9, 11, rgba, false), 9, 11, true, block),
    };
}

// A copy of exactly these bytes, so that a sanitizer sees a step past their end.
mim_status try_decode(const uint8_t* bytes, size_t count) {
    const auto copy = std::make_unique<uint8_t[]>(count);
    std::copy(bytes, bytes + count, copy.get());
    mim_image_info info{};
    info.size = int32_t(sizeof info);
    const mim_status header = mim_image_read_info(&info, copy.get(), int64_t(count));
    EXPECT_TRUE(header == MIM_OK || header == MIM_ERROR_CORRUPT_DATA) << mim_last_error();
    mim_image* decoded = nullptr;
    const mim_status status = mim_image_decode(&decoded, copy.get(), int64_t(count), 1);
    EXPECT_EQ(decoded != nullptr, status == MIM_OK);
    if (status == MIM_OK && header == MIM_OK) {
        EXPECT_EQ(mim_image_width(decoded), info.width);
        EXPECT_EQ(mim_image_height(decoded), info.height);
    }
    mim_image_destroy(decoded);
    return status;
}

}  // namespace

TEST(image_damage, whole_files) {
    for (const byte_vector& file : small_files())
        EXPECT_EQ(try_decode(file.data(), file.size()), MIM_OK) << mim_last_error();
}

TEST(image_damage, headers_that_end_early) {  // image_cut has the pixels
    for (const byte_vector& file : small_files())
        for (size_t count = 0; count < file.size(); ++count) {
            const mim_status status = try_decode(file.data(), count);
            EXPECT_TRUE(status == MIM_OK || status == MIM_ERROR_CORRUPT_DATA) << mim_last_error();
        }
}

TEST(image_damage, any_wrong_byte) {
    for (const byte_vector& file : small_files())
        for (size_t i = 0; i < file.size(); ++i)
            for (const int flip : {0x01, 0x80, 0xff}) {
                byte_vector damaged = file;
                damaged[i] = uint8_t(damaged[i] ^ flip);
                const mim_status status = try_decode(damaged.data(), damaged.size());
                EXPECT_TRUE(status == MIM_OK || status == MIM_ERROR_CORRUPT_DATA)
                    << mim_last_error();
            }
}

TEST(image_damage, other_files) {
    mim_image* decoded = nullptr;
    const std::string_view text = "\x03\x0e\x1b\x7f";
    fails(mim_image_decode(&decoded, text.data(), int64_t(text.size()), 1), MIM_ERROR_CORRUPT_DATA,
          {"mim_image_decode", "bytes", "JPEG, PNG or WebP", "03 0e 1b 7f"});
    fails(mim_image_decode(&decoded, nullptr, 0, 1), MIM_ERROR_CORRUPT_DATA,
          {"mim_image_decode", "bytes is empty"});
    mim_image_info info{};
    info.size = int32_t(sizeof info);
    fails(mim_image_read_info(&info, text.data(), int64_t(text.size())), MIM_ERROR_CORRUPT_DATA,
          {"mim_image_read_info", "bytes", "JPEG, PNG or WebP"});
}

TEST(image_damage, wrong_arguments) {
    mim_image* decoded = nullptr;
    const byte_vector file = small_files()[3];
    const int64_t count = int64_t(file.size());
    fails(mim_image_decode(nullptr, file.data(), count, 1), MIM_ERROR_INVALID_ARGUMENT,
          {"image is null"});
    fails(mim_image_decode(&decoded, nullptr, count, 1), MIM_ERROR_INVALID_ARGUMENT,
          {"bytes is null"});
    fails(mim_image_decode(&decoded, file.data(), -1, 1), MIM_ERROR_INVALID_ARGUMENT,
          {"count is -1"});
    fails(mim_image_decode(&decoded, file.data(), count, 2), MIM_ERROR_INVALID_ARGUMENT,
          {"apply_orientation is 2"});
    mim_image_info info{};
    fails(mim_image_read_info(nullptr, file.data(), count), MIM_ERROR_INVALID_ARGUMENT,
          {"info is null"});
    fails(mim_image_read_info(&info, file.data(), count), MIM_ERROR_INVALID_ARGUMENT,
          {"info.size is 0"});
    fails(mim_image_create(&decoded, 0, 4, nullptr), MIM_ERROR_INVALID_ARGUMENT,
          {"mim_image_create", "0 and 4"});
    fails(mim_image_create(&decoded, 1 << 15, 1 << 14, nullptr), MIM_ERROR_INVALID_ARGUMENT,
          {"2^28"});
    uint8_t* bytes = nullptr;
    int64_t size = 0;
    fails(mim_image_encode_png(&bytes, &size, nullptr), MIM_ERROR_INVALID_ARGUMENT,
          {"image is null"});
    mim_image_destroy(nullptr);
    EXPECT_EQ(mim_image_height(nullptr), 0);
    EXPECT_EQ(mim_image_width(nullptr), 0);
    EXPECT_EQ(mim_image_pixels(nullptr), nullptr);
}
