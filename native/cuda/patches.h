// Where the values of a patch lie in an image.
#pragma once

#include "cuda/gpu.h"
#include "mim/tokens.h"

namespace mim::cuda {

// Quotients by a number that only the launch knows: a multiplication, as long as no operand reaches
// 2^16, else a division.
class divider {
public:
    divider() = default;
    divider(int64_t by, int64_t largest)
        : by_(uint32_t(by)),
          factor_(by < 1 << 16 && largest < 1 << 16 ? (uint64_t(1) << 32) / uint64_t(by) + 1 : 0) {}

    __device__ uint32_t operator()(uint32_t i) const {
        return factor_ != 0 ? uint32_t(i * factor_ >> 32) : i / by_;
    }
    __device__ uint32_t by() const { return by_; }

private:
    uint32_t by_ = 1;
    uint64_t factor_ = 0;
};

// A value's place in its patch.
struct patch_place {
    uint32_t row, column, channel;
};

struct patch_grid {
    int64_t channels, height, width;  // of an image
    int32_t patch_height, patch_width;
    bool pixels_first;  // a patch vector is (row, column, channel), else (channel, row, column)
    uint32_t columns;   // patches side by side
    int64_t patches;    // of an image
    divider inner, middle;

    patch_grid(const view& images, int32_t patch_height, int32_t patch_width, int32_t order)
        : channels(images.shape[1]),
          height(images.shape[2]),
          width(images.shape[3]),
          patch_height(patch_height),
          patch_width(patch_width),
          pixels_first(order == MIM_PATCH_PIXELS_FIRST),
          columns(uint32_t(width / patch_width)),
          patches(height / patch_height * columns),
          inner(pixels_first ? channels : patch_width, values()),
          middle(pixels_first ? patch_width : patch_height, values()) {}

    __host__ __device__ int64_t values() const {
        return channels * int64_t(patch_height) * patch_width;
    }
    __host__ __device__ int64_t pixels() const { return channels * height * width; }

    // Of a patch's first pixel, counted from the image's first.
    __device__ int64_t origin(int64_t patch) const {
        const uint32_t row = uint32_t(patch) / columns, column = uint32_t(patch) - row * columns;
        return int64_t(row) * patch_height * width + int64_t(column) * patch_width;
    }
    __device__ patch_place place(uint32_t value) const {
        const uint32_t outer = inner(value), first = value - outer * inner.by();
        const uint32_t third = middle(outer), second = outer - third * middle.by();
        return pixels_first ? patch_place{third, second, first} : patch_place{second, first, third};
    }
    // Of a value, counted from its patch's first pixel.
    __device__ int64_t offset(uint32_t value) const {
        const patch_place p = place(value);
        return (int64_t(p.channel) * height + p.row) * width + p.column;
    }
};

}  // namespace mim::cuda
