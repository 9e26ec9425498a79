// Orientations outside of EXIF's usual place: profiles in texts of PNG, XMP, EXIF in several
// segments. read_info and decode must agree on them.
#include <png.h>

#include "image_containers.h"

using namespace image_test;

namespace {

const raster picture = noise(8, 16);

void expect_orientation(const byte_vector& file, int orientation) {
    const mim_image_info info = info_of(file);
    EXPECT_EQ(info.orientation, orientation);
    const raster stored = decode(file, false), seen = decode(file);
    EXPECT_EQ(info.width, seen.width);
    EXPECT_EQ(info.height, seen.height);
    EXPECT_EQ(seen.width, orientation >= 5 ? stored.height : stored.width);
    // the stored first pixel, seen in one of the corners
    const bool right = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
    const bool bottom =
        orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
    for (int c = 0; c < 3; ++c)
        EXPECT_EQ(seen.at(bottom ? seen.height - 1 : 0, right ? seen.width - 1 : 0, c),
                  stored.at(0, 0, c));
}

byte_vector plain_png() {
    return png_file(picture.height, picture.width, picture.rgb, {PNG_COLOR_TYPE_RGB, 8});
}
byte_vector plain_jpeg() {
    return jpeg_file(picture.height, picture.width, picture.rgb);
}
byte_vector plain_webp() {
    return webp_with_exif(webp_file(picture.height, picture.width, rgba_of(picture, 255), true),
                          picture.height, picture.width, false, {});
}

byte_vector text_chunk(std::string_view keyword, const byte_vector& text) {
    return png_chunk("tEXt", bytes_of(keyword) + byte_vector{0} + text);
}
byte_vector compressed_chunk(std::string_view keyword, const byte_vector& text) {
    return png_chunk("zTXt", bytes_of(keyword) + byte_vector{0, 0} + deflated(text));
}
byte_vector international_chunk(std::string_view keyword, const byte_vector& text,
                                bool compressed) {
    return png_chunk("iTXt", bytes_of(keyword) +
                                 byte_vector{0, compressed, 0, 'e', 'n', 0, 'k', 0} +
                                 (compressed ? deflated(text) : text));
}
// The four ways in which a text may be written.
std::vector<byte_vector> texts(std::string_view keyword, const byte_vector& text) {
    return {text_chunk(keyword, text), compressed_chunk(keyword, text),
            international_chunk(keyword, text, false), international_chunk(keyword, text, true)};
}

const std::string_view exif_name("Exif\0\0", 6), xmp_name("http://ns.adobe.com/xap/1.0/\0", 29);

byte_vector exif_segment(const byte_vector& block) {
    return jpeg_segment(0xe1, bytes_of(exif_name) + block);
}
byte_vector xmp_segment(const byte_vector& packet) {
    return jpeg_segment(0xe1, bytes_of(xmp_name) + packet);
}

// An EXIF block without an orientation.
byte_vector silent_exif() {
    byte_vector block = exif(6, true);
    block[23] = 0x13;  // another tag
    return block;
}

}  // namespace

TEST(image_metadata, a_picture_by_image_magick) {
    EXPECT_EQ(decode(case_file("exif_raw_profile.png")), case_picture("exif_raw_profile.ppm"));
    EXPECT_NE(info_of(case_file("exif_raw_profile.png")).orientation, 1);
}

TEST(image_metadata, raw_profiles_in_texts_of_png) {
    for (int orientation = 1; orientation <= 8; ++orientation)
        for (const bool after_pixels : {false, true}) {
            const byte_vector block = exif(orientation, orientation % 2 == 0);
            const byte_vector marked = bytes_of(exif_name) + block;
            for (const auto& [keyword, name, profile] :
                 {std::tuple("Raw profile type exif", "exif", block),
                  {"Raw profile type exif", "exif", marked},
                  {"Raw profile type APP1", "APP1", marked},
                  {"Raw profile type APP1", "generic profile", marked}})
                for (const byte_vector& chunk : texts(keyword, raw_profile(name, profile)))
                    expect_orientation(png_with(plain_png(), chunk, after_pixels), orientation);
        }
}

