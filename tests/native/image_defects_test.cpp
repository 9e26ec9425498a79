// Defects beside the pixels, which cost no picture, and those of the pixels, which do.
#include <png.h>

#include "image_containers.h"

using namespace image_test;

namespace {

void is_refused(const byte_vector& file, std::initializer_list<const char*> words) {
    mim_image* decoded = nullptr;
    fails(mim_image_decode(&decoded, file.data(), int64_t(file.size()), 1), MIM_ERROR_CORRUPT_DATA,
          words);
    EXPECT_EQ(decoded, nullptr);
}

byte_vector png_of(const raster& picture) {
    return png_file(picture.height, picture.width, picture.rgb, {PNG_COLOR_TYPE_RGB, 8});
}

// The rows of the picture as PNG compresses them: each with a filter, here none.
byte_vector filtered_rows(const raster& picture) {
    byte_vector rows;
    for (int y = 0; y < picture.height; ++y) {
        rows.push_back(0);
        for (int i = 0; i < picture.width * 3; ++i)
            rows.push_back(picture.rgb[size_t(y * picture.width * 3 + i)]);
    }
    return rows;
}

// The file with other pixels, in the chunks given.
byte_vector png_with_data(const byte_vector& file, const std::vector<byte_vector>& chunks) {
    const part data = first_part(png_parts(file), "IDAT");
    byte_vector all;
    for (const byte_vector& chunk : chunks) all = all + png_chunk("IDAT", chunk);
    return inserted(without(file, data.begin, data.end), data.begin, all);
}

const byte_vector stray = {0, 1, 0x7f, 0x33, 0};

}  // namespace

TEST(image_defects, files_of_phones_and_others) {
    for (const char* name : {"sos_zero", "extra_before_end"})
        EXPECT_EQ(decode(case_file(std::string(name) + ".jpg")),
                  case_picture(std::string(name) + ".ppm"))
            << name;
}

TEST(image_defects, jpeg_stray_bytes_between_segments) {
    for (const jpeg_kind& kind : {jpeg_kind{}, {.progressive = true}, {.separate_scans = true}}) {
        const byte_vector file = jpeg_file(19, 35, noise(19, 35).rgb, kind);
        const raster whole = decode(file);
        const std::vector<part> parts = jpeg_parts(file);
        for (size_t i = 1; i < parts.size(); ++i) {
            if (parts[i].name == "data") continue;  // what stands before codes is codes
            SCOPED_TRACE(testing::Message() << "before part " << i << ", " << parts[i].name);
            EXPECT_EQ(decode(inserted(file, parts[i].begin, stray)), whole);
        }
        EXPECT_EQ(decode(file + stray), whole);
        EXPECT_EQ(decode(file + file), whole);  // as in files of several pictures
    }
}

TEST(image_defects, jpeg_segments_that_make_no_sense_behind_the_last_scan) {
    for (const jpeg_kind& kind : {jpeg_kind{}, {.progressive = true}, {.separate_scans = true}}) {
        const byte_vector file = jpeg_file(19, 35, noise(19, 35).rgb, kind);
        const size_t end = last_part(jpeg_parts(file), "d9").begin;
        for (const byte_vector& segment :
             {jpeg_segment(0xc4, {0xff, 0xff}), jpeg_segment(0xda, {9}), jpeg_segment(0xc0, {}),
              byte_vector{0xff, 0x02}, byte_vector{0xff, 0xe1, 0xff, 0xff}})
            EXPECT_EQ(decode(inserted(file, end, segment)), decode(file));
    }
}

TEST(image_defects, jpeg_headers_with_unusual_numbers) {
    const byte_vector file = jpeg_file(19, 35, noise(19, 35).rgb);
    const raster whole = decode(file);
    const std::vector<part> parts = jpeg_parts(file);
    const part scan = first_part(parts, "da"), jfif = first_part(parts, "e0");
    for (const auto& [at, value] :
         {std::pair(scan.end - 3, 7), {scan.end - 2, 0}, {scan.end - 1, 1}, {jfif.begin + 9, 9}}) {
        byte_vector changed = file;
        changed[at] = uint8_t(value);
        EXPECT_EQ(decode(changed), whole) << at;
    }
    EXPECT_EQ(decode(jpeg_with(file, jpeg_segment(0xe2, bytes_of("ICC_PROFILE")))), whole);
    EXPECT_EQ(decode(jpeg_with(file, jpeg_segment(0xe1, bytes_of("Exif")))), whole);
}

