// PNG by libpng: every colour type, depth and interlacing becomes 8-bit RGB.
#include <cstring>

#include <png.h>

#include "image/decode.h"
#include "image/escape.h"
#include "image/png_orientation.h"

namespace mim::image {

namespace {

struct png_reader {
    png_structp png;
    png_infop info;
    encoded rest;  // bytes not read yet
    escape way_out{};
    // Rows, those of every pass where the picture is interlaced: the decoded, and all.
    int64_t rows = 0, all_rows = -1;

    explicit png_reader(encoded bytes) : rest(bytes) {
        png = png_create_read_struct(
            PNG_LIBPNG_VER_STRING, this,
            [](png_structp png, png_const_charp text) {
                png_reader& reader = *static_cast<png_reader*>(png_get_error_ptr(png));
                if (reader.is_behind_pixels()) reader.way_out.stop();
                reader.way_out.leave(text);
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

    // Whether every row has come, and every chunk of pixels is whole and fits its checksum: then
    // libpng is on its way to another chunk, or in it, to find the end of the compressed data.
    bool is_behind_pixels() const {
        if (rows != all_rows) return false;
        constexpr uint32_t pixels = 0x49444154;  // IDAT
        const bool between_chunks = (png_get_io_state(png) & PNG_IO_MASK_LOC) == PNG_IO_CHUNK_HDR;
        return between_chunks || png_get_io_chunk_type(png) != pixels;
    }
};

header read_header(png_reader& reader, encoded bytes) {
    png_structp png = reader.png;
    attempt(reader.way_out, "PNG", [&] {
        png_set_read_fn(png, &reader, png_reader::read);
        png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // picture_of limits the pixels
        // profiles, texts and the like are skipped; palette and transparency stay
        png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
        // What libpng itself calls benign. The checksum behind all compressed data is of no use where
        // every chunk has one too, and programs that write a wrong one, or too small a window into
        // the header of the data, leave the pixels sound.
        png_set_benign_errors(png, 1);
        png_set_option(png, PNG_IGNORE_ADLER32, PNG_OPTION_ON);
        png_set_option(png, PNG_MAXIMUM_INFLATE_WINDOW, PNG_OPTION_ON);
        png_read_info(png, reader.info);
    });
    const bool palette = png_get_color_type(png, reader.info) == PNG_COLOR_TYPE_PALETTE;
    return {png_get_image_width(png, reader.info), png_get_image_height(png, reader.info),
            palette ? 3 : png_get_channels(png, reader.info), png_orientation(bytes)};
}

int64_t count_rows(int64_t height, int64_t width, bool interlaced) {
    if (!interlaced) return height;
    int64_t rows = 0;
    for (int pass = 0; pass < PNG_INTERLACE_ADAM7_PASSES; ++pass)
        if (PNG_PASS_COLS(width, pass) > 0) rows += PNG_PASS_ROWS(height, pass);
    return rows;
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
        png_set_read_user_transform_fn(png, [](png_structp png, png_row_infop, png_bytep) {
            ++static_cast<png_reader*>(png_get_io_ptr(png))->rows;
        });
        const int passes = png_set_interlace_handling(png);
        png_read_update_info(png, reader.info);
        if (png_get_rowbytes(png, reader.info) != size_t(image.width) * 3)
            png_error(png, "rows of an unexpected size");
        reader.all_rows = count_rows(image.height, image.width, passes > 1);
        for (int pass = 0; pass < passes; ++pass)
            for (int64_t y = 0; y < image.height; ++y) png_read_row(png, image.row(y), nullptr);
        // What stands behind the last row is not read: nothing there is about pixels.
    });
    return {std::move(result), about.orientation};
}

}  // namespace mim::image
