// JPEG by libjpeg-turbo, with its defaults (accurate integer DCT, smooth chroma upsampling), which
// are Pillow's.
#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <vector>

#include <jpeglib.h>  // needs <cstdio> before it

#include <jerror.h>

#include "image/decode.h"
#include "image/escape.h"
#include "image/jpeg_damage.h"
#include "image/orientation.h"

namespace mim::image {

namespace {

struct jpeg_reader {
    jpeg_decompress_struct info{};
    jpeg_error_mgr errors{};
    escape way_out{};
    bool at_end = false;  // of the file: libjpeg puts end markers behind it, as many as it needs

    jpeg_reader() {
        info.err = jpeg_std_error(&errors);
        info.client_data = this;
        errors.error_exit = leave;
        errors.emit_message = [](j_common_ptr common, int level) {
            if (level >= 0) return;  // a trace; -1 is a warning
            jpeg_reader& reader = *static_cast<jpeg_reader*>(common->client_data);
            if (common->err->msg_code == JWRN_JPEG_EOF) reader.at_end = true;
            if (is_damage(reader.info)) leave(common);
        };
        errors.output_message = [](j_common_ptr) {};
    }
    ~jpeg_reader() { jpeg_destroy_decompress(&info); }
    jpeg_reader(const jpeg_reader&) = delete;
    jpeg_reader& operator=(const jpeg_reader&) = delete;

    static void leave(j_common_ptr common) {
        jpeg_reader& reader = *static_cast<jpeg_reader*>(common->client_data);
        reader.way_out.out_of_memory = common->err->msg_code == JERR_OUT_OF_MEMORY;
        if (reader.at_end) common->err->msg_code = JWRN_JPEG_EOF;  // the cause of all that follows
        char text[JMSG_LENGTH_MAX];
        common->err->format_message(common, text);
        reader.way_out.leave(text);
    }
};

bool begins_with(const jpeg_marker_struct& marker, std::string_view name) {
    return marker.data_length >= name.size() &&
           std::memcmp(marker.data, name.data(), name.size()) == 0;
}

// A segment holds 64 KB at most, so EXIF data may be spread over several. Of several XMP packets
// the last counts, as in Pillow.
int32_t jpeg_orientation(const jpeg_decompress_struct& info) {
    using namespace std::literals;
    constexpr std::string_view exif_name = "Exif\0\0"sv;
    constexpr std::string_view xmp_name = "http://ns.adobe.com/xap/1.0/\0"sv;
    std::vector<uint8_t> exif;
    encoded xmp;
    for (const jpeg_marker_struct* marker = info.marker_list; marker != nullptr;
         marker = marker->next) {
        const uint8_t *data = marker->data, *end = data + marker->data_length;
        if (begins_with(*marker, exif_name)) exif.insert(exif.end(), data + exif_name.size(), end);
        if (begins_with(*marker, xmp_name)) xmp = {data + xmp_name.size(), end};
    }
    return stated_orientation(exif, xmp);
}

header read_header(jpeg_reader& reader, encoded bytes) {
    jpeg_decompress_struct& info = reader.info;
    attempt(reader.way_out, "JPEG", [&] {
        jpeg_create_decompress(&info);
        jpeg_mem_src(&info, bytes.data(), static_cast<unsigned long>(bytes.size()));
        jpeg_save_markers(&info, JPEG_APP0 + 1, 0xffff);
        jpeg_read_header(&info, TRUE);
    });
    return {info.image_width, info.image_height, info.num_components, jpeg_orientation(info)};
}

// Reads a file of several scans up to the one after which nothing is missing, and no further:
// whatever stands behind it has no say about the pixels.
void read_scans(jpeg_reader& reader) {
    jpeg_decompress_struct& info = reader.info;
    for (int event = 0; event != JPEG_REACHED_EOI;) {
        event = jpeg_consume_input(&info);
        if (event == JPEG_SCAN_COMPLETED && is_complete(info)) return;
    }
    if (reader.at_end) reader.way_out.leave("Premature end of JPEG file");
    if (!may_end(info)) reader.way_out.leave("Corrupt JPEG data: scans are missing");
}

// Zeros are codes, too: where a file was given its length but not all of its content, as by a
// download that stopped, libjpeg would make pixels of the zeros at its end. So they count as a file
// that ends before them. A few may be the end of sound codes whose end marker is missing.
encoded without_zeros_at_end(encoded bytes) {
    constexpr size_t shortest = 16;
    const auto last = std::find_if(bytes.rbegin(), bytes.rend(), [](uint8_t b) { return b != 0; });
    const size_t zeros = size_t(last - bytes.rbegin());
    if (zeros < shortest) return bytes;
    const size_t of_codes = last != bytes.rend() && *last == 0xff ? 1 : 0;  // FF 00 stands for FF
    return bytes.first(bytes.size() - zeros + of_codes);
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
    const header about = read_header(reader, without_zeros_at_end(bytes));
    picture result = picture_of(about);
    mim_image& image = *result;
    jpeg_decompress_struct& info = reader.info;
    const bool inks = info.num_components == 4;
    std::vector<uint8_t> ink_row(inks ? size_t(about.width) * 4 : 0);
    attempt(reader.way_out, "JPEG", [&] {
        info.out_color_space = inks ? JCS_CMYK : JCS_RGB;
        info.buffered_image = jpeg_has_multiple_scans(&info);  // so that scans are read one by one
        jpeg_start_decompress(&info);
        if (info.buffered_image) {
            read_scans(reader);
            jpeg_start_output(&info, info.input_scan_number);
        }
        while (info.output_scanline < info.output_height) {
            uint8_t* row = image.row(info.output_scanline);
            uint8_t* target = inks ? ink_row.data() : row;
            jpeg_read_scanlines(&info, &target, 1);
            if (inks) inks_to_rgb(row, ink_row.data(), image.width);
        }
        // What stands behind the last row is not read: nothing there is about pixels.
    });
    return {std::move(result), about.orientation};
}

}  // namespace mim::image
