// Threads of an op. OpenMP's pool is used because oneDNN runs on it too: two pools would spin
// against each other.
#pragma once

#include <omp.h>

#include <algorithm>
#include <cstdint>

#include "core/context.h"

namespace mim::cpu {

// Splits [0, count) into one contiguous range per thread: body(begin, end, thread). Ranges depend
// on count, grain and the number of threads alone, so sums made per range have a fixed order.
// Ranges are multiples of grain but the last. The body must not throw.
template <class Body>
void parallel_ranges(const context& ctx, int64_t count, int64_t grain, Body&& body) {
    const int64_t blocks = (count + grain - 1) / grain;
    const int64_t threads = std::min<int64_t>(ctx.threads(), blocks);
    if (threads <= 1) {
        if (count > 0) body(int64_t(0), count, int64_t(0));
        return;
    }
#pragma omp parallel num_threads(int(threads))
    {
        // the team may be smaller than asked for (OMP_THREAD_LIMIT, a caller inside a team): then
        // one takes several ranges
        for (int64_t t = omp_get_thread_num(); t < threads; t += omp_get_num_threads()) {
            const int64_t begin = blocks * t / threads * grain;
            const int64_t end = std::min(count, blocks * (t + 1) / threads * grain);
            if (begin < end) body(begin, end, t);
        }
    }
}

template <class Body>
void parallel_for(const context& ctx, int64_t count, int64_t grain, Body&& body) {
    parallel_ranges(ctx, count, grain,
                    [&](int64_t begin, int64_t end, int64_t) { body(begin, end); });
}

}  // namespace mim::cpu
