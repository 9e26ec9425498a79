// A pixel as a network reads it: three operations, each rounded, so that every device and the image part
// give the same bits.
#pragma once

#include <cstdint>

namespace mim {

constexpr float normalized(uint8_t pixel, float mean, float std) {
    return (float(pixel) / 255.0f - mean) / std;
}

}  // namespace mim
