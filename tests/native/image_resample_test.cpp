// Resized crops against Pillow's arithmetic written out one output at a time.
#include <cmath>
#include <thread>

#include "image_support.h"

using namespace image_test;

namespace {

double weight_at(double x, int interpolation) {
    const double t = std::fabs(x);
    if (interpolation == MIM_BILINEAR) return t < 1 ? 1 - t : 0;
    if (t < 1) return 1.5 * t * t * t - 2.5 * t * t + 1;  // Keys, a = -1/2
    return t < 2 ? -0.5 * t * t * t + 2.5 * t * t - 4 * t + 2 : 0;
}

raster widened(const raster& in, int width, int interpolation) {
    raster out = black(in.height, width);
    const double scale = double(in.width) / width, f = std::max(scale, 1.0);
    const double s = (interpolation == MIM_BICUBIC ? 2 : 1) * f;
    for (int o = 0; o < width; ++o) {
        const double c = (o + 0.5) * scale;
        const int first = std::max(0, int(c - s + 0.5)),
                  last = std::min(in.width, int(c + s + 0.5));
        double sum = 0;
        for (int i = first; i < last; ++i) sum += weight_at((i - c + 0.5) / f, interpolation);
        std::vector<int64_t> weights;
        for (int i = first; i < last; ++i)
            weights.push_back(
                std::llround(weight_at((i - c + 0.5) / f, interpolation) / sum * 4194304.0));
        for (int y = 0; y < in.height; ++y)
            for (int channel = 0; channel < 3; ++channel) {
                int64_t total = 2097152;
                for (int i = first; i < last; ++i)
                    total += weights[size_t(i - first)] * in.at(y, i, channel);
                const int64_t whole = int64_t(std::floor(double(total) / 4194304.0));
                out.at(y, o, channel) =
                    uint8_t(std::min<int64_t>(255, std::max<int64_t>(0, whole)));
            }
    }
    return out;
}

raster on_its_side(const raster& in) {
    raster out = black(in.width, in.height);
    for (int y = 0; y < in.height; ++y)
        for (int x = 0; x < in.width; ++x)
            for (int c = 0; c < 3; ++c) out.at(x, y, c) = uint8_t(in.at(y, x, c));
    return out;
}

raster cut(const raster& in, const mim_box& box) {
    raster out = black(box.height, box.width);
    for (int y = 0; y < box.height; ++y)
        for (int x = 0; x < box.width; ++x)
            for (int c = 0; c < 3; ++c)
                out.at(y, x, c) = uint8_t(in.at(box.top + y, box.left + x, c));
    return out;
}

raster resized(const raster& in, const mim_box& box, int height, int width, int interpolation) {
    raster r = cut(in, box);
    if (width != box.width) r = widened(r, width, interpolation);
    if (height != box.height) r = on_its_side(widened(on_its_side(r), height, interpolation));
    return r;
}

raster resized_crop(const raster& in, const mim_box& box, int height, int width,
                    int interpolation) {
    const image source = make(in);
    mim_image* result = nullptr;
    ok(mim_image_resized_crop(&result, source.get(), &box, height, width, interpolation));
    return read(image(result));
}

struct resize_case {
    int in_height, in_width;
    mim_box box;  // top, left, height, width
    int height, width;
};
const resize_case cases[] = {
    {1, 1, {0, 0, 1, 1}, 1, 1},
    {1, 1, {0, 0, 1, 1}, 224, 224},
    {5, 7, {0, 0, 5, 7}, 5, 7},
    {5, 7, {1, 2, 3, 4}, 3, 4},
    {5, 7, {0, 0, 5, 7}, 5, 9},
    {5, 7, {0, 0, 5, 7}, 11, 7},
    {40, 33, {7, 5, 31, 28}, 16, 15},
    {40, 33, {39, 32, 1, 1}, 3, 17},
    {17, 16, {0, 0, 17, 16}, 1, 1},
    {20000, 3, {0, 0, 20000, 3}, 32, 32},
    {3, 20000, {0, 0, 3, 20000}, 32, 32},
    {3, 4, {0, 0, 3, 4}, 2, 3000},
    {375, 500, {0, 0, 375, 500}, 224, 224},
    {375, 500, {41, 90, 256, 301}, 224, 224},
    {50, 60, {0, 0, 50, 60}, 49, 61},
};

}  // namespace

