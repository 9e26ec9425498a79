// Fourier transforms of planes. cuda/fft.cu makes them with cuFFT; an emulator (tests) makes them
// plainly.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>

#include "cuda/device.h"

namespace mim::cuda {

struct complex_float {
    float real, imaginary;
};

enum class transform_kind {
    real_to_complex,     // forward: planes of (H, W) floats to (H, W / 2 + 1) numbers
    complex_to_complex,  // back, in place: (H, W) numbers
    complex_to_real,     // back: (H, W / 2 + 1) numbers, which it may overwrite, to (H, W) floats
};

// `planes` dense planes one behind the other. Forward with exp(-i ...), back with exp(+i ...), both
// without a factor.
struct transform {
    transform_kind kind;
    int64_t planes, height, width;

    auto operator<=>(const transform&) const = default;
};

// The transforms of one device. Each is prepared once and kept. One thread at a time.
class fft {
public:
    fft();
    ~fft();

    // Scratch that this transform takes; prepares it.
    int64_t workspace_bytes(const transform& t);

    // `to` and `from` are the same for complex_to_complex, and memory apart for the others.
    void run(const transform& t, void* to, void* from, void* workspace, stream s);

private:
    struct library;
    std::unique_ptr<library> library_;
};

}  // namespace mim::cuda
