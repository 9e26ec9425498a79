// WebP: lossless exactly, lossy nearly, alpha dropped, animations refused.
#include "image_support.h"

using namespace image_test;

TEST(image_webp, lossless) {
    const raster want = noise(13, 29);
    for (const int alpha : {255, -1}) {  // opaque; all degrees
        const byte_vector file = webp_file(13, 29, rgba_of(want, alpha), true);
        EXPECT_EQ(decode(file), want);  // dropped alpha leaves the colours alone
        const mim_image_info info = info_of(file);
        EXPECT_EQ(info.format, MIM_IMAGE_WEBP);
        EXPECT_EQ(info.width, 29);
        EXPECT_EQ(info.height, 13);
        EXPECT_EQ(info.channels, alpha == 255 ? 3 : 4);
    }
}

TEST(image_webp, lossy) {
    const raster want = gradient(45, 67);
    for (const int alpha : {255, -1})
        EXPECT_LE(largest_difference(decode(webp_file(45, 67, rgba_of(want, alpha), false)), want),
                  8);
}

TEST(image_webp, animations_are_refused) {
    byte_vector file = webp_with_exif(webp_file(4, 4, rgba_of(noise(4, 4), 255), true), 4, 4, false,
                                      exif(1, false));
    file[20] |= 0x02;  // the animation flag of the extended header
    mim_image* decoded = nullptr;
    fails(mim_image_decode(&decoded, file.data(), int64_t(file.size()), 1), MIM_ERROR_CORRUPT_DATA,
          {"mim_image_decode", "bytes", "WebP", "animation"});
}
