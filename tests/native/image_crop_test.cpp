// Crops, reflected borders and flips, pixel by pixel.
#include <algorithm>

#include "image_support.h"

using namespace image_test;

TEST(image_crop, outside_is_black) {
    const raster in = noise(5, 7);
    const image source = make(in);
    for (const mim_box& box :
         {mim_box{0, 0, 5, 7}, mim_box{1, 2, 3, 4}, mim_box{-2, -3, 4, 5}, mim_box{3, 5, 6, 9},
          mim_box{-1, -1, 7, 9}, mim_box{40, 2, 2, 2}, mim_box{INT32_MIN, INT32_MAX, 1, 2}}) {
        mim_image* result = nullptr;
        ok(mim_image_crop(&result, source.get(), &box));
        const raster got = read(image(result));
        ASSERT_EQ(got.height, box.height);
        ASSERT_EQ(got.width, box.width);
        for (int y = 0; y < box.height; ++y)
            for (int x = 0; x < box.width; ++x) {
                const int64_t sy = int64_t(box.top) + y, sx = int64_t(box.left) + x;
                const bool inside = sy >= 0 && sy < 5 && sx >= 0 && sx < 7;
                for (int c = 0; c < 3; ++c)
                    EXPECT_EQ(got.at(y, x, c), inside ? in.at(int(sy), int(sx), c) : 0);
            }
    }
    mim_image* result = nullptr;
    const mim_box empty = {0, 0, 3, 0};
    fails(mim_image_crop(&result, source.get(), &empty), MIM_ERROR_INVALID_ARGUMENT,
          {"mim_image_crop", "3 and 0"});
}

TEST(image_pad_reflect, mirrors_without_the_edge) {
    const raster in = noise(5, 7);
    const image source = make(in);
    const int rows[] = {4, 3, 2, 1, 0, 1, 2,
                        3, 4, 3, 2, 1, 0};  // what a border of 4 shows of 0 to 4
    const int columns[] = {4, 3, 2, 1, 0, 1, 2, 3, 4, 5, 6, 5, 4, 3, 2};
    for (int pad = 0; pad <= 4; ++pad) {
        mim_image* result = nullptr;
        ok(mim_image_pad_reflect(&result, source.get(), pad));
        const raster got = read(image(result));
        ASSERT_EQ(got.height, 5 + 2 * pad);
        ASSERT_EQ(got.width, 7 + 2 * pad);
        for (int y = 0; y < got.height; ++y)
            for (int x = 0; x < got.width; ++x)
                for (int c = 0; c < 3; ++c)
                    EXPECT_EQ(got.at(y, x, c), in.at(rows[y + 4 - pad], columns[x + 4 - pad], c));
    }
    mim_image* result = nullptr;
    for (const int pad : {-1, 5, INT32_MAX})
        fails(mim_image_pad_reflect(&result, source.get(), pad), MIM_ERROR_INVALID_ARGUMENT,
              {"mim_image_pad_reflect", "pad is", "height 5"});
}

TEST(image_flip, mirrors_left_and_right) {
    for (const int width : {1, 2, 7}) {
        const raster in = noise(3, width);
        const image picture = make(in);
        ok(mim_image_flip(picture.get()));
        const raster got = read(picture);
        for (int y = 0; y < 3; ++y)
            for (int x = 0; x < width; ++x)
                for (int c = 0; c < 3; ++c) EXPECT_EQ(got.at(y, x, c), in.at(y, width - 1 - x, c));
    }
    fails(mim_image_flip(nullptr), MIM_ERROR_INVALID_ARGUMENT, {"mim_image_flip", "image is null"});
}

TEST(image_create, black_and_written) {
    mim_image* made = nullptr;
    ok(mim_image_create(&made, 3, 5, nullptr));
    const image picture(made);
    EXPECT_EQ(read(picture), black(3, 5));
    mim_image_pixels(made)[44] = 9;
    EXPECT_EQ(read(picture).at(2, 4, 2), 9);
}
