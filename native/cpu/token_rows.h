// The inner loops of the token ops, on one token or one patch, compiled for each instruction set:
// storage is float or bf16, arithmetic float, parameters and images always float.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/dtype.h"

namespace mim::cpu {

// How a patch lies in its image and in its vector.
struct patch_layout {
    int64_t channels, height, width;
    int64_t line, plane;  // pixels from one row to the next, from one channel to the next
    bool pixels_first;    // the vector is (row, column, channel); else (channel, row, column)
};

template <class T>
struct token_rows {
    // patch = the pixels below and right of corner
    void (*read_patch)(T* patch, const float* corner, const patch_layout& layout);
    // the pixels of one channel, whose corner is given, += theirs in patch
    void (*add_channel)(float* corner, const T* patch, const patch_layout& layout, int64_t channel);
    // y = x + position; position may be null
    void (*embed)(T* y, const T* x, const float* position, int64_t dim);
    // y = token + position, for a learned token; position may be null
    void (*embed_token)(T* y, const float* token, const float* position, int64_t dim);
    // sum += x. Sums over a whole batch of tokens are kept in double: a float would lose its last
    // digits to 10^5 terms.
    void (*add)(float* sum, const T* x, int64_t dim);
    void (*add_double)(double* sum, const T* x, int64_t dim);
};

// The loops for the processor at hand; T is float or bf16.
template <class T>
const token_rows<T>& token_rows_of();
template <>
const token_rows<float>& token_rows_of<float>();
template <>
const token_rows<bf16>& token_rows_of<bf16>();

// Rows of dim values that are worth a thread of their own.
inline int64_t token_grain(int64_t dim) {
    return std::max<int64_t>(1, 16384 / dim);
}

// Parameter gradients are split over channels: one thread adds up a channel in the order of the
// batch, so the sums do not depend on the number of threads. Two cache lines of float, one of bf16.
constexpr int64_t channel_grain = 32;

}  // namespace mim::cpu
