// Random numbers: the generator's use, and argument checks (tensor.h).
#include "core/random.h"

#include <algorithm>
#include <limits>

#include "core/context.h"

namespace mim {

void random_uniform(float* values, int64_t count, int64_t first, int64_t sample,
                    const mim_random_params& params) {
    for (int64_t i = first; i < first + count;) {
        const philox_counter block =
            random_block(i / 4, sample, params.seed, params.epoch, params.stream);
        const int64_t end = std::min(i / 4 * 4 + 4, first + count);
        for (; i < end; ++i) *values++ = uniform(block[size_t(i % 4)]);
    }
}

}  // namespace mim

using namespace mim;

namespace {

void require_random_params(const mim_random_params* params) {
    require_params(params);
    if (params->epoch < 0 || params->epoch > std::numeric_limits<int32_t>::max())
        fail_argument("params.epoch is " + std::to_string(params->epoch) +
                      ", expected 0 to 2147483647");
}

}  // namespace

mim_status mim_random_uniform(mim_context* ctx, const mim_view* y, const mim_view* samples,
                              const mim_random_params* params) {
    return guarded("mim_random_uniform", [&] {
        require_present({MIM_ARG(ctx), MIM_ARG(y), MIM_ARG(samples)});
        require_random_params(params);
        require_dense(*y, "y", 2);
        require_dtype(*y, "y", MIM_F32);
        require_dense_shape(*samples, "samples", {y->shape[0]}, MIM_I64);
        if (y->shape[1] > random_values_per_sample)
            fail_argument("y is " + describe(*y) + ", expected at most 2^34 values of each sample");
        ctx->on_device({{y, "y"}, {samples, "samples"}});
        if (ctx->device_kind() == MIM_CPU && !ctx->planning())
            for (int64_t i = 0; i < samples->shape[0]; ++i)
                if (data<int64_t>(*samples)[i] < 0)
                    fail_argument("samples holds " + std::to_string(data<int64_t>(*samples)[i]) +
                                  " at (" + std::to_string(i) + "), expected at least 0");
        ctx->run().random_uniform(*ctx, *y, *samples, *params);
    });
}

mim_status mim_random_uniform_host(float* values, int64_t count, int64_t first, int64_t sample,
                                   const mim_random_params* params) {
    return guarded("mim_random_uniform_host", [&] {
        require_random_params(params);
        if (count != 0) require_present({MIM_ARG(values)});
        if (sample < 0)
            fail_argument("sample is " + std::to_string(sample) + ", expected at least 0");
        if (first < 0 || first > random_values_per_sample)
            fail_argument("first is " + std::to_string(first) + ", expected 0 to 2^34");
        if (count < 0 || count > random_values_per_sample - first)
            fail_argument("count is " + std::to_string(count) + ", expected 0 to 2^34 - first, " +
                          std::to_string(random_values_per_sample - first));
        random_uniform(values, count, first, sample, *params);
    });
}
