// AdamW: argument checks (optimizer.h).
#include <cmath>

#include "core/context.h"

using namespace mim;

namespace {

void require_range(float value, const char* name, bool inside, const char* expected) {
    if (!inside || !std::isfinite(value))
        fail_argument(std::string(name) + " is " + std::to_string(value) + ", expected " +
                      expected);
}

void require_params_of_adamw(const mim_adamw_params& params) {
    require_range(params.beta1, "params.beta1", params.beta1 >= 0 && params.beta1 < 1,
                  "at least 0 and below 1");
    require_range(params.beta2, "params.beta2", params.beta2 >= 0 && params.beta2 < 1,
                  "at least 0 and below 1");
    require_range(params.eps, "params.eps", params.eps > 0, "above 0 and finite");
    require_range(params.max_norm, "params.max_norm", params.max_norm >= 0,
                  "at least 0 and finite");
}

// Ascending, without overlap, inside the n elements of p, with sound settings.
void require_segments(const mim_segment* segments, int64_t count, int64_t n) {
    if (count < 1)
        fail_argument("segment_count is " + std::to_string(count) + ", expected at least 1");
    int64_t end = 0;  // of the segment before
    for (int64_t i = 0; i < count; ++i) {
        const mim_segment& s = segments[i];
        const std::string name = "segments[" + std::to_string(i) + "]";
        if (s.count < 1)
            fail_argument(name + ".count is " + std::to_string(s.count) + ", expected at least 1");
        if (s.offset < end)
            fail_argument(name + ".offset is " + std::to_string(s.offset) + ", expected at least " +
                          std::to_string(end) + (i == 0 ? "" : ", the end of the segment before"));
        if (s.offset > n || s.count > n - s.offset)
            fail_argument(name + " covers " + std::to_string(s.count) + " elements from " +
                          std::to_string(s.offset) + " on, beyond the " + std::to_string(n) +
                          " of p");
        require_range(s.weight_decay, (name + ".weight_decay").c_str(), s.weight_decay >= 0,
                      "at least 0 and finite");
        require_range(s.lr_scale, (name + ".lr_scale").c_str(), s.lr_scale >= 0,
                      "at least 0 and finite");
        end = s.offset + s.count;
    }
}

}  // namespace

mim_status mim_adamw_step(mim_context* ctx, const mim_view* p, const mim_view* m, const mim_view* v,
                          const mim_view* p_bf16, const mim_view* grad, const mim_view* grad_norm,
                          const mim_view* scalars, const mim_segment* segments,
                          int64_t segment_count, const mim_adamw_params* params) {
    return guarded("mim_adamw_step", [&] {
        require_present({MIM_ARG(ctx), MIM_ARG(p), MIM_ARG(m), MIM_ARG(v), MIM_ARG(grad),
                         MIM_ARG(scalars), MIM_ARG(segments)});
        require_params(params);
        require_params_of_adamw(*params);
        require_dense(*p, "p", 1);
        require_dtype(*p, "p", MIM_F32);
        const int64_t n = p->shape[0];
        require_dense_shape(*m, "m", {n});
        require_dense_shape(*v, "v", {n});
        if (p_bf16 != nullptr) require_dense_shape(*p_bf16, "p_bf16", {n}, MIM_BF16);
        require_dense_shape(*grad, "grad", {n});
        if (grad_norm != nullptr) require_dense_shape(*grad_norm, "grad_norm", {1});
        if (grad_norm == nullptr && params->max_norm > 0)
            fail_argument("grad_norm is null, but params.max_norm is " +
                          std::to_string(params->max_norm) +
                          "; clipping needs the norm from mim_gradient_norm");
        require_dense_shape(*scalars, "scalars", {MIM_ADAMW_SCALARS});
        require_segments(segments, segment_count, n);
        ctx->on_device({{p, "p"},
                        {m, "m"},
                        {v, "v"},
                        {p_bf16, "p_bf16"},
                        {grad, "grad"},
                        {grad_norm, "grad_norm"},
                        {scalars, "scalars"}});
        ctx->run().adamw_step(*ctx, *p, *m, *v, p_bf16, *grad, grad_norm, *scalars, segments,
                              segment_count, *params);
    });
}
