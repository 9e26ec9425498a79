// How the work of a depthwise convolution is divided, the same for every instruction set.
#pragma once

#include <algorithm>

#include "core/view.h"

namespace mim::cpu {

constexpr int64_t rows_per_block = 4;

// Maps (B, H, W, C), in pieces of channels whose window stays in the cache. A unit of work is one row
// of one piece of one map; the units of a map's piece follow one another.
struct token_maps {
    int64_t batch, height, width, channels, kernel;
    int64_t padded, piece;  // channels, and those of a piece, in whole vectors
    int64_t stride;         // between tokens of a window: an odd number of cache lines

    token_maps(const view& x, int64_t kernel)
        : batch(x.shape[0]),
          height(x.shape[1]),
          width(x.shape[2]),
          channels(x.shape[3]),
          kernel(kernel),
          padded((channels + 15) / 16 * 16),
          piece(std::min<int64_t>(padded, 64)),
          stride(piece % 32 == 0 ? piece + 16 : piece) {}

    int64_t radius() const { return kernel / 2; }
    int64_t taps() const { return kernel * kernel; }
    int64_t units() const { return batch * pieces() * height; }
    int64_t pieces() const { return (padded + piece - 1) / piece; }
    int64_t window_row() const { return (width + 2 * radius()) * stride; }
    int64_t window() const { return kernel * window_row(); }
};

struct map_row {
    int64_t image, row, first, count;  // channels [first, first + count)
    int64_t padded;                    // that count in whole vectors

    map_row(const token_maps& maps, int64_t unit)
        : image(unit / maps.height / maps.pieces()),
          row(unit % maps.height),
          first(unit / maps.height % maps.pieces() * maps.piece),
          count(std::min(maps.piece, maps.channels - first)),
          padded(std::min(maps.piece, maps.padded - first)) {}
};

// A convolution: what a row of results is made from. `weights` are, piece by piece, (k k,
// padded channels of the piece).
struct convolution {
    const view *to, *from;
    const float *weights, *bias, *keep_from, *keep_to;
    float* windows;  // of each thread
};

}  // namespace mim::cpu
