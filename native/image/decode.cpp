// Decoding by format.
#include "image/decode.h"

#include <utility>

#include "image/format.h"
#include "image/orientation.h"

namespace mim::image {

namespace {

encoded require_bytes(const void* bytes, int64_t count) {
    if (count < 0) fail_argument("count is " + std::to_string(count) + ", expected 0 or more");
    if (count > 0) require_present({MIM_ARG(bytes)});  // an empty file may come as a null pointer
    return {static_cast<const uint8_t*>(bytes), size_t(count)};
}

}  // namespace

picture picture_of(const header& about) {
    if (about.width * about.height > largest_count)
        fail_corrupt("bytes is a picture of " + std::to_string(about.width) + " x " +
                     std::to_string(about.height) + ", which is more than 2^28 pixels");
    return new_picture(about.height, about.width);
}

}  // namespace mim::image

using namespace mim;

mim_status mim_image_read_info(mim_image_info* info, const void* bytes, int64_t count) {
    return guarded("mim_image_read_info", [&] {
        require_params(info, "info");
        const image::encoded file = image::require_bytes(bytes, count);
        const mim_image_format format = image::format_of(file);
        image::header about;
        switch (format) {
            case MIM_IMAGE_JPEG:
                about = image::read_jpeg_header(file);
                break;
            case MIM_IMAGE_PNG:
                about = image::read_png_header(file);
                break;
            case MIM_IMAGE_WEBP:
                about = image::read_webp_header(file);
                break;
            default:
                image::fail_unknown_format(file);
        }
        if (image::swaps_sides(about.orientation)) std::swap(about.width, about.height);
        info->format = format;
        info->width = int32_t(about.width);
        info->height = int32_t(about.height);
        info->channels = about.channels;
        info->orientation = about.orientation;
    });
}

mim_status mim_image_decode(mim_image** image, const void* bytes, int64_t count,
                            int32_t apply_orientation) {
    return guarded("mim_image_decode", [&] {
        require_present({MIM_ARG(image)});
        *image = nullptr;
        if (apply_orientation != 0 && apply_orientation != 1)
            fail_argument("apply_orientation is " + std::to_string(apply_orientation) +
                          ", expected 0 or 1");
        const image::encoded file = image::require_bytes(bytes, count);
        image::decoded result;
        switch (image::format_of(file)) {
            case MIM_IMAGE_JPEG:
                result = image::decode_jpeg(file);
                break;
            case MIM_IMAGE_PNG:
                result = image::decode_png(file);
                break;
            case MIM_IMAGE_WEBP:
                result = image::decode_webp(file);
                break;
            default:
                image::fail_unknown_format(file);
        }
        if (apply_orientation == 1)
            result.pixels = image::upright(std::move(result.pixels), result.orientation);
        *image = result.pixels.release();
    });
}