TEST(image_resample, equals_the_formula) {
    for (const resize_case& k : cases)
        for (const int interpolation : {MIM_BILINEAR, MIM_BICUBIC}) {
            SCOPED_TRACE(testing::Message()
                         << k.in_height << " x " << k.in_width << " to " << k.height << " x "
                         << k.width << ", interpolation " << interpolation);
            raster in = noise(k.in_height, k.in_width);
            const raster want = resized(in, k.box, k.height, k.width, interpolation);
            EXPECT_EQ(
                largest_difference(resized_crop(in, k.box, k.height, k.width, interpolation), want),
                0);
            for (uint8_t& value : in.rgb)
                value = value < 128 ? 0 : 255;  // overshoots at every edge
            EXPECT_EQ(largest_difference(resized_crop(in, k.box, k.height, k.width, interpolation),
                                         resized(in, k.box, k.height, k.width, interpolation)),
                      0);
        }
}

TEST(image_resample, nothing_outside_the_box_is_seen) {
    raster in = noise(60, 70);
    const mim_box box = {11, 13, 37, 41};
    const raster before = resized_crop(in, box, 20, 50, MIM_BICUBIC);
    for (int y = 0; y < 60; ++y)
        for (int x = 0; x < 70; ++x)
            for (int c = 0; c < 3; ++c)
                if (y < 11 || y >= 48 || x < 13 || x >= 54) in.at(y, x, c) ^= 0xff;
    EXPECT_EQ(resized_crop(in, box, 20, 50, MIM_BICUBIC), before);
}

TEST(image_resample, threads_share_an_image) {
    const raster in = noise(90, 110);
    const mim_box box = {3, 4, 80, 100};
    const image source = make(in);
    const raster want = resized(in, box, 48, 48, MIM_BICUBIC);
    std::vector<raster> got(4);
    std::vector<std::thread> threads;
    for (raster& slot : got)
        threads.emplace_back([&] {
            mim_image* result = nullptr;
            if (mim_image_resized_crop(&result, source.get(), &box, 48, 48, MIM_BICUBIC) == MIM_OK)
                slot = read(image(result));
        });
    for (std::thread& thread : threads) thread.join();
    for (const raster& r : got) EXPECT_EQ(r, want);
}

TEST(image_resample, wrong_arguments) {
    const image source = make(noise(5, 7));
    mim_image* result = nullptr;
    const mim_box whole = {0, 0, 5, 7};
    for (const mim_box& box : {mim_box{-1, 0, 2, 2}, mim_box{0, 6, 2, 2}, mim_box{4, 0, 2, 2},
                               mim_box{0, 0, 0, 1}, mim_box{1, 1, INT32_MAX, INT32_MAX}})
        fails(mim_image_resized_crop(&result, source.get(), &box, 4, 4, MIM_BICUBIC),
              MIM_ERROR_INVALID_ARGUMENT, {"mim_image_resized_crop", "box", "5 x 7"});
    fails(mim_image_resized_crop(&result, source.get(), &whole, 0, 4, MIM_BICUBIC),
          MIM_ERROR_INVALID_ARGUMENT, {"height and width are 0 and 4"});
    fails(mim_image_resized_crop(&result, source.get(), &whole, 4, 4, 2),
          MIM_ERROR_INVALID_ARGUMENT, {"interpolation is 2"});
    fails(mim_image_resized_crop(&result, nullptr, &whole, 4, 4, MIM_BICUBIC),
          MIM_ERROR_INVALID_ARGUMENT, {"image is null"});
    fails(mim_image_resized_crop(&result, source.get(), nullptr, 4, 4, MIM_BICUBIC),
          MIM_ERROR_INVALID_ARGUMENT, {"box is null"});
}
