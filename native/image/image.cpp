// Pictures: creation, end, and reading their parts.
#include "image/image.h"

#include <cstring>

namespace mim::image {

picture new_picture(int64_t height, int64_t width) {
    const size_t bytes = size_t(height * width * 3);
    auto pixels = std::make_unique_for_overwrite<uint8_t[]>(bytes + slack);
    std::memset(pixels.get() + bytes, 0, slack);
    return picture(new mim_image{int32_t(height), int32_t(width), std::move(pixels)});
}

void require_extent(int64_t height, int64_t width) {
    if (height < 1 || width < 1)
        fail_argument("height and width are " + std::to_string(height) + " and " +
                      std::to_string(width) + ", expected at least 1");
    if (height * width > largest_count)
        fail_argument("height and width are " + std::to_string(height) + " and " +
                      std::to_string(width) + ", expected at most 2^28 pixels");
}

void require_inside(const mim_image& image, const mim_box& box) {
    const bool inside = box.top >= 0 && box.left >= 0 && box.height >= 1 && box.width >= 1 &&
                        int64_t(box.top) + box.height <= image.height &&
                        int64_t(box.left) + box.width <= image.width;
    if (!inside)
        fail_argument("box is " + std::to_string(box.height) + " x " + std::to_string(box.width) +
                      " at (" + std::to_string(box.top) + ", " + std::to_string(box.left) +
                      "), expected at least one pixel and all of them inside the image of " +
                      std::to_string(image.height) + " x " + std::to_string(image.width));
}

}  // namespace mim::image

using namespace mim;

mim_status mim_image_create(mim_image** image, int32_t height, int32_t width,
                            const uint8_t* pixels) {
    return guarded("mim_image_create", [&] {
        require_present({MIM_ARG(image)});
        *image = nullptr;
        image::require_extent(height, width);
        image::picture result = image::new_picture(height, width);
        const size_t bytes = size_t(height) * size_t(width) * 3;
        if (pixels == nullptr)
            std::memset(result->pixels.get(), 0, bytes);
        else
            std::memcpy(result->pixels.get(), pixels, bytes);
        *image = result.release();
    });
}

void mim_image_destroy(mim_image* image) {
    delete image;
}

int32_t mim_image_height(const mim_image* image) {
    return image == nullptr ? 0 : image->height;
}

int32_t mim_image_width(const mim_image* image) {
    return image == nullptr ? 0 : image->width;
}

uint8_t* mim_image_pixels(mim_image* image) {
    return image == nullptr ? nullptr : image->pixels.get();
}
