// PNG by libpng: every colour type, depth and interlacing becomes 8-bit RGB.
#include <cstring>

#include <png.h>

#include "image/decode.h"
#include "image/escape.h"
#include "image/exif.h"

namespace mim::image {

namespace {

struct png_reader {
    png_structp png;
    png_infop info;
    encoded rest;  // bytes not read yet
    escape way_out{};

    explicit png_reader(encoded bytes) : rest(bytes) {
        png = png_create_read_struct(
            PNG_LIBPNG_VER_STRING, this,
            [](png_structp png, png_const_charp text) {
                static_cast<png_reader*>(png_get_error_ptr(png))->way_out.leave(text);
            },
            [](png_structp, png_const_charp) {});
        info = png == nullptr ? nullptr : png_create_info_struct(png);
        if (info == nullptr) {
            png_destroy_read_struct(&png, nullptr, nullptr);
            throw std::bad_alloc();
        }
    }
    ~png_reader() { png_destroy_read_struct(&png, &info, nullptr); }
    png_reader(const png_reader&) = delete;
    png_reader& operator=(const png_reader&) = delete;

    static void read(png_structp png, png_bytep target, size_t count) {
        encoded& rest = static_cast<png_reader*>(png_get_io_ptr(png))->rest;
        if (count > rest.size()) png_error(png, "the file ends early");
        std::memcpy(target, rest.data(), count);
        rest = rest.subspan(count);
    }
};

// The eXIf chunk may stand before or after the pixels. A chunk is its length, its name, its data
// and a checksum.
int32_t orientation_of(encoded bytes) {
    size_t at = 8;  // past the signature
    while (bytes.size() - at >= 12) {
        const uint8_t* p = bytes.data() + at;
        const size_t length = size_t(p[0]) << 24 | size_t(p[1]) << 16 | size_t(p[2]) << 8 | p[3];
        if (length > bytes.size() - at - 12) break;
        if (std::memcmp(p + 4, "eXIf", 4) == 0)
            return exif_orientation(bytes.subspan(at + 8, length));
        at += 12 + length;
    }
    return 1;
}

header read_header(png_reader& reader, encoded bytes) {
    png_structp png = reader.png;
    attempt(reader.way_out, "PNG", [&] {
        png_set_read_fn(png, &reader, png_reader::read);
        png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // picture_of limits the pixels
        // profiles, texts and the like are skipped; palette and transparency stay
        png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
        png_read_info(png, reader.info);
    });
    const bool palette = png_get_color_type(png, reader.info) == PNG_COLOR_TYPE_PALETTE;
    return {png_get_image_width(png, reader.info), png_get_image_height(png, reader.info),
            palette ? 3 : png_get_channels(png, reader.info), orientation_of(bytes)};
}

}  // namespace

header read_png_header(encoded bytes) {
    png_reader reader(bytes);
    return read_header(reader, bytes);
}

decoded decode_png(encoded bytes) {
    png_reader reader(bytes);
    const header about = read_header(reader, bytes);
    picture result = picture_of(about);
    mim_image& image = *result;
    png_structp png = reader.png;
    attempt(reader.way_out, "PNG", [&] {
        png_set_strip_16(png);  // the high byte
        png_set_palette_to_rgb(png);
        png_set_expand_gray_1_2_4_to_8(png);
        png_set_gray_to_rgb(png);
        png_set_strip_alpha(png);
        const int passes = png_set_interlace_handling(png);
        png_read_update_info(png, reader.info);
        if (png_get_rowbytes(png, reader.info) != size_t(image.width) * 3)
            png_error(png, "rows of an unexpected size");
        for (int pass = 0; pass < passes; ++pass)
            for (int64_t y = 0; y < image.height; ++y) png_read_row(png, image.row(y), nullptr);
        png_read_end(png, nullptr);  // so a missing end is noticed
    });
    return {std::move(result), about.orientation};
}

}  // namespace mim::image
