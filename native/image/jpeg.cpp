// JPEG by libjpeg-turbo, with its defaults (accurate integer DCT, smooth chroma upsampling), which
// are Pillow's.
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <vector>

#include <jpeglib.h>  // needs <cstdio> before it

#include <jerror.h>

#include "image/decode.h"
#include "image/escape.h"
#include "image/exif.h"

namespace mim::image {

namespace {

struct jpeg_reader {
    jpeg_decompress_struct info{};
    jpeg_error_mgr errors{};
    escape way_out{};

    jpeg_reader() {
        info.err = jpeg_std_error(&errors);
        info.client_data = this;
        errors.error_exit = leave;
        errors.emit_message = [](j_common_ptr common, int level) {
            // Level -1 is a warning: data that ended early or made no sense, replaced by a guess.
            // Two are only remarks, about a version number and a colour code.
            const int code = common->err->msg_code;
            if (level < 0 && code != JWRN_JFIF_MAJOR && code != JWRN_ADOBE_XFORM) leave(common);
        };
        errors.output_message = [](j_common_ptr) {};
    }
    ~jpeg_reader() { jpeg_destroy_decompress(&info); }
    jpeg_reader(const jpeg_reader&) = delete;
    jpeg_reader& operator=(const jpeg_reader&) = delete;

    static void leave(j_common_ptr common) {
        char text[JMSG_LENGTH_MAX];
        common->err->format_message(common, text);
        escape& way_out = static_cast<jpeg_reader*>(common->client_data)->way_out;
        way_out.out_of_memory = common->err->msg_code == JERR_OUT_OF_MEMORY;
        way_out.leave(text);
    }
};

header read_header(jpeg_reader& reader, encoded bytes) {
    jpeg_decompress_struct& info = reader.info;
    attempt(reader.way_out, "JPEG", [&] {
        jpeg_create_decompress(&info);
        jpeg_mem_src(&info, bytes.data(), static_cast<unsigned long>(bytes.size()));
        jpeg_save_markers(&info, JPEG_APP0 + 1, 0xffff);
        jpeg_read_header(&info, TRUE);
    });
    int32_t orientation = 1;
    for (jpeg_saved_marker_ptr marker = info.marker_list; marker != nullptr; marker = marker->next)
        if (marker->data_length >= 6 && std::memcmp(marker->data, "Exif\0", 6) == 0) {
            orientation = exif_orientation({marker->data, marker->data_length});
            break;
        }
    return {info.image_width, info.image_height, info.num_components, orientation};
}

// Inks as in a four-channel JPEG to RGB, in Pillow's arithmetic: such files hold 255 - ink by
// Adobe's convention, whether or not they say so; light = 255 - ink, and each channel is light -
// ink_c * light / 255 with light that of the black ink.
void inks_to_rgb(uint8_t* rgb, const uint8_t* inks, int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
        const int light = inks[4 * i + 3];
        for (int64_t c = 0; c < 3; ++c) {
            const int product = (255 - inks[4 * i + c]) * light + 128;
            rgb[3 * i + c] =
                uint8_t(light - (((product >> 8) + product) >> 8));  // product / 255, rounded
        }
    }
}

}  // namespace

header read_jpeg_header(encoded bytes) {
    jpeg_reader reader;
    return read_header(reader, bytes);
}

decoded decode_jpeg(encoded bytes) {
    jpeg_reader reader;
    const header about = read_header(reader, bytes);
    picture result = picture_of(about);
    mim_image& image = *result;
    jpeg_decompress_struct& info = reader.info;
    const bool inks = info.num_components == 4;
    std::vector<uint8_t> ink_row(inks ? size_t(about.width) * 4 : 0);
    attempt(reader.way_out, "JPEG", [&] {
        info.out_color_space = inks ? JCS_CMYK : JCS_RGB;
        jpeg_start_decompress(&info);
        while (info.output_scanline < info.output_height) {
            uint8_t* row = image.row(info.output_scanline);
            uint8_t* target = inks ? ink_row.data() : row;
            jpeg_read_scanlines(&info, &target, 1);
            if (inks) inks_to_rgb(row, ink_row.data(), image.width);
        }
        jpeg_finish_decompress(&info);  // reads on to the end marker, so a missing one is noticed
    });
    return {std::move(result), about.orientation};
}

}  // namespace mim::image
