// Random numbers on the CPU: every value is a function of its own number, so any split over threads
// gives the same bits.
#include "core/random.h"

#include "cpu/parallel.h"
#include "cpu/processor.h"

namespace mim::cpu {

void processor::random_uniform(context& ctx, const view& y, const view& samples,
                               const mim_random_params& params) {
    if (ctx.planning()) return;
    const int64_t count = y.shape[1];
    const int64_t* sample = data<int64_t>(samples);
    float* values = data<float>(y);
    parallel_for(ctx, elements(y), 4096, [&](int64_t begin, int64_t end) {
        while (begin < end) {
            const int64_t row = begin / count, first = begin % count;
            const int64_t part = std::min(end - begin, count - first);
            mim::random_uniform(values + begin, part, first, sample[row], params);
            begin += part;
        }
    });
}

}  // namespace mim::cpu