TEST(image_defects, jpeg_restart_markers_that_are_missing_or_wrong) {
    const byte_vector file =
        jpeg_file(32, 32, noise(32, 32).rgb, {.subsampled = true, .restart_blocks = 1});
    const part codes = first_part(jpeg_parts(file), "data");
    for (size_t at = codes.begin; at + 1 < codes.end; ++at) {
        if (file[at] != 0xff || file[at + 1] == 0) continue;
        byte_vector wrong = file;
        wrong[at + 1] = uint8_t(0xd0 | ((file[at + 1] + 3) & 7));
        is_refused(wrong, {"JPEG", "Corrupt JPEG data"});
        is_refused(without(file, at, at + 2), {"JPEG", "Corrupt JPEG data"});
    }
}

TEST(image_defects, jpeg_scans_that_are_missing) {
    for (const jpeg_kind& kind : {jpeg_kind{.progressive = true}, {.separate_scans = true}}) {
        const byte_vector file = jpeg_file(19, 35, noise(19, 35).rgb, kind);
        const std::vector<part> parts = jpeg_parts(file);
        for (size_t i = 1; i < parts.size(); ++i)
            if (parts[i].name == "data")
                is_refused(without(file, parts[i - 1].begin, parts[i].end), {"JPEG"});
    }
}

TEST(image_defects, jpeg_without_high_frequencies) {
    // A progressive file may leave them out; nothing was promised.
    const jpeg_kind kind = {.progressive = true, .separate_scans = true};
    const byte_vector file = jpeg_file(32, 32, gradient(32, 32).rgb, kind);
    std::vector<part> parts = jpeg_parts(file);
    const part last = last_part(parts, "data"), header = last_part(parts, "da");
    EXPECT_LE(largest_difference(decode(without(file, header.begin, last.end)), decode(file)), 20);
}

TEST(image_defects, png_metadata) {
    const raster picture = noise(9, 11);
    const byte_vector file = png_of(picture);
    for (const bool after_pixels : {false, true})
        for (const char* type : {"tEXt", "zTXt", "iTXt", "iCCP", "gAMA", "eXIf", "tIME", "abCd"}) {
            SCOPED_TRACE(type);
            const byte_vector chunk = png_chunk(type, stray);
            EXPECT_EQ(decode(png_with(file, chunk, after_pixels)), picture);
            byte_vector damaged = chunk;
            damaged.back() ^= 1;  // the checksum
            EXPECT_EQ(decode(png_with(file, damaged, after_pixels)), picture);
            EXPECT_EQ(decode(png_with(file, png_chunk(type, {}), after_pixels)), picture);
        }
}

TEST(image_defects, png_behind_the_pixels) {
    const raster picture = noise(9, 11);
    const byte_vector file = png_of(picture);
    const size_t end = first_part(png_parts(file), "IEND").begin;
    EXPECT_EQ(decode(file + stray), picture);
    EXPECT_EQ(decode(file + file), picture);
    EXPECT_EQ(decode(first(file, end)), picture);
    EXPECT_EQ(decode(first(file, end) + stray), picture);
    EXPECT_EQ(decode(inserted(file, end, byte_vector(12, 0xff))), picture);
    byte_vector damaged = file;
    damaged.back() ^= 1;
    EXPECT_EQ(decode(damaged), picture);
}

TEST(image_defects, png_compressed_data) {
    const raster picture = noise(9, 11);
    const byte_vector file = png_of(picture), data = deflated(filtered_rows(picture));
    ASSERT_EQ(decode(png_with_data(file, {data})), picture);
    const size_t checksum = data.size() - 4;
    byte_vector wrong = data;
    wrong.back() ^= 1;
    EXPECT_EQ(decode(png_with_data(file, {wrong})), picture);
    EXPECT_EQ(decode(png_with_data(file, {first(data, checksum)})), picture);
    EXPECT_EQ(decode(png_with_data(file, {data + stray})), picture);
    EXPECT_EQ(decode(png_with_data(file, {data, stray})), picture);
    EXPECT_EQ(decode(png_with_data(file, {data, {}, {}})), picture);
    byte_vector extra = filtered_rows(picture);
    extra.insert(extra.end(), 100, 3);
    EXPECT_EQ(decode(png_with_data(file, {deflated(extra)})), picture);
    // the checksum in a chunk of its own, and the file cut before it
    const byte_vector split = png_with_data(
        file, {first(data, checksum), byte_vector(data.begin() + int64_t(checksum), data.end())});
    const part last = last_part(png_parts(split), "IDAT");
    EXPECT_EQ(decode(split), picture);
    EXPECT_EQ(decode(first(split, last.begin)), picture);
    EXPECT_EQ(decode(without(split, last.begin, last.end)), picture);
}

