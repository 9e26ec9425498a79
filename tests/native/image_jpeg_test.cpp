// JPEG: grey, colour with and without subsampling, progressive, CMYK and YCCK as Adobe writes them.
#include "image_support.h"

using namespace image_test;

TEST(image_jpeg, colour) {
    const raster want = gradient(45, 67);
    for (const bool subsampled : {false, true})
        for (const bool progressive : {false, true}) {
            const byte_vector file =
                jpeg_file(45, 67, want.rgb, {.subsampled = subsampled, .progressive = progressive});
            EXPECT_LE(largest_difference(decode(file), want), subsampled ? 4 : 3);
            const mim_image_info info = info_of(file);
            EXPECT_EQ(info.format, MIM_IMAGE_JPEG);
            EXPECT_EQ(info.width, 67);
            EXPECT_EQ(info.height, 45);
            EXPECT_EQ(info.channels, 3);
            EXPECT_EQ(info.orientation, 1);
        }
}

TEST(image_jpeg, chroma_is_upsampled_smoothly) {
    // Left half red, right half blue, the edge on a chroma sample: repeated samples would give two
    // colours only.
    raster picture = black(16, 32);
    for (int y = 0; y < 16; ++y)
        for (int x = 0; x < 32; ++x) picture.at(y, x, x < 16 ? 0 : 2) = 255;
    const raster got = decode(jpeg_file(16, 32, picture.rgb, {.subsampled = true}));
    EXPECT_GT(got.at(8, 14, 0), got.at(8, 15, 0) + 20);
    EXPECT_GT(got.at(8, 17, 2), got.at(8, 16, 2) + 20);
}

TEST(image_jpeg, grey_is_repeated) {
    byte_vector grey;
    for (int i = 0; i < 19 * 23; ++i) grey.push_back(uint8_t(20 + i / 3));
    const byte_vector file = jpeg_file(19, 23, grey, {.components = 1});
    const raster got = decode(file);
    for (int i = 0; i < 19 * 23; ++i)
        for (int c = 0; c < 3; ++c) EXPECT_NEAR(got.at(i / 23, i % 23, c), grey[size_t(i)], 2);
    for (int i = 0; i < 19 * 23; ++i)
        EXPECT_EQ(got.at(i / 23, i % 23, 0), got.at(i / 23, i % 23, 2));
    EXPECT_EQ(info_of(file).channels, 1);
}

TEST(image_jpeg, inks) {
    // Flat pictures survive the coding to a step or two, so the conversion is checked across its
    // range.
    const int inks[][4] = {{0, 0, 0, 0},      {255, 255, 255, 255}, {255, 0, 0, 0},
                           {0, 255, 0, 40},   {10, 90, 200, 0},     {120, 30, 60, 128},
                           {200, 180, 7, 251}};
    for (const bool ycck : {false, true})
        for (const auto& ink : inks) {
            byte_vector stored;  // inverted, as Adobe's programs write them
            for (int i = 0; i < 16 * 16 * 4; ++i) stored.push_back(uint8_t(255 - ink[i % 4]));
            const byte_vector file = jpeg_file(16, 16, stored, {.components = 4, .ycck = ycck});
            EXPECT_EQ(info_of(file).channels, 4);
            const raster got = decode(file);
            for (int i = 0; i < 256; ++i)
                for (int c = 0; c < 3; ++c) {
                    const double want = (255 - ink[c]) * (255 - ink[3]) / 255.0;
                    EXPECT_NEAR(got.at(i / 16, i % 16, c), want, ycck ? 3.0 : 1.5) << "ink " << c;
                }
        }
}

TEST(image_jpeg, damage_is_reported_in_the_decoders_words) {
    const byte_vector file = jpeg_file(64, 64, noise(64, 64).rgb);
    mim_image* decoded = nullptr;
    fails(mim_image_decode(&decoded, file.data(), int64_t(file.size()) / 2, 1),
          MIM_ERROR_CORRUPT_DATA,
          {"mim_image_decode", "bytes", "JPEG", "Premature end of JPEG file"});
    EXPECT_EQ(decoded, nullptr);

    byte_vector damaged = file;
    damaged[damaged.size() / 2] = 0xff;  // a marker amid the pixels
    damaged[damaged.size() / 2 + 1] = 0xd9;
    fails(mim_image_decode(&decoded, damaged.data(), int64_t(damaged.size()), 1),
          MIM_ERROR_CORRUPT_DATA, {"mim_image_decode", "bytes", "JPEG", "Corrupt JPEG data"});
}
