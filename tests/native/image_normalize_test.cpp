// Normalisation to the last bit, and the fused sample against the separate calls.
#include <cmath>

#include "image_support.h"

using namespace image_test;

namespace {
const float mean[3] = {0.485f, 0.456f, 0.406f}, deviation[3] = {0.229f, 0.224f, 0.225f};
}

TEST(image_normalize, every_pixel_value) {
    raster in = black(2, 256);
    for (int x = 0; x < 256; ++x)
        for (int c = 0; c < 3; ++c)
            in.at(0, x, c) = uint8_t(x), in.at(1, x, c) = uint8_t(x * (2 * c + 3));
    std::vector<float> values(in.rgb.size(), NAN);
    ok(mim_image_normalize(values.data(), make(in).get(), mean, deviation));
    for (int c = 0; c < 3; ++c)
        for (int y = 0; y < 2; ++y)
            for (int x = 0; x < 256; ++x) {
                const float scaled = float(in.at(y, x, c)) / 255.0f;  // each step rounded to f32
                const float centred = scaled - mean[c];
                EXPECT_EQ(values[size_t((c * 2 + y) * 256 + x)], centred / deviation[c]);
            }
}

TEST(image_sample, equals_the_separate_calls) {
    const image source = make(noise(61, 83));
    for (const mim_box& box : {mim_box{0, 0, 61, 83}, mim_box{60, 82, 1, 1}, mim_box{5, 9, 40, 31}})
        for (const auto& [height, width] : {std::pair(1, 1), {40, 31}, {17, 33}, {64, 64}})
            for (const int interpolation : {MIM_BILINEAR, MIM_BICUBIC})
                for (const int flip : {0, 1}) {
                    const size_t count = size_t(height * width * 3);
                    mim_image* crop = nullptr;
                    ok(mim_image_resized_crop(&crop, source.get(), &box, height, width,
                                              interpolation));
                    const image owned(crop);
                    if (flip) ok(mim_image_flip(crop));
                    std::vector<float> want(count, NAN), got(count + 1, NAN);
                    ok(mim_image_normalize(want.data(), crop, mean, deviation));
                    ok(mim_image_sample(got.data(), source.get(), &box, height, width,
                                        interpolation, flip, mean, deviation));
                    EXPECT_TRUE(std::isnan(got.back()));  // nothing past the end
                    got.pop_back();
                    EXPECT_EQ(got, want);
                }
}

TEST(image_sample, wrong_arguments) {
    const image source = make(noise(5, 7));
    float values[3];
    const mim_box whole = {0, 0, 5, 7}, outside = {0, 0, 6, 7};
    const float flat[3] = {1.0f, 0.0f, 1.0f};
    fails(mim_image_sample(values, source.get(), &outside, 1, 1, MIM_BICUBIC, 0, mean, deviation),
          MIM_ERROR_INVALID_ARGUMENT, {"mim_image_sample", "box is 6 x 7"});
    fails(mim_image_sample(values, source.get(), &whole, 1, 1, 7, 0, mean, deviation),
          MIM_ERROR_INVALID_ARGUMENT, {"interpolation is 7"});
    fails(mim_image_sample(values, source.get(), &whole, 1, 1, MIM_BICUBIC, 2, mean, deviation),
          MIM_ERROR_INVALID_ARGUMENT, {"flip is 2"});
    fails(mim_image_sample(values, source.get(), &whole, 1, 1, MIM_BICUBIC, 0, mean, flat),
          MIM_ERROR_INVALID_ARGUMENT, {"std[1] is 0"});
    const float broken[3] = {0.0f, 0.0f, NAN};
    fails(mim_image_normalize(values, source.get(), broken, deviation), MIM_ERROR_INVALID_ARGUMENT,
          {"mean[2]"});
    fails(mim_image_normalize(nullptr, source.get(), mean, deviation), MIM_ERROR_INVALID_ARGUMENT,
          {"values is null"});
}
