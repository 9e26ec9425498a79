// What attention's kernels are told beside their tensors.
#pragma once

#include "core/view.h"

namespace mim::cpu {

// The optional arguments that say where tokens stand; each may be null.
struct position_views {
    const view *bias, *windows, *mask, *table, *buckets;
};

// How bf16 is multiplied: each number made a float first (none), or two at a time with the
// processor's dot product of pairs.
enum class bf16_pairs { none, hardware, emulated };

// For tests alone, and no part of the library's interface: while this is on, bf16 goes through the
// kernel of pairs with the dot product made of ordinary instructions, slower than without pairs.
// Only AVX-512 has that kernel; elsewhere nothing changes.
__attribute__((visibility("default"))) void emulate_bf16_pairs(bool on);

}  // namespace mim::cpu