TEST(image_metadata, raw_profiles_that_make_no_sense_count_as_absent) {
    const byte_vector profile = raw_profile("exif", exif(6, false));
    for (size_t length = 0; length <= profile.size(); ++length) {  // cut anywhere
        const byte_vector file =
            png_with(plain_png(), text_chunk("Raw profile type exif", first(profile, length)));
        const mim_image_info info = info_of(file);
        EXPECT_TRUE(info.orientation == 1 || info.orientation == 6);
        EXPECT_EQ(info.orientation, info_of(file).orientation);
    }
    for (const char* type : {"tEXt", "zTXt", "iTXt"})
        for (size_t length = 0; length < 30; ++length) {
            const byte_vector data = bytes_of("Raw profile type exif") + byte_vector(9, 0);
            expect_orientation(png_with(plain_png(), png_chunk(type, first(data, length))), 1);
        }
    for (const char* keyword : {"Raw profile type iptc", "exif", "Comment"})
        expect_orientation(png_with(plain_png(), text_chunk(keyword, profile)), 1);
}

TEST(image_metadata, a_text_that_inflates_without_end_is_read_no_further_than_needed) {
    byte_vector bomb(size_t(1) << 24, '\n');  // 16 MiB in 16 KiB
    const byte_vector profile = raw_profile("exif", exif(6, false));
    std::copy(profile.begin(), profile.end(), bomb.begin());
    const byte_vector chunk = compressed_chunk("Raw profile type exif", bomb);
    expect_orientation(png_with(plain_png(), chunk), 6);
}

TEST(image_metadata, damaged_compression_keeps_what_comes_before) {
    byte_vector chunk =
        compressed_chunk("Raw profile type exif", raw_profile("exif", exif(6, false)));
    chunk[chunk.size() - 5] ^= 1;  // the checksum of the compressed data
    expect_orientation(png_with(plain_png(), chunk), 6);
}

TEST(image_metadata, xmp) {
    for (int orientation = 1; orientation <= 8; ++orientation) {
        const std::string digit = std::to_string(orientation);
        for (const std::string& property :
             {"tiff:Orientation=\"" + digit + "\">", "tiff:Orientation='" + digit + "'>",
              "tiff:Orientation = \"" + digit + "\">",
              "><tiff:Orientation>" + digit + "</tiff:Orientation>",
              "><tiff:Orientation>\n " + digit + " </tiff:Orientation>"}) {
            SCOPED_TRACE(property);
            const byte_vector packet = xmp(property);
            expect_orientation(jpeg_with(plain_jpeg(), xmp_segment(packet)), orientation);
            expect_orientation(webp_with(plain_webp(), webp_chunk("XMP ", packet)), orientation);
            for (const bool after_pixels : {false, true}) {
                for (const byte_vector& chunk : texts("XML:com.adobe.xmp", packet))
                    expect_orientation(png_with(plain_png(), chunk, after_pixels), orientation);
                for (const auto& [keyword, profile] :
                     {std::pair("Raw profile type xmp", packet),
                      {"Raw profile type APP1", bytes_of(xmp_name) + packet}})
                    expect_orientation(
                        png_with(plain_png(), text_chunk(keyword, raw_profile("xmp", profile)),
                                 after_pixels),
                        orientation);
            }
        }
    }
}

TEST(image_metadata, xmp_without_an_orientation) {
    for (const char* property :
         {"tiff:Make=\"6\">", "tiff:Orientation=6>", "tiff:Orientation=\"", "tiff:Orientation",
          "tiff:Orientation=\"0\">", "tiff:Orientation=\"9\">", "tiff:Orientation=\"x\">",
          "><tiff:Orientation/>", "exif:Orientation=\"6\">"}) {
        SCOPED_TRACE(property);
        expect_orientation(jpeg_with(plain_jpeg(), xmp_segment(xmp(property))), 1);
        expect_orientation(webp_with(plain_webp(), webp_chunk("XMP ", xmp(property))), 1);
    }
}

