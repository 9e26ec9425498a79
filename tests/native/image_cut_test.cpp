// Files that are cut at any byte: refused as long as anything of the pixels is missing, and read
// like the whole file where the cut lies behind them.
#include <png.h>

#include "image_containers.h"

using namespace image_test;

namespace {

// A copy of exactly these bytes, so that a sanitizer sees a step past their end.
mim_status decode_first(const byte_vector& file, size_t count, raster* picture) {
    const auto copy = std::make_unique<uint8_t[]>(count);
    std::copy_n(file.data(), count, copy.get());
    mim_image* decoded = nullptr;
    const mim_status status = mim_image_decode(&decoded, copy.get(), int64_t(count), 0);
    *picture = read(image(decoded));
    return status;
}

// pixels_end: where the last byte ends that says something about pixels.
void check_cuts(const byte_vector& file, size_t pixels_end) {
    const raster whole = decode(file, false);
    raster picture{};
    for (size_t count = 0; count <= file.size(); ++count) {
        const mim_status status = decode_first(file, count, &picture);
        if (count < pixels_end) {
            EXPECT_EQ(status, MIM_ERROR_CORRUPT_DATA) << count << " of " << file.size();
        } else {
            EXPECT_EQ(status, MIM_OK) << mim_last_error() << " " << count << " of " << file.size();
            EXPECT_EQ(picture, whole) << count << " of " << file.size();
        }
    }
}

}  // namespace

TEST(image_cut, jpeg) {
    const raster picture = noise(19, 35);
    byte_vector inks = noise(19, 64).rgb;
    inks.resize(19 * 35 * 4);
    const jpeg_kind kinds[] = {
        {},
        {.components = 1},
        {.subsampled = true},
        {.subsampled = true, .restart_blocks = 2},
        {.components = 4, .ycck = true},
        {.progressive = true},
        {.components = 1, .progressive = true},
        {.subsampled = true, .progressive = true, .restart_blocks = 3},
        {.separate_scans = true},
        {.subsampled = true, .separate_scans = true, .restart_blocks = 1},
        {.progressive = true, .separate_scans = true},
    };
    for (const jpeg_kind& kind : kinds) {
        SCOPED_TRACE(&kind - kinds);
        const byte_vector file = jpeg_file(19, 35, kind.components == 4 ? inks : picture.rgb, kind);
        check_cuts(file, last_part(jpeg_parts(file), "data").end);
    }
}

TEST(image_cut, jpeg_that_goes_on_in_zeros) {
    // as a download that stopped leaves it
    for (const jpeg_kind& kind :
         {jpeg_kind{}, {.subsampled = true}, {.progressive = true}, {.separate_scans = true}}) {
        const byte_vector file = jpeg_file(19, 35, noise(19, 35).rgb, kind);
        const size_t end = last_part(jpeg_parts(file), "data").end;
        raster picture{};
        for (size_t count = 2; count < end; ++count) {
            const byte_vector stopped = first(file, count) + byte_vector(4096);
            EXPECT_EQ(decode_first(stopped, stopped.size(), &picture), MIM_ERROR_CORRUPT_DATA)
                << count << " of " << file.size();
        }
        // zeros behind all pixels fill a block of a disk
        EXPECT_EQ(decode(first(file, end) + byte_vector(4096)), decode(file));
        EXPECT_EQ(decode(file + byte_vector(4096)), decode(file));
    }
}

TEST(image_cut, jpeg_with_arithmetic_codes) {
    // Such codes may end anywhere, so only an end marker tells that they are whole.
    for (const bool progressive : {false, true}) {
        const byte_vector file =
            jpeg_file(19, 35, noise(19, 35).rgb, {.progressive = progressive, .arithmetic = true});
        check_cuts(file, file.size());
    }
}

TEST(image_cut, jpeg_whose_end_marker_comes_too_early) {
    // behind each scan but the last, and inside of each
    for (const jpeg_kind& kind : {jpeg_kind{},
                                  {.progressive = true},
                                  {.components = 1, .progressive = true},
                                  {.separate_scans = true}}) {
        const byte_vector file = jpeg_file(19, 35, noise(19, 35).rgb, kind);
        const std::vector<part> parts = jpeg_parts(file);
        const size_t last = last_part(parts, "data").end;
        for (const part& scan : parts) {
            if (scan.name != "data") continue;
            for (const size_t end : {(scan.begin + scan.end) / 2, scan.end}) {
                mim_image* decoded = nullptr;
                const byte_vector ended = first(file, end) + byte_vector{0xff, 0xd9};
                if (end == last)
                    EXPECT_EQ(decode(ended), decode(file));
                else
                    fails(mim_image_decode(&decoded, ended.data(), int64_t(ended.size()), 1),
                          MIM_ERROR_CORRUPT_DATA, {"JPEG", "Corrupt JPEG data"});
            }
        }
    }
}

TEST(image_cut, png) {
    const raster picture = noise(9, 11);
    const byte_vector rgba = rgba_of(picture, -1);
    for (const bool interlaced : {false, true}) {
        const byte_vector plain =
            png_file(9, 11, rgba, {PNG_COLOR_TYPE_RGB_ALPHA, 8, interlaced}, {}, exif(6, true));
        const byte_vector file =
            png_with(plain, png_chunk("tEXt", bytes_of("Comment\0by the test")), true);
        check_cuts(file, last_part(png_parts(file), "IDAT").end);
    }
    // small pictures, whose passes are partly empty
    for (const auto& [height, width] : {std::pair(1, 1), {1, 5}, {5, 1}, {2, 3}, {4, 4}}) {
        const byte_vector file =
            png_file(height, width, noise(height, width).rgb, {PNG_COLOR_TYPE_RGB, 8, true});
        check_cuts(file, last_part(png_parts(file), "IDAT").end);
    }
}

TEST(image_cut, webp) {
    const byte_vector rgba = rgba_of(noise(9, 11), -1);
    for (const bool lossless : {false, true}) {
        const byte_vector still = webp_file(9, 11, rgba, lossless);
        const byte_vector file = webp_with(webp_with_exif(still, 9, 11, true, exif(6, true)),
                                           webp_chunk("XMP ", xmp("tiff:Orientation=\"6\">")));
        for (const byte_vector& one : {still, file})
            check_cuts(one, first_part(webp_parts(one), lossless ? "VP8L" : "VP8 ").end);
    }
}
