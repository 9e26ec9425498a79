// Philox4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw, "Parallel random
// numbers: as easy as 1, 2, 3" (SC 2011): ten rounds of a bijection on four 32-bit words, keyed by
// two. Number i needs no number before it, so draws can be made in any order, on any thread, and
// again after a resume.
#pragma once

#include <array>
#include <cstdint>

#include "mim/tensor.h"

namespace mim {

using philox_counter = std::array<uint32_t, 4>;
using philox_key = std::array<uint32_t, 2>;

constexpr philox_counter philox4x32(philox_counter c, philox_key k) {
    // the paper's multipliers, and the steps of its key schedule: golden ratio - 1 and sqrt(3) - 1
    constexpr uint64_t multiplier_0 = 0xD2511F53, multiplier_1 = 0xCD9E8D57;
    constexpr uint32_t weyl_0 = 0x9E3779B9, weyl_1 = 0xBB67AE85;
    for (int round = 0; round < 10; ++round) {
        const uint64_t a = multiplier_0 * c[0], b = multiplier_1 * c[2];
        c = {uint32_t(b >> 32) ^ c[1] ^ k[0], uint32_t(b), uint32_t(a >> 32) ^ c[3] ^ k[1],
             uint32_t(a)};
        k = {k[0] + weyl_0, k[1] + weyl_1};
    }
    return c;
}

// One sample has this many values: a counter word counts the blocks of four.
constexpr int64_t random_values_per_sample = int64_t(4) << 32;

// Block `number` of a sample's words: values 4 number to 4 number + 3, as tensor.h defines them.
constexpr philox_counter random_block(int64_t number, int64_t sample, int64_t seed, int64_t epoch,
                                      int32_t stream) {
    const uint64_t s = uint64_t(sample), key = uint64_t(seed);
    return philox4x32({uint32_t(number), uint32_t(stream), uint32_t(epoch), uint32_t(s)},
                      {uint32_t(key), uint32_t(key >> 32) ^ uint32_t(s >> 32)});
}
// In [0, 1), from the top 24 bits.
constexpr float uniform(uint32_t word) {
    return float(word >> 8) * 0x1p-24f;
}

// values[j] = value number first + j of this sample, as tensor.h defines it.
void random_uniform(float* values, int64_t count, int64_t first, int64_t sample,
                    const mim_random_params& params);

}  // namespace mim
