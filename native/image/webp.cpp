// WebP by libwebp: lossy and lossless stills. The chunks are found here and libwebp gets that of the
// pixels alone, so a wrong length in the header, or cut metadata, costs no picture.
#include <algorithm>
#include <cstring>

#include <webp/decode.h>

#include "image/decode.h"
#include "image/orientation.h"

namespace mim::image {

namespace {

[[noreturn]] void fail_webp(const char* reason) {
    fail_corrupt(std::string("bytes is a WebP file that cannot be decoded: ") + reason);
}

uint64_t little_endian_32(const uint8_t* p) {
    return uint64_t(p[0]) | uint64_t(p[1]) << 8 | uint64_t(p[2]) << 16 | uint64_t(p[3]) << 24;
}

// What of a file is of interest; each part ends at the file's end where it is cut.
struct parts {
    encoded
        picture;  // the chunk of the pixels, with its name and length, and that of alpha before it
    encoded exif, xmp;
    bool animation = false;
};

// A chunk is its name, its length and its data, padded to an even length.
parts parts_of(encoded bytes) {
    parts found;
    encoded alpha;
    // How long the file is by its header: anything after that is no part of it. A length that the
    // pixels exceed is wrong, and says nothing.
    const uint64_t stated_end = little_endian_32(bytes.data() + 4) + 8;
    size_t end = bytes.size();
    for (size_t at = 12; at < end && end - at >= 8;) {  // past RIFF, its size and WEBP
        const uint8_t* chunk = bytes.data() + at;
        const uint64_t length = little_endian_32(chunk + 4);
        const encoded whole = bytes.subspan(at, size_t(std::min<uint64_t>(8 + length, end - at)));
        const encoded data = whole.subspan(8);
        const auto is = [&](const char* name) { return std::memcmp(chunk, name, 4) == 0; };
        if (is("VP8X") && !data.empty()) found.animation |= (data[0] & 0x02) != 0;
        if (is("ANMF")) found.animation = true;
        if (is("ALPH") && alpha.empty()) alpha = whole;
        if ((is("VP8 ") || is("VP8L")) && found.picture.empty()) {
            const bool with_alpha = is("VP8 ") && !alpha.empty();
            found.picture = with_alpha ? encoded(alpha.data(), whole.data() + whole.size()) : whole;
            if (stated_end >= at + whole.size()) end = size_t(std::min<uint64_t>(end, stated_end));
        }
        if (is("EXIF") && found.exif.empty()) found.exif = data;
        if (is("XMP ") && found.xmp.empty()) found.xmp = data;
        at += whole.size() + size_t(length % 2);
    }
    return found;
}

const char* reason_of(VP8StatusCode status) {
    switch (status) {
        case VP8_STATUS_BITSTREAM_ERROR:
            return "its bit stream is damaged";
        case VP8_STATUS_UNSUPPORTED_FEATURE:
            return "it uses an unknown feature";
        case VP8_STATUS_NOT_ENOUGH_DATA:
            return "the file ends early";
        default:
            return "libwebp refuses it";
    }
}

header read_header(const parts& file) {
    if (file.animation) fail_webp("it is an animation, expected a still");
    if (file.picture.empty()) fail_webp("the file ends early, before any pixels");
    WebPBitstreamFeatures features;
    const VP8StatusCode status =
        WebPGetFeatures(file.picture.data(), file.picture.size(), &features);
    if (status != VP8_STATUS_OK) fail_webp(reason_of(status));
    return {features.width, features.height, features.has_alpha ? 4 : 3,
            stated_orientation(file.exif, file.xmp)};
}

}  // namespace

header read_webp_header(encoded bytes) {
    return read_header(parts_of(bytes));
}

decoded decode_webp(encoded bytes) {
    const parts file = parts_of(bytes);
    const header about = read_header(file);
    picture result = picture_of(about);
    WebPDecoderConfig config;
    if (!WebPInitDecoderConfig(&config)) fail_webp("another version of libwebp was built against");
    config.output.colorspace = MODE_RGB;  // colours as stored, alpha dropped
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = result->pixels.get();
    config.output.u.RGBA.stride = int(about.width * 3);
    config.output.u.RGBA.size = size_t(about.width) * size_t(about.height) * 3;
    const VP8StatusCode status = WebPDecode(file.picture.data(), file.picture.size(), &config);
    WebPFreeDecBuffer(&config.output);
    if (status == VP8_STATUS_OUT_OF_MEMORY) throw std::bad_alloc();
    if (status != VP8_STATUS_OK) fail_webp(reason_of(status));
    return {std::move(result), about.orientation};
}

}  // namespace mim::image
