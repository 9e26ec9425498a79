// WebP by libwebp: lossy and lossless stills.
#include <algorithm>
#include <cstring>

#include <webp/decode.h>

#include "image/decode.h"
#include "image/exif.h"

namespace mim::image {

namespace {

[[noreturn]] void fail_webp(const char* reason) {
    fail_corrupt(std::string("bytes is a WebP file that cannot be decoded: ") + reason);
}

uint64_t little_endian_32(const uint8_t* p) {
    return uint64_t(p[0]) | uint64_t(p[1]) << 8 | uint64_t(p[2]) << 16 | uint64_t(p[3]) << 24;
}

// How long the file is by its RIFF header: anything after that is no part of it.
uint64_t stated_size(encoded bytes) {
    return little_endian_32(bytes.data() + 4) + 8;
}

// A chunk is its name, its length and its data, padded to an even length.
int32_t orientation_of(encoded bytes) {
    bytes = bytes.first(std::min<uint64_t>(bytes.size(), stated_size(bytes)));
    size_t at = 12;  // past RIFF, its size and WEBP
    while (at < bytes.size() && bytes.size() - at >= 8) {
        const uint64_t length = little_endian_32(bytes.data() + at + 4);
        if (length > bytes.size() - at - 8) break;
        if (std::memcmp(bytes.data() + at, "EXIF", 4) == 0)
            return exif_orientation(bytes.subspan(at + 8, size_t(length)));
        at += 8 + size_t(length) + size_t(length % 2);
    }
    return 1;
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

}  // namespace

header read_webp_header(encoded bytes) {
    WebPBitstreamFeatures features;
    const VP8StatusCode status = WebPGetFeatures(bytes.data(), bytes.size(), &features);
    if (status != VP8_STATUS_OK) fail_webp(reason_of(status));
    if (features.has_animation) fail_webp("it is an animation, expected a still");
    return {features.width, features.height, features.has_alpha ? 4 : 3, orientation_of(bytes)};
}

decoded decode_webp(encoded bytes) {
    // libwebp itself tolerates missing bytes past the pixels
    if (stated_size(bytes) > bytes.size()) fail_webp("the file ends early");
    bytes = bytes.first(size_t(stated_size(bytes)));
    const header about = read_webp_header(bytes);
    picture result = picture_of(about);
    WebPDecoderConfig config;
    if (!WebPInitDecoderConfig(&config)) fail_webp("another version of libwebp was built against");
    config.output.colorspace = MODE_RGB;  // colours as stored, alpha dropped
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = result->pixels.get();
    config.output.u.RGBA.stride = int(about.width * 3);
    config.output.u.RGBA.size = size_t(about.width) * size_t(about.height) * 3;
    const VP8StatusCode status = WebPDecode(bytes.data(), bytes.size(), &config);
    WebPFreeDecBuffer(&config.output);
    if (status == VP8_STATUS_OUT_OF_MEMORY) throw std::bad_alloc();
    if (status != VP8_STATUS_OK) fail_webp(reason_of(status));
    return {std::move(result), about.orientation};
}

}  // namespace mim::image
