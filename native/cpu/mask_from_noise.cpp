// Random masks from noise on the CPU, parallel over images. Noise and place are packed into one
// integer, noise in the upper half: sorting these is a stable argsort, because equal noise falls
// back to the order of the places.
#include <algorithm>
#include <cstring>

#include "cpu/parallel.h"
#include "cpu/processor.h"

namespace mim::cpu {

namespace {

// An unsigned integer that orders like the float: negative numbers are complemented, others get the
// upper bit. Both zeros are one number.
uint64_t ordered(float value) {
    const float unsigned_zero = value == 0.0f ? 0.0f : value;
    uint32_t bits;
    std::memcpy(&bits, &unsigned_zero, sizeof bits);
    return bits >> 31 ? ~bits : bits | 0x80000000u;
}

}  // namespace

void processor::mask_from_noise(context& ctx, const view& ids_keep, const view& ids_masked,
                                const view& ids_restore, const view& mask, const view& noise) {
    const int64_t batch = noise.shape[0], patches = noise.shape[1], kept = ids_keep.shape[1];
    uint64_t* scratch = ctx.scratch<uint64_t>(std::min<int64_t>(ctx.threads(), batch) * patches);
    if (ctx.planning()) return;
    const float* value = data<float>(noise);
    int32_t *keep = data<int32_t>(ids_keep), *masked = data<int32_t>(ids_masked);
    int32_t* restore = data<int32_t>(ids_restore);
    float* removed = data<float>(mask);
    parallel_ranges(ctx, batch, 1, [&](int64_t begin, int64_t end, int64_t thread) {
        uint64_t* shuffle = scratch + thread * patches;
        for (int64_t b = begin; b < end; ++b) {
            for (int64_t l = 0; l < patches; ++l)
                shuffle[l] = ordered(value[b * patches + l]) << 32 | uint64_t(l);
            std::sort(shuffle, shuffle + patches);
            for (int64_t r = 0; r < patches; ++r) {
                const int32_t l = int32_t(shuffle[r] & 0xffffffffu);
                (r < kept ? keep[b * kept + r] : masked[b * (patches - kept) + r - kept]) = l;
                restore[b * patches + l] = int32_t(r);
                removed[b * patches + l] = r < kept ? 0.0f : 1.0f;
            }
        }
    });
}

}  // namespace mim::cpu