TEST(image_metadata, xmp_counts_only_where_exif_has_no_orientation) {
    const byte_vector packet = xmp("tiff:Orientation=\"6\">");
    const auto pair_in_each = [&](const byte_vector& block, int orientation) {
        expect_orientation(
            jpeg_with(jpeg_with(plain_jpeg(), exif_segment(block)), xmp_segment(packet)),
            orientation);
        expect_orientation(
            jpeg_with(jpeg_with(plain_jpeg(), xmp_segment(packet)), exif_segment(block)),
            orientation);
        expect_orientation(png_with(png_with(plain_png(), png_chunk("eXIf", block), true),
                                    international_chunk("XML:com.adobe.xmp", packet, true)),
                           orientation);
        expect_orientation(webp_with(webp_with_exif(webp_file(8, 16, rgba_of(picture, 255), true),
                                                    8, 16, false, block),
                                     webp_chunk("XMP ", packet)),
                           orientation);
    };
    pair_in_each(exif(3, true), 3);
    pair_in_each(exif(1, true), 1);
    pair_in_each(exif(9, true), 1);  // an orientation that does not exist is one
    pair_in_each(silent_exif(), 6);
    pair_in_each(bytes_of("no EXIF"), 6);
}

TEST(image_metadata, exif_chunk_counts_before_raw_profile) {
    const byte_vector profile =
        text_chunk("Raw profile type exif", raw_profile("exif", exif(6, false)));
    expect_orientation(
        png_with(png_with(plain_png(), png_chunk("eXIf", exif(8, true)), true), profile), 8);
}

TEST(image_metadata, exif_in_several_segments) {
    const byte_vector block = exif(6, true);
    const byte_vector other = jpeg_segment(0xe1, bytes_of("http://ns.adobe.com/xmp/extension/"));
    for (size_t cut = 0; cut <= block.size(); ++cut) {
        const byte_vector head(block.begin(), block.begin() + int64_t(cut)),
            tail(block.begin() + int64_t(cut), block.end());
        const byte_vector segments =
            other + exif_segment(head) + jpeg_segment(0xfe, {'x'}) + exif_segment(tail) + other;
        expect_orientation(jpeg_with(plain_jpeg(), segments), 6);
    }
    // of two blocks the first counts
    expect_orientation(
        jpeg_with(plain_jpeg(), exif_segment(exif(3, true)) + exif_segment(exif(6, true))), 3);
}

TEST(image_metadata, exif_behind_the_pixels_of_a_cut_file) {
    // cut in the chunk, behind the orientation
    const byte_vector png = png_with(plain_png(), png_chunk("eXIf", exif(6, true)), true);
    expect_orientation(first(png, first_part(png_parts(png), "eXIf").end - 6), 6);
    const byte_vector webp =
        webp_with_exif(webp_file(8, 16, rgba_of(picture, 255), true), 8, 16, false, exif(6, true));
    expect_orientation(first(webp, webp.size() - 4), 6);
}

TEST(image_metadata, types_of_the_tag) {
    // entry: type, count, value; the big end first. Behind the directory, at 26: tail.
    const auto expect = [](const byte_vector& entry, int orientation,
                           const byte_vector& tail = {}) {
        const byte_vector block =
            byte_vector{'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12} + entry + byte_vector(4) + tail;
        expect_orientation(png_with(plain_png(), png_chunk("eXIf", block)), orientation);
    };
    expect({0, 3, 0, 0, 0, 1, 0, 6, 0, 0}, 6);
    expect({0, 4, 0, 0, 0, 1, 0, 0, 0, 6}, 6);
    expect({0, 6, 0, 0, 0, 1, 6, 0, 0, 0}, 6);
    expect({0, 8, 0, 0, 0, 1, 0, 6, 0, 0}, 6);
    expect({0, 9, 0, 0, 0, 1, 0, 0, 0, 6}, 6);
    expect({0, 8, 0, 0, 0, 1, 0xff, 0xff, 0, 0}, 1);
    expect({0, 1, 0, 0, 0, 1, 6, 0, 0, 0}, 1);    // data of any kind
    expect({0, 2, 0, 0, 0, 1, '6', 0, 0, 0}, 1);  // a text
    // of several numbers the first, which lies elsewhere where they take more than 4 bytes
    expect({0, 3, 0, 0, 0, 2, 0, 6, 0, 8}, 6);
    expect({0, 3, 0, 0, 0, 3, 0, 0, 0, 26}, 6, {0, 6, 0, 8, 0, 8});
    expect({0, 3, 0, 0, 0, 3, 0, 0, 0, 27}, 1, {6, 0, 6, 0, 8, 0});  // not all of them are there
    expect({0, 3, 0, 0, 0, 0, 0, 6, 0, 0}, 1);                       // no number
    expect({0, 77, 0, 0, 0, 1, 0, 6, 0, 0}, 1);                      // no such type
}