TEST(image_defects, png_window_that_is_stated_too_small) {
    // Rows of noise, then the same rows again: what is repeated lies further back than 256 bytes.
    raster picture = noise(64, 11);
    std::copy_n(picture.rgb.begin(), 32 * 33, picture.rgb.begin() + 32 * 33);
    byte_vector data = deflated(filtered_rows(picture));
    data[0] = 0x08;  // a window of 256 bytes
    data[1] = 0x1d;  // which makes the two a multiple of 31
    EXPECT_EQ(decode(png_with_data(png_of(picture), {data})), picture);
}

TEST(image_defects, png_pixels) {
    const raster picture = noise(9, 11);
    const byte_vector file = png_of(picture);
    const byte_vector rows = filtered_rows(picture), data = deflated(rows);
    const part chunk = first_part(png_parts(file), "IDAT");
    for (size_t at = chunk.begin + 8; at < chunk.end; ++at) {
        byte_vector damaged = file;
        damaged[at] ^= 0x10;
        is_refused(damaged, {"PNG"});
    }
    is_refused(png_with_data(file, {deflated(first(rows, rows.size() - 1))}), {"PNG"});
    is_refused(png_with_data(file, {first(data, data.size() / 2)}), {"PNG"});
    is_refused(png_with_data(file, {}), {"PNG"});
    byte_vector filter = rows;
    filter[34] = 9;
    is_refused(png_with_data(file, {deflated(filter)}), {"PNG", "filter"});
    const byte_vector palette =
        png_file(9, 11, byte_vector(9 * 2, 0x5a), {PNG_COLOR_TYPE_PALETTE, 1}, {1, 2, 3, 4, 5, 6});
    const part colours = first_part(png_parts(palette), "PLTE");
    byte_vector damaged = palette;
    damaged[colours.begin + 9] ^= 1;
    is_refused(damaged, {"PNG", "PLTE"});
    is_refused(without(palette, colours.begin, colours.end), {"PNG", "PLTE"});
}

TEST(image_defects, webp_lengths) {
    const raster picture = noise(9, 11);
    for (const int alpha : {255, -1})
        for (const bool lossless : {false, true}) {
            const byte_vector still = webp_file(9, 11, rgba_of(picture, alpha), lossless);
            const byte_vector extended = webp_with_exif(still, 9, 11, alpha < 0, exif(1, false));
            for (const byte_vector& file : {still, extended}) {
                const raster whole = decode(file);
                const size_t size = file.size();
                // of the whole file, and with other bytes behind it
                for (const size_t stated : {size + 8, size + 1, size - 8, size_t(8), size_t(20),
                                            size_t(0xffffffff), size * 1000})
                    EXPECT_EQ(decode(webp_sized(file, stated)), whole) << stated << " of " << size;
                EXPECT_EQ(decode(file + stray), whole);
                EXPECT_EQ(decode(file + file), whole);
                EXPECT_EQ(decode(webp_with(file, webp_chunk("odd ", stray))), whole);
                const byte_vector more = webp_with(file, webp_chunk("XMP ", xmp("a=\"b\">")));
                EXPECT_EQ(decode(first(more, more.size() - 10)), whole);
            }
        }
}

TEST(image_defects, webp_pixels) {
    for (const bool lossless : {false, true}) {
        const byte_vector still = webp_file(9, 11, rgba_of(noise(9, 11), 255), lossless);
        // The chunk is cut, not the file: what follows is no part of the pixels.
        const part chunk = first_part(webp_parts(still), lossless ? "VP8L" : "VP8 ");
        for (size_t length = 0; length + 20 < chunk.end - chunk.begin; ++length) {
            byte_vector cut = first(still, chunk.begin + 8 + length);
            cut[chunk.begin + 4] = uint8_t(length), cut[chunk.begin + 5] = uint8_t(length >> 8);
            if (length % 2) cut.push_back(0);
            is_refused(webp_with(cut, webp_chunk("EXIF", byte_vector(300, 7))), {"WebP"});
        }
        byte_vector none = without(still, chunk.begin, still.size());
        is_refused(webp_sized(none, none.size()), {"WebP", "ends early"});
        is_refused(webp_with(none, webp_chunk("EXIF", exif(6, false))), {"WebP"});
    }
}
