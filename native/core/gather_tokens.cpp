// Gather: argument checks (tokens.h).
#include "core/ids.h"

using namespace mim;

namespace {

// all (B, T, D), kept (B, K, D), ids (B, K): one dtype, one B, one D. Returns the number of patches
// T - first, which bounds ids; that K is no more follows from distinct ids.
int64_t require_gather(const view& kept, const char* kept_name, const view& all,
                       const char* all_name, const view& ids,
                       const mim_gather_tokens_params* params) {
    require_params(params);
    require_dense(all, all_name, 3);
    require_compute_dtype(all, all_name);
    require_dense(kept, kept_name, 3);
    require_dense_shape(kept, kept_name, {all.shape[0], kept.shape[1], all.shape[2]}, all.dtype);
    require_dense_shape(ids, "ids", {all.shape[0], kept.shape[1]}, MIM_I32);
    if (params->first < 0 || params->first >= all.shape[1])
        fail_argument("params.first is " + std::to_string(params->first) +
                      ", expected at least 0 and less than the tokens of " + all_name + ", " +
                      std::to_string(all.shape[1]));
    return all.shape[1] - params->first;
}

}  // namespace

mim_status mim_gather_tokens_forward(mim_context* ctx, const mim_view* y, const mim_view* x,
                                     const mim_view* ids, const mim_gather_tokens_params* params) {
    return guarded("mim_gather_tokens_forward", [&] {
        require_present({MIM_ARG(ctx), MIM_ARG(y), MIM_ARG(x), MIM_ARG(ids)});
        const int64_t patches = require_gather(*y, "y", *x, "x", *ids, params);
        ctx->on_device({{y, "y"}, {x, "x"}, {ids, "ids"}});
        backend& device = ctx->run();
        require_distinct_ids(*ctx, *ids, "ids", patches);
        device.gather_tokens_forward(*ctx, *y, *x, *ids, *params);
    });
}

mim_status mim_gather_tokens_backward(mim_context* ctx, const mim_view* dx, const mim_view* dy,
                                      const mim_view* ids, const mim_gather_tokens_params* params) {
    return guarded("mim_gather_tokens_backward", [&] {
        require_present({MIM_ARG(ctx), MIM_ARG(dx), MIM_ARG(dy), MIM_ARG(ids)});
        const int64_t patches = require_gather(*dy, "dy", *dx, "dx", *ids, params);
        ctx->on_device({{dx, "dx"}, {dy, "dy"}, {ids, "ids"}});
        backend& device = ctx->run();
        require_distinct_ids(*ctx, *ids, "ids", patches);
        device.gather_tokens_backward(*ctx, *dx, *dy, *ids, *params);
    });
}
