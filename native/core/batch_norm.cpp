// BatchNorm: argument checks (layers.h).
#include "core/context.h"

using namespace mim;

namespace {

// What both directions have: rows of columns, their statistics, the mode.
void require_batch(const view& x, const view& mean, const view& rstd, const view* gamma,
                   const mim_batch_norm_params* params) {
    require_params(params);
    require_dense(x, "x", 2);
    require_compute_dtype(x, "x");
    const int64_t cols = x.shape[1];
    require_dense_shape(mean, "mean", {cols});
    require_dense_shape(rstd, "rstd", {cols});
    if (gamma != nullptr) require_dense_shape(*gamma, "gamma", {cols});
    if (params->training != 0 && params->training != 1)
        fail_argument("params.training is " + std::to_string(params->training) +
                      ", expected 0 or 1");
    if (params->training && x.shape[0] == 1)
        fail_argument("x has 1 row, expected at least 2 in training: one has no variance");
}

}  // namespace

mim_status mim_batch_norm_forward(mim_context* ctx, const mim_view* y, const mim_view* mean,
                                  const mim_view* rstd, const mim_view* running_mean,
                                  const mim_view* running_var, const mim_view* x,
                                  const mim_view* gamma, const mim_view* beta,
                                  const mim_batch_norm_params* params) {
    return guarded("mim_batch_norm_forward", [&] {
        require_present({MIM_ARG(ctx), MIM_ARG(y), MIM_ARG(mean), MIM_ARG(rstd), MIM_ARG(x)});
        require_batch(*x, *mean, *rstd, gamma, params);
        const int64_t rows = x->shape[0], cols = x->shape[1];
        require_dense_shape(*y, "y", {rows, cols}, x->dtype);
        if (beta != nullptr) require_dense_shape(*beta, "beta", {cols});
        if ((running_mean == nullptr) != (running_var == nullptr))
            fail_argument("running_mean and running_var must be given together or not at all");
        if (running_mean == nullptr && !params->training)
            fail_argument(
                "running_mean and running_var are null, expected them where params.training is 0");
        if (running_mean != nullptr) {
            require_dense_shape(*running_mean, "running_mean", {cols});
            require_dense_shape(*running_var, "running_var", {cols});
        }
        if (!(params->eps > 0))
            fail_argument("params.eps is " + std::to_string(params->eps) + ", expected above 0");
        if (!(params->momentum >= 0 && params->momentum <= 1))
            fail_argument("params.momentum is " + std::to_string(params->momentum) +
                          ", expected 0 to 1");
        ctx->on_device({{y, "y"},
                        {mean, "mean"},
                        {rstd, "rstd"},
                        {running_mean, "running_mean"},
                        {running_var, "running_var"},
                        {x, "x"},
                        {gamma, "gamma"},
                        {beta, "beta"}});
        ctx->run().batch_norm_forward(*ctx, *y, *mean, *rstd, running_mean, running_var, *x, gamma,
                                      beta, *params);
    });
}

mim_status mim_batch_norm_backward(mim_context* ctx, const mim_view* dx, const mim_view* dgamma,
                                   const mim_view* dbeta, const mim_view* dy, const mim_view* x,
                                   const mim_view* mean, const mim_view* rstd,
                                   const mim_view* gamma, const mim_batch_norm_params* params) {
    return guarded("mim_batch_norm_backward", [&] {
        require_present({MIM_ARG(ctx), MIM_ARG(dy), MIM_ARG(x), MIM_ARG(mean), MIM_ARG(rstd)});
        if (dx == nullptr && dgamma == nullptr && dbeta == nullptr)
            fail_argument("dx, dgamma and dbeta are null, expected at least one of them");
        require_batch(*x, *mean, *rstd, gamma, params);
        const int64_t rows = x->shape[0], cols = x->shape[1];
        require_dense_shape(*dy, "dy", {rows, cols}, x->dtype);
        if (dx != nullptr) require_dense_shape(*dx, "dx", {rows, cols}, x->dtype);
        if (dgamma != nullptr) require_dense_shape(*dgamma, "dgamma", {cols});
        if (dbeta != nullptr) require_dense_shape(*dbeta, "dbeta", {cols});
        ctx->on_device({{dx, "dx"},
                        {dgamma, "dgamma"},
                        {dbeta, "dbeta"},
                        {dy, "dy"},
                        {x, "x"},
                        {mean, "mean"},
                        {rstd, "rstd"},
                        {gamma, "gamma"}});
        ctx->run().batch_norm_backward(*ctx, dx, dgamma, dbeta, *dy, *x, *mean, *rstd, gamma,
                                       *params);
    });
}
