// Checks of index values. Kernels follow ids without looking, so a wrong one must not get past the
// ABI.
#pragma once

#include "core/context.h"

namespace mim {

// Every one of ids (B, K) or (B), dense i32, lies in [0, limit); distinct: and none occurs twice in one
// image; permutation: all of them together are 0 to B K - 1 in some order. Nothing is read while
// planning, nor on another device than the CPU, whose kernels guard themselves. Call after
// context::run(): what was seen is noted in scratch.
void require_ids(context& ctx, const view& ids, const char* name, int64_t limit);
void require_distinct_ids(context& ctx, const view& ids, const char* name, int64_t limit);
void require_permutation(context& ctx, const view& ids, const char* name);

}  // namespace mim
