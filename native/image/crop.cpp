// Cutting, bordering and mirroring: pixels move, none changes.
#include <algorithm>
#include <cstring>

#include "image/image.h"

using namespace mim;

mim_status mim_image_crop(mim_image** result, const mim_image* image, const mim_box* box) {
    return guarded("mim_image_crop", [&] {
        require_present({MIM_ARG(result), MIM_ARG(image), MIM_ARG(box)});
        *result = nullptr;
        image::require_extent(box->height, box->width);
        image::picture cut = image::new_picture(box->height, box->width);
        std::memset(cut->pixels.get(), 0, size_t(box->height) * size_t(box->width) * 3);
        const int64_t top = box->top, left = box->left;
        const int64_t first = std::max<int64_t>(left, 0);
        const int64_t last = std::min<int64_t>(left + box->width, image->width);
        const int64_t end = std::min<int64_t>(top + box->height, image->height);
        for (int64_t y = std::max<int64_t>(top, 0); first < last && y < end; ++y)
            std::memcpy(cut->row(y - top) + (first - left) * 3, image->row(y) + first * 3,
                        size_t(last - first) * 3);
        *result = cut.release();
    });
}

mim_status mim_image_pad_reflect(mim_image** result, const mim_image* image, int32_t pad) {
    return guarded("mim_image_pad_reflect", [&] {
        require_present({MIM_ARG(result), MIM_ARG(image)});
        *result = nullptr;
        const int64_t height = image->height, width = image->width;
        if (pad < 0 || pad >= height || pad >= width)
            fail_argument("pad is " + std::to_string(pad) +
                          ", expected 0 or more and less than the image's height " +
                          std::to_string(height) + " and width " + std::to_string(width));
        image::require_extent(height + 2 * int64_t(pad), width + 2 * int64_t(pad));
        image::picture padded = image::new_picture(height + 2 * pad, width + 2 * pad);
        // an index outside [0, size) comes back at the same distance from the edge pixel
        const auto mirrored = [](int64_t i, int64_t size) {
            return i < 0 ? -i : i >= size ? 2 * (size - 1) - i : i;
        };
        for (int64_t y = 0; y < padded->height; ++y) {
            const uint8_t* in = image->row(mirrored(y - pad, height));
            uint8_t* out = padded->row(y);
            std::memcpy(out + pad * 3, in, size_t(width) * 3);
            for (int64_t i = 1; i <= pad; ++i) {
                std::memcpy(out + (pad - i) * 3, in + i * 3, 3);
                std::memcpy(out + (pad + width - 1 + i) * 3, in + (width - 1 - i) * 3, 3);
            }
        }
        *result = padded.release();
    });
}

mim_status mim_image_flip(mim_image* image) {
    return guarded("mim_image_flip", [&] {
        require_present({MIM_ARG(image)});
        for (int64_t y = 0; y < image->height; ++y) {
            uint8_t *left = image->row(y), *right = left + (int64_t(image->width) - 1) * 3;
            for (; left < right; left += 3, right -= 3) std::swap_ranges(left, left + 3, right);
        }
    });
}
