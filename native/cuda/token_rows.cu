#include "cuda/token_rows.h"

#include "cuda/reduce.h"

namespace mim::cuda {

namespace {

// grid (B): one block an image. Places are written as if no value came twice; only where one does,
// so that a place finds another in its stead, all are compared with each other.
__global__ void id_places_kernel(int32_t* first, int32_t* next, const int32_t* ids, int64_t kept,
                                 int64_t limit, bool clamped) {
    block_memory memory;
    const int64_t image = blockIdx.x;
    first += image * limit;
    next += image * kept;
    ids += image * kept;
    const auto value_of = [=](int64_t place) -> int64_t {
        const int64_t id = ids[place];
        if (id >= 0 && id < limit) return id;
        return !clamped ? -1 : id < 0 ? 0 : limit - 1;
    };
    for (int64_t value = threadIdx.x; value < limit; value += block) first[value] = -1;
    wait_block();
    for (int64_t place = threadIdx.x; place < kept; place += block) {
        next[place] = -1;
        if (const int64_t value = value_of(place); value >= 0) first[value] = int32_t(place);
    }
    wait_block();
    int32_t repeated = 0;
    for (int64_t place = threadIdx.x; place < kept; place += block)
        if (const int64_t value = value_of(place); value >= 0 && first[value] != place) ++repeated;
    if (block_sum(repeated, memory) == 0) return;
    for (int64_t place = threadIdx.x; place < kept; place += block) {
        const int64_t value = value_of(place);
        if (value < 0) continue;
        bool is_first = true;
        for (int64_t other = 0; other < place; ++other)
            if (value_of(other) == value) is_first = false;
        if (is_first) first[value] = int32_t(place);
        for (int64_t other = place + 1; other < kept; ++other)
            if (value_of(other) == value) {
                next[place] = int32_t(other);
                break;
            }
    }
}

}  // namespace

id_places::id_places(context& ctx, const view* ids, int64_t limit)
    : first(nullptr), next(nullptr), kept(ids == nullptr ? limit : ids->shape[1]), limit(limit) {
    if (ids == nullptr) return;
    first = ctx.scratch<int32_t>(ids->shape[0] * limit);
    next = ctx.scratch<int32_t>(ids->shape[0] * kept);
}

void id_places::fill(gpu& device, const view* ids, bool clamped) const {
    if (ids == nullptr) return;
    device.launch({unsigned(ids->shape[0]), block, shared_bytes<int32_t>(block / 32)},
                  id_places_kernel, first, next, static_cast<const int32_t*>(data<int32_t>(*ids)),
                  kept, limit, clamped);
}

}  // namespace mim::cuda
